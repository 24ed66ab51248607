"""What the console says of events: in the lines of a thread, and as notices at the top of the page."""

from datetime import tzinfo
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from agents.models import Agent, EndReason, Pool
from dispatch import reveals
from dispatch.automatic import UNANSWERED
from dispatch.leading import REASSIGNED
from dispatch.merging import MERGED
from dispatch.misuse import ENDED_AS
from dispatch.models import OfferState
from dispatch.offers import DEADLINE, MISSED
from dispatch.passing import TRANSFERRED
from dispatch.resolving import CUSTOMER
from dispatch.templatetags.console import money
from dispatch.wrap_up import TIME
from tickets import events as ticket_events
from tickets import sleep, topics
from tickets import stream as ticket_stream
from tickets.models import Author, Channel, EndedAs, Phrasing, Ticket, TicketEvent


def notice(  # noqa: PLR0911, PLR0912  a table
    frame: ticket_stream.Frame, about: Ticket | None, taken: dict[str, Any] | None = None
) -> tuple[str, str]:
    """What the agent is told of an event in one sentence, and its kind: good, warn or "". Empty when the page says it.

    `about`: the ticket that was with them; `taken`: the entry of the one that is now.
    """
    reason = frame["data"].get("reason", "")
    number = about.number if about else ""
    if about is not None and about.channel == Channel.PRACTICE:
        return _("%(number)s: this practice is over.") % {"number": number}, ""
    match frame["type"]:
        case "offer.rescinded":
            return _("Another agent was faster. Nothing counts against you."), ""
        case "offer.cancelled" if reason == MERGED:
            return _("It was merged with another ticket of this customer. Nothing counts against you."), ""
        case "offer.released" if reason == MERGED:
            return _("%(number)s was merged with your other ticket.") % {"number": number}, "good"
        case "offer.cancelled":
            return _("The customer needs it no longer. Nothing counts against you."), ""
        case "offer.accepted" if taken is not None and taken["offer"] and taken["offer"]["automatic"]:
            return _("Accepted for you: %(number)s, %(topic)s, %(pay)s.") % {
                "number": taken["ticket"].number,
                "topic": taken["ticket"].topic.name if taken["ticket"].topic else _("General"),
                "pay": money(
                    taken["offer"]["pay_cents"] + taken["offer"]["surge_cents"], taken["offer"]["currency"]
                ),
            }, "good"
        case "offer.revoked" if reason not in ("paused", "finishing", "agent", DEADLINE, MISSED, UNANSWERED):
            return _("The offer was taken back. Nothing counts against you."), ""
        case "offer.completed" if reason == "customer":
            return _("%(number)s: the customer has closed the ticket. It counts as done and is paid.") % {
                "number": number
            }, "good"
        case "offer.completed" if reason == ENDED_AS:
            return _("%(number)s is closed. It is paid as usual; a team lead looks at it.") % {
                "number": number
            }, ""
        case "offer.completed" if not frame["data"].get(
            "wrap_up_until"
        ):  # else the thread still stands there
            return _("%(number)s is resolved. Well done.") % {"number": number}, "good"
        case "resolve.undone" if reason == CUSTOMER:
            return _("The customer has written again, so the ticket was not resolved."), "warn"
        case "wrap_up.ended" if reason == TIME:
            return _("%(number)s: the wrap-up is over.") % {"number": number}, ""
        case "offer.released" if reason in (EndReason.LEASE, EndReason.FORCED, EndReason.AGENT, UNANSWERED):
            return _("%(number)s is no longer with you: it waits for another agent.") % {
                "number": number
            }, "warn"
        case "offer.released" if reason == REASSIGNED:
            return _("%(number)s was given to somebody else by a team lead.") % {"number": number}, "warn"
        case "offer.released" if reason == TRANSFERRED:
            return _("%(number)s was passed on, with your note.") % {"number": number}, "good"
        case "offer.released":
            return _("%(number)s was handed back. It waits at its old place.") % {"number": number}, ""
    return "", ""


def reasons_back() -> dict[str, str]:
    """Why a ticket may be handed back: code → words. Codes and no free text, because the customer's timeline has them too."""
    return {
        "topic": _("I do not know this topic well enough"),
        "language": _("Another language is needed"),
        "time": _("I have to leave"),
        "other": _("Another reason"),
    }


