from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dispatch", "0038_forecasts"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="called_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="rang on devices"),
        ),
    ]
