"""Showing one place of a customer's hidden data to one person, for a reason (ADR 23).

Whoever holds the ticket may, and team leads with the right. Each is an event on the ticket's timeline that the customer does
not see, and a row for the team leads' list, in one transaction; the data itself is in neither. How many an hour, the pool's
policy says.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Min
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Agent, User
from agents.shifts import shift_locked
from dispatch.errors import NothingHidden, NotHolder, RevealReasonMissing, TooManyReveals
from dispatch.models import Offer, OfferState, Policy, Reveal, RevealReason
from tickets import events, masking, timeline
from tickets.conversation import body_clean
from tickets.errors import TicketNotFound
from tickets.models import Message, Ticket, TicketEvent
from tickets.stream import message_data_masked

REVEALS = "dispatch.reveal_personal"  # the permission of team leads
AN_HOUR = 30  # where no policy says another number
WINDOW = timedelta(hours=1)
WORDS = 200  # characters of a reason

KINDS: dict[str, str | Promise] = {
    "name": gettext_lazy("surname"),
    "email": gettext_lazy("e-mail address"),
    "phone": gettext_lazy("telephone number"),
    "address": gettext_lazy("postal address"),
    "birth": gettext_lazy("date of birth"),
    "file": gettext_lazy("name of a file"),
}


class Revealed(NamedTuple):
    """What was hidden at a place. `files`: id → name."""

    place: str
    kinds: list[str]
    text: str
    files: dict[str, str]


def kinds_in_words(kinds: list[str]) -> str:
    """In the reader's language, with commas."""
    return ", ".join(str(KINDS.get(kind, kind)) for kind in kinds)


def place_in_words(place: str) -> str:
    """In the reader's language."""
    kind, _dash, number = place.partition("-")
    if kind == "message":
        return _("message %(number)s") % {"number": number}
    return {"name": _("name"), "email": _("e-mail")}.get(place, place)


def reason_in_words(reason: str) -> str:
    """Likewise."""
    return str(dict(RevealReason.choices).get(reason, reason))


def reveal(
    *,
    agent: Agent,
    epoch: int,
    ticket_id: int,
    place: str,
    reason: str,
    words: str = "",
    key: str | None = None,
) -> Revealed:
    """Show a place to the holder of the ticket. Outermost. A repeated key shows the same again, once more to the holder only.

    Raises NotHolder, NothingHidden, RevealReasonMissing, TooManyReveals, MessageTooLong, BadText, ShiftEnded, NotOnline,
    KeyReused.
    """

    def may() -> int | None:
        """The pool whose policy counts."""
        shift = shift_locked(
            agent_id=agent.pk, epoch=epoch
        )  # so that an agent's reveals are counted one by one
        mine = Offer.objects.filter(ticket_id=ticket_id, shift=shift, state=OfferState.ACCEPTED)
        found = list(mine.values_list("run__pool_id", flat=True))
        if not found:
            raise NotHolder
        return found[0]

    wish = _Wish(ticket_id, place, reason, words, key)
    return _reveal(agent.user, agent.name, wish, may)


def reveal_to_lead(
    *, lead: User, ticket_id: int, place: str, reason: str, words: str = "", key: str | None = None
) -> Revealed:
    """Show a place to a team lead, of any real ticket. Outermost. Raises TicketNotFound, and as reveal."""

    def may() -> int | None:
        User.objects.select_for_update(no_key=True).get(pk=lead.pk)
        if not lead.has_perm(REVEALS):
            raise NotHolder
        if not Ticket.objects.filter(Ticket.REAL, pk=ticket_id).exists():
            raise TicketNotFound
        offers = Offer.objects.filter(ticket_id=ticket_id, run__isnull=False).order_by("-pk")
        return offers.values_list("run__pool_id", flat=True).first()

    return _reveal(lead, str(lead), _Wish(ticket_id, place, reason, words, key), may)


class _Wish(NamedTuple):
    ticket_id: int
    place: str
    reason: str
    words: str
    key: str | None