def reasons_decline() -> dict[str, str]:
    """Why an offer may be declined: code → words. Nobody has to say."""
    return {
        "topic": _("Not my topic"),
        "time": _("No time right now"),
        "pay": _("Pays too little"),
        "other": _("Another reason"),
    }


def happened(kind: str, data: dict[str, Any], zone: tzinfo) -> str:
    """An event of a ticket in words; times by the clock of this zone."""
    name = data.get("agent_name", "")
    reason = data.get("reason", "")
    says = {
        "ticket.opened": {
            Channel.FORM: _("Opened in the web form"),
            Channel.MAIL: _("Opened by mail"),
            Channel.WIDGET: _("Opened in the widget"),
            Channel.PRACTICE: _("Practice begun: a script answers here"),
        }.get(data.get("channel", ""), _("Opened by the API")),
        "ticket.triaged": _triaged(data) if kind == "ticket.triaged" else "",
        "ticket.topic_changed": _("Topic changed from “%(before)s” to “%(topic)s”")
        % {"before": topic_name(data.get("before")), "topic": topic_name(data.get("topic"))},
        "ticket.human_requested": _("The customer asked for a person"),
        "ticket.answer_phrased": _phrased(data) if kind == "ticket.answer_phrased" else "",
        "ticket.handed_over": _("The assistant has passed it on to a person"),
        "ticket.answer_judged": _("The customer says that the answer helped")
        if data.get("helped")
        else _("The customer says that the answer did not help"),
        "ticket.held": _("%(name)s has taken the ticket") % {"name": name},
        "ticket.released": _("Back in the queue"),
        "ticket.transferred": _("%(name)s passed it on to %(to)s")
        % {"name": data.get("by", ""), "to": data.get("agent_name") or _pool_name(data.get("pool"))},
        "ticket.escalated": _("%(name)s has asked a team lead") % {"name": name},
        "ticket.escalation_settled": _("%(name)s has looked at it") % {"name": data.get("lead_name", "")},
        "ticket.snoozed": _("%(name)s has put it aside until %(when)s")
        % {"name": name, "when": clock(data.get("until", ""), zone)},
        "ticket.woke": {
            sleep.TIME: _("Back: its time has come"),
            sleep.CUSTOMER: _("Back: the customer has written"),
        }.get(reason, _("Taken up again")),
        "ticket.left_asleep": _("%(name)s has gone; it sleeps on until %(when)s")
        % {"name": name, "when": clock(data.get("until", ""), zone)},
        "ticket.ended": _("Ended as abuse") if data.get("kind") == EndedAs.ABUSE else _("Ended as spam"),
        "ticket.merged": _("Merged into %(number)s") % {"number": data.get("number", "")},
        "ticket.took_in": _("%(number)s was merged into this ticket") % {"number": data.get("number", "")},
        "ticket.restored": _("A team lead took that back"),
        "ticket.misuse_confirmed": _("%(name)s has confirmed it") % {"name": data.get("lead_name", "")},
        "ticket.revealed": _("%(name)s had shown: %(what)s, %(why)s")
        % {
            "name": data.get("by", ""),
            "what": reveals.kinds_in_words(data.get("kinds", [])),
            "why": reveals.reason_in_words(reason),
        },
        "ticket.agent_lost": _("Connection to the agent lost; the ticket stays theirs for a moment"),
        "ticket.agent_back": _("The agent is connected again"),
        "ticket.resolved": _("Resolved"),
        "ticket.reopened": _("The customer opened the ticket again"),
        "ticket.closed": _("The customer closed the ticket"),
        "ticket.link_renewed": _("The address was confirmed; keys from before have ended"),
        "ticket.mailed": _("The customer was away; the answer was mailed"),
        "ticket.mail_failed": _("A mail to the customer could not be delivered: %(reason)s")
        % {"reason": reason},
        "ticket.mails_chosen": _("The customer wants mails again")
        if data.get("on")
        else _("The customer wants no more mails about this ticket"),
        "ticket.rated": _("Rated %(score)s of 5") % {"score": data.get("score", "")},
    }[kind]
    if kind == "ticket.released" and reason:
        words = {
            "handed_back": _("handed back"),
            UNANSWERED: _("nobody answered"),
            TRANSFERRED: _("passed on"),
            EndReason.LEASE: _("connection lost"),
            EndReason.AGENT: _("the agent went offline"),
            EndReason.FORCED: _("ended by an admin"),
        } | reasons_back()
        says = f"{says}: {words.get(reason, reason)}"
    return says


