from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0003_auto_accept"),
        ("dispatch", "0004_decision_log_and_bounds"),
    ]

    operations = [
        migrations.AddField(
            model_name="offer",
            name="automatic",
            field=models.BooleanField(db_default=False, default=False, verbose_name="automatic"),
        ),
    ]
