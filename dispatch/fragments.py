"""The parts of the console, drawn from the state of now: the page, the socket and the answers to commands share them.

An event's fragment redraws the parts that it may have changed. So an old event drawn late does no harm, and a part that was
missed is right again with the next one. Parts carry htmx's out-of-band attributes; parts with `data-once` are left as they
are when the page has them already (a composer that somebody types in is never replaced).
"""

import uuid
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from agents.models import Agent, EndReason, Shift, ShiftState
from dispatch import cards, looks, merging
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
from dispatch.offers import MISSED
from dispatch.resolving import UNDO_SECONDS
from dispatch.targets import target_of
from dispatch.words import clock, happened, notice, reasons_back, reasons_decline, topic_name, whispered, woke
from tickets import events, masking, topics
from tickets import stream as ticket_stream
from tickets.models import Ticket, TicketEvent

REDRAW_LIMIT = 40  # events of a stream; who is further behind gets the whole state at once

# What is told in a thread beside messages and notes. The way of the offers is the decision log's matter.
TOLD = (
    events.OPENED,
    events.TRIAGED,
    events.TOPIC_CHANGED,
    events.HUMAN_REQUESTED,
    events.ANSWER_JUDGED,
    events.HANDED_OVER,
    events.HELD,
    events.RELEASED,
    events.TRANSFERRED,
    events.ESCALATED,
    events.ESCALATION_SETTLED,
    events.SNOOZED,
    events.WOKE,
    events.LEFT_ASLEEP,
    events.ENDED,
    events.MERGED,
    events.TOOK_IN,
    events.RESTORED,
    events.MISUSE_CONFIRMED,
    events.REVEALED,
    events.AGENT_LOST,
    events.AGENT_BACK,
    events.RESOLVED,
    events.REOPENED,
    events.CLOSED,
    events.RATED,
    events.MAILED,
    events.MAIL_FAILED,
    events.MAILS_CHOSEN,
)
# Events of an agent's own stream that are drawn from a look alone, without another question to the database.
OF_A_LOOK = frozenset(
    event.name
    for event in (OFFER_MADE, OFFER_DECLINED, OFFER_EXPIRED, OFFER_RESCINDED, OFFER_REVOKED, OFFER_CANCELLED)
)

_TOLD_NAMES = [event.name for event in TOLD]


def of(
    agent: Agent,
    frame: ticket_stream.Frame,
    look: Look | None = None,
    desk: Sequence[cards.OnDesk] | None = None,
) -> str:
    """HTML for an event or snapshot of the agent's own stream or of a ticket that they hold; "" when it shows nothing.
    By the agent's clock.

    `look` and `desk`: how things stand, when the caller has just looked.
    """
    with timezone.override(agent.zone):
        if frame["stream"].startswith("agent:"):
            return _of_agent(agent, frame, look, desk)
        return _of_ticket(agent, frame)


def _of_agent(
    agent: Agent, frame: ticket_stream.Frame, look: Look | None, held: Sequence[cards.OnDesk] | None
) -> str:
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
        context["earnings"] = cards.earnings(agent.pk, agent.zone)
    if frame["type"] == "snapshot":
        context["desk"] = desk(agent) if held is None else [entry(one, agent) for one in held]
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
    context["entry"] = entry(found[0], agent)
    if frame["type"] in ("ticket.snoozed", "ticket.woke", "snapshot"):
        context["head"] = True  # its buttons are others now
    if frame["type"] == "ticket.woke":
        context["notice"], context["notice_kind"] = woke(found[0].ticket, frame["data"]["reason"])
    if frame["type"] == "note.added":
        context["notice"], context["notice_kind"] = whispered(found[0].ticket, frame["data"])
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
            "says": happened(frame["type"], frame["data"], agent.zone),
        }
    return render_to_string("dispatch/fragments/ticket_event.html", context)


