from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0004_certificates")]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="auto_accept",
            field=models.BooleanField(
                db_default=False, default=False, verbose_name="accepts offers automatically"
            ),
        ),
    ]
