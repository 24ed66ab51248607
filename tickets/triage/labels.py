"""What people say tickets are about: the rows that a model is learned from."""

from collections.abc import Iterable

from django.db.models import F, Max, OuterRef, Q, Subquery

from tickets.models import Author, LabelSource, Message, Ticket, Topic, TriageLabel
from tickets.triage.labelled import Labelled

CHUNK = 2000  # rows an insert


def corrected(*, ticket_id: int, topic: Topic) -> None:
    """The holder says what this ticket is about; the last word counts. Inner, the ticket's row is locked. Practice teaches
    nothing.
    """
    if Ticket.objects.filter(Ticket.REAL, pk=ticket_id).exists():
        TriageLabel.objects.filter(
            ticket_id=ticket_id
        ).delete()  # a new row, so that its number says that it is new
        TriageLabel.objects.create(source=LabelSource.AGENT, ticket_id=ticket_id, label=topic.key)


def of_file_replace(given: Labelled) -> None:
    """The rows of a file take the place of those of the file before. Inner."""
    TriageLabel.objects.filter(source=LabelSource.FILE).delete()
    rows: Iterable[TriageLabel] = (
        TriageLabel(source=LabelSource.FILE, text=text, label=label)
        for text, label in zip(given.texts, given.labels, strict=True)
    )
    TriageLabel.objects.bulk_create(rows, batch_size=CHUNK)


def last() -> int:
    """Number of the newest label; 0 when there is none. Rises with each."""
    return TriageLabel.objects.aggregate(last=Max("pk"))["last"] or 0


def known() -> tuple[Labelled, int]:
    """All labelled texts, in the order of their rows, and the number of the last one. One query.

    A ticket's text is its first message; one that is not there any more teaches nothing.
    """
    first = Message.objects.filter(ticket=OuterRef("ticket"), author=Author.CUSTOMER, internal=False)
    rows = list(
        TriageLabel.objects.annotate(said=Subquery(first.order_by("seq").values("body")[:1]))
        .filter(Q(ticket__isnull=True) | Q(said__isnull=False))
        .order_by("pk")
        .values_list("pk", "text", F("said"), "label")
    )
    pairs = [(said or text, label) for _pk, text, said, label in rows if (said or text).strip()]
    return Labelled(
        tuple(text for text, _label in pairs), tuple(label for _text, label in pairs), len(rows) - len(pairs)
    ), max((row[0] for row in rows), default=0)
