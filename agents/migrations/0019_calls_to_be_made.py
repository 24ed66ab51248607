from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0018_extra_seconds"),
    ]

    operations = [
        migrations.AddField(
            model_name="callwishes",
            name="call_until",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="to be called until"
            ),
        ),
    ]
