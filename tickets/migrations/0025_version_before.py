from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0024_admin_lists")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="version_before",
            field=models.PositiveSmallIntegerField(
                blank=True,
                editable=False,
                null=True,
                verbose_name="version before the address was confirmed",
            ),
        ),
    ]
