"""By itself and concurrently: events are many, and are written while it is built."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tickets", "0008_tickets_by_day")]

    operations = [
        AddIndexConcurrently(
            model_name="ticketevent",
            index=BrinIndex(fields=["created_at"], autosummarize=True, name="ticket_event_by_day"),
        ),
    ]
