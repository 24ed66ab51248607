"""What was asked of a team lead about a ticket ends with its words: settled by nobody, when the customer's data is deleted.

And for mails of promised answers, when one that was refused is tried again.
"""

from django.db import migrations, models

SETTLE = """
UPDATE {table} m SET settled_at = t.erased_at FROM tickets_ticket t
WHERE m.settled_at IS NULL AND t.id = m.ticket_id AND t.erased_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("dispatch", "0045_longest_of_all"), ("tickets", "0027_addresses_erasing_mails")]

    operations = [
        migrations.RemoveConstraint(model_name="misuse", name="misuse_settled_by_somebody"),
        migrations.RemoveConstraint(model_name="escalation", name="escalation_settled_by_somebody"),
        migrations.AddConstraint(
            model_name="misuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed__isnull", True), ("settled_by__isnull", True)),
                    models.Q(
                        ("confirmed__isnull", False),
                        ("settled_at__isnull", False),
                        ("settled_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="misuse_settled_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="escalation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("settled_by__isnull", True), ("settled_at__isnull", False), _connector="OR"
                ),
                name="escalation_settled_by_somebody",
            ),
        ),
        migrations.AddField(
            model_name="promisedanswer",
            name="mail_next_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="mail tried next"),
        ),
        migrations.RunSQL(
            SETTLE.format(table="dispatch_misuse") + SETTLE.format(table="dispatch_escalation"),
            migrations.RunSQL.noop,
            elidable=True,
        ),
    ]
