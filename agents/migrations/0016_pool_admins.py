"""Who administers a pool, and the rights that the admin's roles are made of (dispatch/backoffice/roles.py)."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("agents", "0015_api_tokens")]
    operations = [
        migrations.AlterModelOptions(
            name="agent",
            options={
                "ordering": ["name"],
                "permissions": [
                    ("export_agent", "Exports agents, with names and addresses"),
                    ("import_agent", "Imports agents"),
                ],
                "verbose_name": "agent",
                "verbose_name_plural": "agents",
            },
        ),
        migrations.AlterModelOptions(
            name="pool",
            options={
                "ordering": ["key"],
                "permissions": [("own_pools", "Sees in the admin what belongs to own pools only")],
                "verbose_name": "pool",
                "verbose_name_plural": "pools",
            },
        ),
        migrations.AddField(
            model_name="pool",
            name="admins",
            field=models.ManyToManyField(
                blank=True,
                help_text="Accounts of the group “Pool admins”: they see this pool in the admin, and no other.",
                related_name="administers",
                to=settings.AUTH_USER_MODEL,
                verbose_name="pool admins",
            ),
        ),
    ]
