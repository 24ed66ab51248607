"""Indexes of the admin's list of tickets: a live state, and the flag, without a walk through all that are done."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0023_notes_of_leads")]
    operations = [
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("state__in", ["assisted", "waiting", "held", "asleep"])),
                fields=["state", "id"],
                name="ticket_live",
            ),
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("flagged_at__isnull", False)), fields=["id"], name="ticket_flagged"
            ),
        ),
    ]
