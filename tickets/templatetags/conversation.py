"""What the templates of a ticket's page need beyond Django's own tags."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets import events
from tickets.attachments import MAX_BYTES, MAX_FILES, TYPES
from tickets.calendars import clock_in_words
from tickets.email_addresses import address_written
from tickets.models import AssistantAnswer, Rating, Ticket
from tickets.reading import LINES, Status, open_answer_of, rating_of, status_of, thread_of, unread_from
from tickets.signals import answer_time
from tickets.stream import Frame

register = template.Library()


@register.simple_tag
def ticket_status(ticket: Ticket) -> Status:
    """{% ticket_status ticket as status %}"""
    return status_of(ticket)


@register.simple_tag
def ticket_answer_time(ticket: Ticket) -> datetime | None:
    """{% ticket_answer_time ticket as due %}: until when an answer would be promised now, had we an address."""
    return answer_time(ticket.topic_id)


@register.simple_tag
def ticket_open_answer(ticket: Ticket) -> AssistantAnswer | None:
    """{% ticket_open_answer ticket as open_answer %}"""
    return open_answer_of(ticket)


@register.simple_tag
def ticket_rating(ticket: Ticket) -> Rating | None:
    """{% ticket_rating ticket as given %}"""
    return rating_of(ticket)


@register.filter
def moment(value: str | datetime) -> datetime | None:
    """The time in a frame, which is text there."""
    return parse_datetime(value) if isinstance(value, str) else value


@register.filter
def soon(value: str | datetime) -> str:
    """A moment that is near, as an element: "today, 18:30 CET", which times.js writes anew on the reader's own clock.

    One that has a place's time zone, such as an opening, is told on the clock of that place; others on ours.
    """
    at = moment(value)
    if at is None:
        return ""
    there = at if isinstance(at.tzinfo, ZoneInfo) else timezone.localtime(at)
    return format_html('<time datetime="{}" data-near>{}</time>', there.isoformat(), clock_in_words(there))


@register.filter
def roughly(seconds: int) -> str:
    """A wait as people say it: no more exact than it is known."""
    minutes = round(seconds / 60)
    if seconds < 50:
        return _("less than a minute")
    if minutes < 50:
        return ngettext("about a minute", "about %(minutes)d minutes", minutes) % {"minutes": minutes}
    hours = max(round(minutes / 60), 1)
    return ngettext("about an hour", "about %(hours)d hours", hours) % {"hours": hours}


@register.filter
def megabytes(size: int) -> str:
    """Bytes as whole megabytes."""
    return str(size // (1024 * 1024))


@register.filter
def written(email: str) -> str:
    """A customer's own address as they write it: straße.de, and not xn--strae-oqa.de."""
    return address_written(email)


@register.filter
def initial(name: str) -> str:
    """The first letter of a name, for the round sign beside it."""
    return name.strip()[:1].upper() or "·"


@register.inclusion_tag("tickets/parts/attach.html")
def attach(described_by: str) -> dict[str, Any]:
    """{% attach "chosen" %}: the composers' button for files, with what the server allows. `described_by`: the id in
    tickets/parts/chosen.html, which says what was chosen.
    """
    return {
        "described_by": described_by,
        "accept": ",".join(f".{extension}" for extension in TYPES),
        "max_files": MAX_FILES,
        "max_bytes": MAX_BYTES,
    }


@register.simple_tag
def ticket_thread(ticket: Ticket) -> list[Frame]:
    """{% ticket_thread ticket as thread %}"""
    return list(thread_of(ticket))


@register.simple_tag
def ticket_unread(ticket: Ticket, thread: Sequence[Frame]) -> int | None:
    """{% ticket_unread ticket thread as unread %}: number of the first message that the customer has not seen."""
    return unread_from(ticket, thread)


@register.filter
def is_line(frame: Frame) -> bool:
    """Whether this event is a line of the thread."""
    return frame["type"] in {event.name for event in LINES}


@register.filter
def changes_reply(frame: Frame) -> bool:
    """Whether the composer gives way to rating and reopening, or comes back. Not otherwise: somebody may be typing in it."""
    return frame["type"] in {
        event.name
        for event in (
            events.RESOLVED,
            events.CLOSED,
            events.ENDED,
            events.MERGED,
            events.RESTORED,
            events.REOPENED,
            events.RATED,
        )
    }
