from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0005_auto_accept"),
        ("dispatch", "0009_alerts"),
    ]

    operations = [
        migrations.AddField(
            model_name="offer",
            name="automatic",
            field=models.BooleanField(db_default=False, default=False, verbose_name="automatic"),
        ),
    ]