def ticket_lines(ticket: Ticket, zone: tzinfo) -> list[dict[str, Any]]:
    """Messages, notes and what happened, in order, for staff: what is personal is hidden. Four queries."""
    lines = [
        message | {"kind": "message"}
        for message in ticket_stream.snapshot(ticket, staff=True)["data"]["messages"]
    ]
    found = ticket.events.filter(seq__lte=ticket.last_seq).exclude(type__in=ticket_stream.TALK)
    for event in found.order_by("seq"):
        says = _way_of_offers(event) or _happened_if_told(event.type, event.data, zone)
        if says:
            lines.append({"seq": event.seq, "at": event.created_at.isoformat(), "says": says})
    return sorted(lines, key=lambda line: line["seq"])


def _way_of_offers(event: TicketEvent) -> str:
    if event.type == ticket_events.OFFERED.name:
        names = Agent.objects.filter(pk__in=event.data["agents"]).values_list("name", flat=True)
        return _("Offered to %(names)s") % {"names": ", ".join(names)}
    if event.type == ticket_events.OFFER_ENDED.name:
        return _("Offer ended: %(how)s") % {"how": OfferState(event.data["state"]).label}
    return ""


def _happened_if_told(kind: str, data: dict[str, Any], zone: tzinfo) -> str:
    try:
        return happened(kind, data, zone)
    except KeyError:  # what no thread tells of, such as a change of place
        return ""


def whispered(ticket: Ticket, data: dict[str, Any]) -> tuple[str, str]:
    """What the agent is told when a team lead has left them a note; nothing of other notes."""
    if data["author"] != Author.LEAD:
        return "", ""
    says = _("%(number)s: a note from %(name)s, team lead. The customer does not see it.")
    return says % {"number": ticket.number, "name": data["author_name"]}, "warn"


def woke(ticket: Ticket, reason: str) -> tuple[str, str]:
    """What the agent is told when a ticket of theirs is awake, and the kind of the notice. Nothing when they woke it."""
    says = {
        sleep.TIME: _("%(number)s is back: its time has come."),
        sleep.CUSTOMER: _("%(number)s is back: the customer has written."),
    }.get(reason)
    return (says % {"number": ticket.number}, "warn") if says else ("", "")


def clock(moment: str, zone: tzinfo) -> str:
    """A time of today, or a day with its time."""
    at = parse_datetime(moment)
    if at is None:
        return ""
    local = at.astimezone(zone)
    time = date_format(local, "H:i")
    today = local.date() == timezone.now().astimezone(zone).date()
    return time if today else f"{date_format(local, 'SHORT_DATE_FORMAT')}, {time}"


def _triaged(data: dict[str, Any]) -> str:
    """Which topic the machine has set, and how sure it was; or what it would have guessed."""
    names = {
        "topic": topic_name(data["guess"]),
        "percent": data["percent"],
        "model": data["model"],
    }
    if data["topic"] is not None:
        return _("Topic set by a machine: “%(topic)s”, %(percent)s %% sure (model %(model)s)") % names
    return _("Topic left open: perhaps “%(topic)s”, %(percent)s %% sure (model %(model)s)") % names


def _phrased(data: dict[str, Any]) -> str:
    """Whether the assistant's answer was put in other words, or why not."""
    names = {"model": data["model"], "why": Phrasing(data["phrasing"]).label}
    if data["phrasing"] == Phrasing.REPHRASED:
        return (
            _("The language model %(model)s has put the article in other words, beside the quotation") % names
        )
    return _("The article was quoted alone: %(why)s (%(model)s)") % names


def topic_name(key: str | None) -> str:
    """In the reader's language; the key itself for a topic that is not offered any more. No query while the topics are kept."""
    if key is None:
        return _("General")
    topic = topics.find(key)
    return topic.name if topic else key


def _pool_name(key: str | None) -> str:
    """What a pool is called; its key when it is gone. One query, none without a key."""
    pool = Pool.objects.filter(key=key).first() if key else None
    return pool.name if pool else key or ""
