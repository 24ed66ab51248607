import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0017_alerts_on_devices"),
    ]

    operations = [
        migrations.AddField(
            model_name="agent",
            name="extra_seconds",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Chosen by the agent, for whatever reason; nobody has to give one. At most 120.",
                validators=[django.core.validators.MaxValueValidator(120)],
                verbose_name="more time to answer offers, in seconds",
            ),
        ),
        migrations.AddConstraint(
            model_name="agent",
            constraint=models.CheckConstraint(
                condition=models.Q(("extra_seconds__lte", 120)), name="agent_extra_seconds_to_120"
            ),
        ),
    ]
