"""The parts of the console, drawn from the state of now: the page, the socket and the answers to commands share them.

An event's fragment redraws the parts that it may have changed. So an old event drawn late does no harm, and a part that was
missed is right again with the next one. Parts carry htmx's out-of-band attributes; parts with `data-once` are left as they
are when the page has them already (a composer that somebody types in is never replaced).
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.models import Agent, EndReason, Pool, Shift, ShiftState
from dispatch import cards, looks
from dispatch.automatic import UNANSWERED
from dispatch.drawing import draw
from dispatch.events import (
    OFFER_CANCELLED,
    OFFER_DECLINED,
    OFFER_EXPIRED,
    OFFER_MADE,
    OFFER_RESCINDED,
    OFFER_REVOKED,
)
from dispatch.looks import Look
from dispatch.offers import DEADLINE, MISSED
from dispatch.passing import TRANSFERRED
from dispatch.resolving import CUSTOMER, UNDO_SECONDS
from dispatch.templatetags.console import money
from dispatch.wrap_up import TIME
from tickets import events
from tickets import stream as ticket_stream
from tickets.models import Channel, Ticket, TicketEvent

REDRAW_LIMIT = 40  # events of a stream; who is further behind gets the whole state at once

# What is told in a thread beside messages and notes. The way of the offers is the decision log's matter.
TOLD = (
    events.OPENED,
    events.HUMAN_REQUESTED,
    events.HELD,
    events.RELEASED,
    events.TRANSFERRED,
    events.ESCALATED,
    events.ESCALATION_SETTLED,
    events.AGENT_LOST,
    events.AGENT_BACK,
    events.RESOLVED,
    events.REOPENED,
    events.CLOSED,
    events.RATED,
)
# Events of an agent's own stream that are drawn from a look alone, without another question to the database.
OF_A_LOOK = frozenset(
    event.name
    for event in (OFFER_MADE, OFFER_DECLINED, OFFER_EXPIRED, OFFER_RESCINDED, OFFER_REVOKED, OFFER_CANCELLED)
)

_TOLD_NAMES = [event.name for event in TOLD]


def of(agent: Agent, frame: ticket_stream.Frame, look: Look | None = None) -> str:
    """HTML for an event or snapshot of the agent's own stream or of a ticket that they hold; "" when it shows nothing.

    `look`: how things stand, when the caller has just looked.
    """
    if frame["stream"].startswith("agent:"):
        return _of_agent(agent, frame, look)
    return _of_ticket(agent, frame)


def _of_agent(agent: Agent, frame: ticket_stream.Frame, look: Look | None) -> str:
    if frame["type"] in OF_A_LOOK:
        words, kind = notice(frame, None)
        seen = _seen(look or looks.look(agent.pk))
        return draw("of_a_look", seen | {"oob": True, "notice": words, "notice_kind": kind})
    context: dict[str, Any] = {"frame": frame, "agent": agent, "oob": True}
    if frame["type"] != "ledger.credited":
        look = look or looks.look(agent.pk)
        whole = frame["type"] in ("snapshot", "shift.changed", "auto_accept.changed")
        context |= offers(look, oob=True, within=whole)
        if whole:
            context |= presence(agent, look)
    if frame["type"] in ("snapshot", "ledger.credited", "shift.changed"):
        context["earnings"] = cards.earnings(agent.pk)
    if frame["type"] == "snapshot":
        context["desk"] = desk(agent)
        context["redraw"] = [one for one in context["desk"] if one["wrapping"]]
        context["heads"] = [one for one in context["desk"] if not one["wrapping"]]
    if frame["type"] == "offer.accepted":
        context["desk"] = desk(agent, frame["data"]["ticket"])
    about = None
    if frame["type"] in ("offer.completed", "offer.released", "wrap_up.ended"):
        about = Ticket.objects.filter(public_id=frame["data"]["ticket"]).first()
        # In its wrap-up it stays on the desk, for notes.
        context["redraw"] = desk(agent, frame["data"]["ticket"])
        context["gone"] = None if context["redraw"] else about
    if frame["type"] in ("resolve.planned", "resolve.undone"):
        context["heads"] = desk(agent, frame["data"]["ticket"])
    if frame["type"] == "attention.changed":
        context["changed"] = desk(agent, frame["data"]["ticket"])
    taken = context["desk"][0] if frame["type"] == "offer.accepted" and context["desk"] else None
    context["notice"], context["notice_kind"] = notice(frame, about, taken)
    return render_to_string("dispatch/fragments/agent_event.html", context)


def _of_ticket(agent: Agent, frame: ticket_stream.Frame) -> str:
    if frame["type"] not in ("snapshot", "message.posted", "note.added", *_TOLD_NAMES):
        return ""
    found = cards.on_desk(agent.pk, frame["stream"].removeprefix("ticket:"))
    if not found:  # it has left the desk meanwhile, which the agent's own stream tells
        return ""
    context: dict[str, Any] = {"frame": frame, "agent": agent, "ticket": found[0].ticket, "oob": True}
    context["entry"] = entry(found[0])
    if frame["type"] in ("message.posted", "note.added"):
        context["item"] = {
            "seq": frame["seq"],
            "at": frame["at"],
            "internal": frame["type"] == "note.added",
        } | frame["data"]
    elif frame["type"] != "snapshot":
        context["item"] = {
            "seq": frame["seq"],
            "at": frame["at"],
            "says": happened(frame["type"], frame["data"]),
        }
    return render_to_string("dispatch/fragments/ticket_event.html", context)


def presence(agent: Agent, look: Look) -> dict[str, Any]:
    """Context of the switch. No query, one when the agent is offline."""
    shift = look.shift
    last = None if shift else Shift.objects.filter(agent=agent).order_by("-epoch").first()
    return {
        "auto_accept": look.auto_accept,
        "unanswered": shift is not None and shift.state == ShiftState.PAUSED and shift.reason == UNANSWERED,
        "missed": shift is not None and shift.state == ShiftState.PAUSED and shift.reason == MISSED,
        "ended_by": last.end_reason
        if last and last.end_reason in (EndReason.LEASE, EndReason.FORCED)
        else "",
        "choices": _choices(shift.state if shift else "offline"),
        "form_key": uuid.uuid4().hex,
    }


def offers(
    look: Look, *, oob: bool = False, within: bool = True, request: HttpRequest | None = None
) -> dict[str, Any]:
    """Context of the switch, the capacity and the open offers, the last two drawn. `oob`: for a page that is there already.
    `within`: the capacity is drawn as a part of the switch. No query.
    """
    seen = _seen(look)
    return {name: seen[name] for name in ("shift", "state", "epoch")} | {
        "capacity_html": draw("capacity", seen | {"oob": oob and not within}),
        "offers_html": draw("offers", seen | {"oob": oob}, request),
    }


def _seen(look: Look) -> dict[str, Any]:
    """What the drawn parts show of a look."""
    shift = look.shift
    language = get_language() or "en"
    names = dict(settings.LANGUAGES)
    return {
        "shift": shift,
        "state": shift.state if shift else "offline",
        "epoch": shift.epoch if shift else 0,
        "used_percent": round(100 * shift.units_taken / shift.units) if shift else 0,
        "offers": [
            cards.card(row, look.plan, language)
            | {"seconds": row.seconds, "language_name": names.get(row.language, row.language)}
            for row in look.cards
        ],
        "reasons_decline": reasons_decline() if look.cards else {},
    }


def _choices(state: str) -> list[dict[str, Any]]:
    """The four positions of the switch, in the order of the screen."""
    here = {"online": "online", "paused": "pause", "finishing": "finish", "offline": "offline"}[state]
    return [
        {
            "action": action,
            "name": name,
            "chosen": action == here,
            "possible": action == "online" or state != "offline",
        }
        for action, name in (
            ("online", _("Online")),
            ("pause", _("Pause")),
            ("finish", _("Finishing")),
            ("offline", _("Offline")),
        )
    ]


def desk(agent: Agent, public_id: str | None = None) -> list[dict[str, Any]]:
    """One entry a ticket that is held or wrapped up, the longest first; or that of one ticket, if it is."""
    return [entry(one) for one in cards.on_desk(agent.pk, public_id)]


def entry(one: cards.OnDesk) -> dict[str, Any]:
    """What the desk shows of a ticket. Three queries.

    `waiting_at` is when the customer wrote what nobody answered yet, `answered_at` when the last word was the agent's.
    """
    ticket, offer, wrap_left, resolve_left, escalated = one
    wrap_total = (
        (offer.wrap_until - offer.ended_at).total_seconds() if offer.wrap_until and offer.ended_at else 0.0
    )
    snapshot = ticket_stream.snapshot(ticket, staff=True)
    messages = snapshot["data"]["messages"]
    last = next((message for message in reversed(messages) if not message["internal"]), None)
    told = [
        {"seq": seq, "at": at, "says": happened(kind, data)}
        for seq, kind, data, at in TicketEvent.objects.filter(
            ticket=ticket, type__in=_TOLD_NAMES, seq__lte=snapshot["seq"]
        ).values_list("seq", "type", "data", "created_at")
    ]
    return {
        "ticket": ticket,
        "seq": snapshot["seq"],
        "items": sorted([*messages, *told], key=lambda item: item["seq"]),
        "notes": [message for message in messages if message["internal"]],
        "waiting_at": _unanswered(messages),
        "answered_at": last["at"] if last and last["author"] == "agent" else None,
        "silent": offer.silent_since is not None,
        "read": ticket.read_by_customer,
        "escalated": escalated,
        "resolving": resolve_left is not None,
        "resolve_left": f"{max(resolve_left or 0.0, 0.0):.1f}",
        "resolve_total": UNDO_SECONDS,
        "wrapping": wrap_left is not None,
        "wrap_left": f"{max(wrap_left or 0.0, 0.0):.1f}",
        "wrap_total": round(wrap_total),
        "last": last,
        "offer": cards.accepted(offer, get_language() or "en"),
        "language_name": dict(settings.LANGUAGES).get(ticket.language, ticket.language),
        "customer_name": ticket.customer.name,
        "reasons_back": reasons_back(),
        "form_key": uuid.uuid4().hex,
    }


def _unanswered(messages: Sequence[dict[str, Any]]) -> str | None:
    """Time of the first message of the customer that no agent's message came after."""
    since = None
    for message in messages:
        if message["author"] == "agent" and not message["internal"]:
            since = None
        elif message["author"] == "customer" and since is None:
            since = message["at"]
    return since


