from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0044_time_online_of_before")]

    operations = [
        migrations.AddField(
            model_name="promiseday",
            name="longest_left",
            field=models.FloatField(db_default=0, default=0, verbose_name="longest wait in vain, in seconds"),
        ),
        migrations.AddField(
            model_name="promiseday",
            name="longest_waiting",
            field=models.FloatField(
                db_default=0, default=0, verbose_name="longest wait that lasts, in seconds"
            ),
        ),
    ]