def _reveal(user: User, name: str, wish: _Wish, may: Callable[[], int | None]) -> Revealed:
    ticket_id, place, reason, words, key = wish
    words = body_clean(words, required=False)[:WORDS]
    if reason not in RevealReason.values or (reason == RevealReason.OTHER and not words):
        raise RevealReasonMissing
    digest = timeline.digest_of("reveal", user.pk, place, reason, words)

    def act() -> Revealed:
        with timeline.command():
            pool_id = may()
            found = hidden(ticket_id, place, user.pk)
            _within_limit(user.pk, pool_id)
            timeline.advance(
                Ticket.objects.filter(pk=ticket_id),
                events.REVEALED,
                {"by": name, "place": place, "kinds": found.kinds, "reason": reason},
                actor_id=user.pk,
                key=key,
                digest=digest,
            )
            Reveal.objects.create(
                ticket_id=ticket_id, by=user, place=place, kinds=found.kinds, reason=reason, words=words
            )
            return found

    def again(_event: TicketEvent) -> Revealed:
        with timeline.command():  # the ticket may have gone to somebody else since
            may()
            return hidden(ticket_id, place, user.pk)

    return timeline.once(ticket_id, key, digest, act, again)


def hidden(ticket_id: int, place: str, reader_id: int | None) -> Revealed:
    """What is hidden from this reader at a place. Raises NothingHidden. One query, two for a message."""
    kind, _dash, number = place.partition("-")
    if place in ("name", "email"):
        ticket = Ticket.objects.select_related("customer").get(pk=ticket_id)
        text = ticket.customer.name if place == "name" else ticket.customer.email
        masked = masking.mask_name(text) if place == "name" else masking.mask_email(text)
        if masked.kinds:
            return Revealed(place, list(masked.kinds), text, {})
    elif kind == "message" and number.isascii() and number.isdecimal() and len(number) < 10:
        found = Message.objects.filter(ticket_id=ticket_id, seq=int(number))
        message = found.select_related("ticket__customer").prefetch_related("attachments").first()
        kinds = message_data_masked(message, reader_id)["masked"] if message else []
        if message and kinds:
            files = {str(file.pk): file.name for file in message.attachments.all()}
            return Revealed(place, kinds, message.body, files)
    raise NothingHidden


def places(ticket: Ticket) -> list[dict[str, Any]]:
    """Everything of a ticket as a team lead sees it: {"place", "says" (masked), "author", "at", "kinds"}. Two queries."""
    name, email = masking.mask_name(ticket.customer.name), masking.mask_email(ticket.customer.email)
    rows: list[dict[str, Any]] = [
        {"place": "name", "author": _("Name"), "says": name.text, "at": None, "kinds": list(name.kinds)},
        {"place": "email", "author": _("E-mail"), "says": email.text, "at": None, "kinds": list(email.kinds)},
    ]
    for message in ticket.messages.prefetch_related("attachments").order_by("seq"):
        data = message_data_masked(message)
        files = [file["name"] for file in data["attachments"]]
        rows.append(
            {
                "place": f"message-{message.seq}",
                "author": data["author_name"],
                "says": "\n".join([data["body"], *files]).strip(),
                "at": message.created_at,
                "kinds": data["masked"],
            }
        )
    return rows


def limit_of(pool_id: int | None) -> int:
    """Reveals a person and hour. One query, none without a pool."""
    if pool_id is None:
        return AN_HOUR
    found = Policy.objects.filter(pool_id=pool_id, current=True).values_list("reveals_an_hour", flat=True)
    number = found.first()
    return AN_HOUR if number is None else number


def _within_limit(user_id: int, pool_id: int | None) -> None:
    """Raises TooManyReveals. The caller has locked a row of this person's."""
    most = limit_of(pool_id)
    recent = Reveal.objects.filter(by_id=user_id, shown_at__gt=Now() - WINDOW)
    if recent.count() < most:
        return
    if not most:
        raise TooManyReveals(_("In this pool nobody has personal data shown. Please ask a team lead."))
    last = recent.order_by("-shown_at", "-pk").values_list("pk", flat=True)[:most]
    oldest = Reveal.objects.filter(pk__in=list(last)).aggregate(at=Min("shown_at"))["at"] + WINDOW
    raise TooManyReveals(
        _(
            "That was shown to you %(most)s times in the last hour, which is the most. The next is possible at %(time)s."
        )
        % {"most": most, "time": timezone.localtime(oldest).strftime("%H:%M")}
    )