def notice(  # noqa: PLR0911  a table
    frame: ticket_stream.Frame, about: Ticket | None, taken: dict[str, Any] | None = None
) -> tuple[str, str]:
    """What the agent is told of an event in one sentence, and its kind: good, warn or "". Empty when the page says it.

    `about`: the ticket that was with them; `taken`: the entry of the one that is now.
    """
    reason = frame["data"].get("reason", "")
    number = about.number if about else ""
    match frame["type"]:
        case "offer.rescinded":
            return _("Another agent was faster. Nothing counts against you."), ""
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


def happened(kind: str, data: dict[str, Any]) -> str:
    """An event of a ticket in words."""
    name = data.get("agent_name", "")
    reason = data.get("reason", "")
    says = {
        "ticket.opened": _("Opened in the web form")
        if data.get("channel") == Channel.FORM
        else _("Opened by the API"),
        "ticket.human_requested": _("The customer asked for a person"),
        "ticket.held": _("%(name)s has taken the ticket") % {"name": name},
        "ticket.released": _("Back in the queue"),
        "ticket.transferred": _("%(name)s passed it on to %(to)s")
        % {"name": data.get("by", ""), "to": data.get("agent_name") or _pool_name(data.get("pool"))},
        "ticket.escalated": _("%(name)s has asked a team lead") % {"name": name},
        "ticket.escalation_settled": _("%(name)s has looked at it") % {"name": data.get("lead_name", "")},
        "ticket.agent_lost": _("Connection to the agent lost; the ticket stays theirs for a moment"),
        "ticket.agent_back": _("The agent is connected again"),
        "ticket.resolved": _("Resolved"),
        "ticket.reopened": _("The customer opened the ticket again"),
        "ticket.closed": _("The customer closed the ticket"),
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


def _pool_name(key: str | None) -> str:
    """What a pool is called; its key when it is gone. One query, none without a key."""
    pool = Pool.objects.filter(key=key).first() if key else None
    return pool.name if pool else key or ""
