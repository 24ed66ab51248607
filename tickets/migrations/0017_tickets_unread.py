"""By itself and concurrently: tickets are many, and are written while it is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tickets", "0016_mail")]

    operations = [
        AddIndexConcurrently(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(
                    ("agent_seq__gt", models.F("read_by_customer")),
                    ("mails_stopped_at__isnull", True),
                    ("agent_seq__gt", models.F("mailed_seq")),
                ),
                fields=["unread_since"],
                name="ticket_unread",
            ),
        ),
    ]
