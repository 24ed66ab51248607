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
    dependencies = [("agents", "0022_account_tokens"), ("dispatch", "0046_erased_is_settled")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                dropped("dispatch_feedevent_agent_id_d993aa5b", "dispatch_feedevent", "agent_id"),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="feedevent",
                    name="agent",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="feed_events",
                        to="agents.agent",
                        verbose_name="agent",
                    ),
                ),
            ],
        )
    ]
