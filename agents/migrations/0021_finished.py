"""A shift that was finishing ends by itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0020_time_online")]
    operations = [
        migrations.AlterField(
            model_name="shift",
            name="end_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("agent", "went offline"),
                    ("lease", "connection lost"),
                    ("forced", "ended by an admin"),
                    ("finished", "had finished"),
                ],
                max_length=10,
                verbose_name="ended because",
            ),
        ),
    ]
