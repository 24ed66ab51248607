"""By itself and concurrently: offers are many, and are written while it is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("dispatch", "0014_send_and_resolve")]

    operations = [
        AddIndexConcurrently(
            model_name="offer",
            index=models.Index(
                condition=models.Q(("resolves_at__isnull", False)),
                fields=["resolves_at"],
                name="offer_resolves_soon",
            ),
        ),
    ]
