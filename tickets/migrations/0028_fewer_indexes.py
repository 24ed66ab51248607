"""The index of a foreign key goes whose column begins a unique constraint as well.

By its name, which Django makes of table and column. AlterField would make the foreign key anew, and check all rows while nobody
may write; and it takes away all indexes of that column alone, a partial unique one too.
"""

import django.db.models.deletion
from django.db import migrations, models


def dropped(index: str, table: str, column: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
        f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} ON {table} ({column})",
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tickets", "0027_addresses_erasing_mails")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                dropped("tickets_message_ticket_id_a1134910", "tickets_message", "ticket_id"),
                dropped("tickets_ticketevent_ticket_id_b572d14b", "tickets_ticketevent", "ticket_id"),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="message",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
                migrations.AlterField(
                    model_name="ticketevent",
                    name="ticket",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
            ],
        )
    ]