def presence(agent: Agent, look: Look) -> dict[str, Any]:
    """Context of the switch. No query, one when the agent is offline."""
    shift = look.shift
    last = None if shift else Shift.objects.filter(agent=agent).order_by("-epoch").first()
    return {
        "practice": shift is not None and shift.practice,
        "practised": last is not None and last.practice,
        "auto_accept": look.auto_accept,
        "unanswered": shift is not None and shift.state == ShiftState.PAUSED and shift.reason == UNANSWERED,
        "missed": shift is not None and shift.state == ShiftState.PAUSED and shift.reason == MISSED,
        "ended_by": last.end_reason
        if last and last.end_reason in (EndReason.LEASE, EndReason.FORCED, EndReason.FINISHED)
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
    names = _language_names(language)
    return {
        "shift": shift,
        "state": shift.state if shift else "offline",
        "epoch": shift.epoch if shift else 0,
        "used_percent": round(100 * shift.units_taken / shift.units) if shift else 0,
        "offers": [
            cards.card_of(row, look, language)
            | {"seconds": row.seconds, "language_name": names.get(row.language, row.language)}
            for row in look.cards
        ],
        "reasons_decline": _options(language) if look.cards else "",
    }


@cache
def _language_names(language: str) -> dict[str, str]:
    with translation.override(language):
        return {code: str(name) for code, name in settings.LANGUAGES}


@cache
def _options(language: str) -> SafeString:
    """Why an offer may be declined, to choose from."""
    with translation.override(language):
        return format_html_join("", '<option value="{}">{}</option>', reasons_decline().items())


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
    return [entry(one, agent) for one in cards.on_desk(agent.pk, public_id)]


def entry(one: cards.OnDesk, agent: Agent) -> dict[str, Any]:
    """What the desk shows of a ticket, what is personal in it hidden. Three queries; four when its customer has others.

    `waiting_at` is when the customer wrote what nobody answered yet, `target` by when somebody should, `answered_at` when the
    last word was the agent's.
    """
    ticket, offer, wrap_left, resolve_left, escalated, others = one
    wrap_total = (
        (offer.wrap_until - offer.ended_at).total_seconds() if offer.wrap_until and offer.ended_at else 0.0
    )
    snapshot = ticket_stream.snapshot(ticket, staff=True, reader_id=agent.user_id)
    messages = snapshot["data"]["messages"]
    last = next((message for message in reversed(messages) if not message["internal"]), None)
    waiting_at = _unanswered(messages)
    told_by = list(
        TicketEvent.objects.filter(ticket=ticket, type__in=_TOLD_NAMES, seq__lte=snapshot["seq"]).values_list(
            "seq", "type", "data", "created_at"
        )
    )
    told = [
        {"seq": seq, "at": at, "says": happened(kind, data, offer.agent.zone)}
        for seq, kind, data, at in told_by
    ]
    return {
        "ticket": ticket,
        "seq": snapshot["seq"],
        "items": sorted([*messages, *told], key=lambda item: item["seq"]),
        "notes": [message for message in messages if message["internal"]],
        "waiting_at": waiting_at,
        "target": target_of(ticket, waiting_at) if wrap_left is None and not ticket.wakes_at else None,
        "answered_at": last["at"] if last and last["author"] == "agent" else None,
        "silent": offer.silent_since is not None,
        "read": ticket.read_by_customer,
        "escalated": escalated,
        "wakes": clock(ticket.wakes_at.isoformat(), offer.agent.zone) if ticket.wakes_at else "",
        "resolving": resolve_left is not None,
        "resolve_left": f"{max(resolve_left or 0.0, 0.0):.1f}",
        "resolve_total": UNDO_SECONDS,
        "wrapping": wrap_left is not None,
        "wrap_left": f"{max(wrap_left or 0.0, 0.0):.1f}",
        "wrap_total": round(wrap_total),
        "last": last,
        "offer": cards.accepted(offer, get_language() or "en"),
        "language_name": dict(settings.LANGUAGES).get(ticket.language, ticket.language),
        "customer_name": masking.mask_name(ticket.customer.name),
        "customer_email": masking.mask_email(ticket.customer.email),
        "reasons_back": reasons_back(),
        "topics": topics.active(),
        "triaged": _last_triage(told_by),
        "others": merging.others_of([ticket], agent.pk)[ticket.pk] if others else [],
        "taken_in": [data for _seq, kind, data, _at in told_by if kind == events.TOOK_IN.name],
        "form_key": uuid.uuid4().hex,
    }


def _last_triage(told: Sequence[tuple[int, str, dict[str, Any], Any]]) -> dict[str, Any] | None:
    """What the machine said of the topic, while nobody has put it right."""
    found = None
    for _seq, kind, data, _at in told:
        if kind == events.TRIAGED.name:
            found = data | {"guess_name": topic_name(data["guess"])}
        elif kind == events.TOPIC_CHANGED.name:
            found = None
    return found


def _unanswered(messages: Sequence[dict[str, Any]]) -> str | None:
    """Time of the first message of the customer that no agent's message came after."""
    since = None
    for message in messages:
        if message["author"] == "agent" and not message["internal"]:
            since = None
        elif message["author"] == "customer" and since is None:
            since = message["at"]
    return since
