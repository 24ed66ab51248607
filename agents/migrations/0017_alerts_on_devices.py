import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("agents", "0016_pool_admins"),
    ]

    operations = [
        migrations.AlterField(
            model_name="pushdevice",
            name="agent",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="push_devices",
                to="agents.agent",
                verbose_name="agent",
            ),
        ),
        migrations.AddField(
            model_name="pushdevice",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="push_devices",
                to=settings.AUTH_USER_MODEL,
                verbose_name="is told about alerts",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="pushdevice",
            name="push_device_with_consent",
        ),
        migrations.AddConstraint(
            model_name="pushdevice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("offers", True), ("busy", True), ("user__isnull", False), _connector="OR"
                ),
                name="push_device_with_consent",
            ),
        ),
        migrations.AddConstraint(
            model_name="pushdevice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("agent__isnull", True), ("busy", False), ("offers", False)),
                    models.Q(
                        ("agent__isnull", False), models.Q(("offers", True), ("busy", True), _connector="OR")
                    ),
                    _connector="OR",
                ),
                name="push_device_of_an_agent_who_agreed",
            ),
        ),
    ]
