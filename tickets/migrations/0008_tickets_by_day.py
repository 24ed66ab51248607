"""By itself and concurrently: tickets are many, and are written while it is built."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tickets", "0007_erasing")]

    operations = [
        AddIndexConcurrently(
            model_name="ticket",
            index=BrinIndex(fields=["created_at"], autosummarize=True, name="ticket_by_day"),
        ),
    ]
