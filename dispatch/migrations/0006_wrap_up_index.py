"""By itself and concurrently: offers are many, and are written while it is built."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("dispatch", "0005_wrap_up_and_silence")]

    operations = [
        AddIndexConcurrently(
            model_name="offer",
            index=models.Index(
                condition=models.Q(("wrap_until__isnull", False)),
                fields=["shift", "wrap_until"],
                name="offer_wrap_up_of_shift",
            ),
        ),
    ]
