"""Addresses of customers, and blocks, as they are taken in from now on: of ASCII only (tickets/email_addresses.py).

One that cannot be written so was never anybody's to read: no mail can be made for it, or it would go to another domain. Its
customer has none from then on, and may leave one.

An erased ticket stays ended. One that came back to life, or was written into since, has words again: it counts as not erased, and
is erased by the retention or at somebody's wish.

And for three kinds of mails, when one that was refused is tried again.
"""

from django.core.exceptions import ValidationError
from django.db import migrations, models

from tickets.email_addresses import address_clean, domain_clean

BEYOND_ASCII = r"[^\x01-\x7f]"
CAME_BACK = """
UPDATE tickets_ticket t SET erased_at = NULL WHERE erased_at IS NOT NULL AND (
    state NOT IN ('resolved', 'closed')
    OR EXISTS (SELECT FROM tickets_message m WHERE m.ticket_id = t.id AND m.body <> '–'));
"""


def clean(apps, schema_editor):  # noqa: ARG001  Django's signature
    customers = apps.get_model("tickets", "Customer").objects.filter(email__regex=BEYOND_ASCII)
    for customer in customers:
        try:
            customers.filter(pk=customer.pk).update(email=address_clean(customer.email))
        except ValidationError:
            customers.filter(pk=customer.pk).update(email="", confirmed_at=None)


def clean_blocks(apps, schema_editor):  # noqa: ARG001  Django's signature
    from tickets.blocking import digest_of  # noqa: PLC0415  it wants models that are loaded

    blocks = apps.get_model("tickets", "Block").objects.all()
    for block in blocks.filter(kind__in=("email", "domain"), value__regex=BEYOND_ASCII):
        try:
            value = (address_clean if block.kind == "email" else domain_clean)(block.value)
        except ValidationError:
            continue  # nobody comes with it any more
        digest = digest_of(block.kind, value.casefold())
        if not blocks.filter(kind=block.kind, digest=digest).exists():
            blocks.filter(pk=block.pk).update(value=value.casefold(), digest=digest)


class Migration(migrations.Migration):
    dependencies = [("tickets", "0026_more_words")]

    operations = [
        migrations.RunPython(clean, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(clean_blocks, migrations.RunPython.noop, elidable=True),
        migrations.RunSQL(CAME_BACK, migrations.RunSQL.noop, elidable=True),
        *(
            migrations.AddField(
                model_name=model,
                name=name,
                field=models.DateTimeField(blank=True, editable=False, null=True, **words),
            )
            for model, name, words in (
                ("ticket", "link_next_at", {"verbose_name": "link tried next"}),
                ("linkrequest", "next_at", {"verbose_name": "tried next"}),
                ("mailin", "left_out_next_at", {}),
            )
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True), ("state__in", ("resolved", "closed")), _connector="OR"
                ),
                name="ticket_erased_has_ended",
            ),
        ),
    ]
