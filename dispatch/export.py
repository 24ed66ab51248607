"""Everything stored about an agent, as a ZIP: for each matter a JSON file for programs and a CSV file for people, and a README.

Which matters there are: SECTIONS, and dispatch/personal.py says of every place in the database where it is. Customers' names,
addresses and texts, and colleagues' names are other people's and are not in it; tickets are named by their number.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.db.models.fields import BinaryField, Field
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents import rights
from agents.models import (
    Agent,
    AgentSkill,
    Answer,
    Appeal,
    Application,
    CallWishes,
    DataExport,
    Decision,
    Inquiry,
    Leaving,
    LedgerEntry,
    Notice,
    Payout,
    PayoutAccount,
    PushDevice,
    Shift,
)
from agents.spreadsheets import disarmed
from dispatch import cards
from dispatch.models import (
    Booking,
    Contest,
    DeskKeys,
    Draft,
    Escalation,
    FeedEvent,
    LeadAction,
    Misuse,
    Offer,
    Practice,
    Reveal,
    Review,
    Standing,
    Transfer,
)
from dispatch.quality import ratings_of
from tickets import masking
from tickets.models import Message, Rating, Ticket

Row = dict[str, Any]
Extra = tuple[str, str | Promise, Callable[[Any], Any]]  # key, what people call it, how it is read

# Never in an export: secrets, other people, and what is only how it is stored.
HIDDEN = frozenset(
    {
        "id",
        "password",
        "iban_sealed",
        "content",
        "token",
        "key",
        "digest",
        "intake_key",
        "intake_digest",
        "public_id",
    }
    | {
        "profile_version",
        "access_version",
        "version_before",
        "is_staff",
        "is_superuser",
        "agent",
        "user",
        "customer",
        "author_user",
    }
    | {"decided_by", "answered_by", "author", "reviewer", "settled_by", "made_by", "approved_by", "by"}
)


@dataclass(frozen=True)
class Section:
    """One matter. `rows` are the agent's; a field that points at a ticket is shown by its number, others in words."""

    name: str
    title: str | Promise
    rows: Callable[[Agent], Iterable[Any]]
    extra: tuple[Extra, ...] = ()
    without: tuple[str, ...] = ()


def _of(model: type[Model], *joined: str, by: str = "agent") -> Callable[[Agent], QuerySet[Any]]:
    return lambda agent: (
        model._default_manager.filter(**{by: agent.pk}).select_related(*joined).order_by("pk")
    )


def _devices(agent: Agent) -> QuerySet[Any]:
    """Those that an agent's account is told about alerts on, too."""
    return PushDevice.objects.filter(Q(agent=agent) | Q(user=agent.user_id)).order_by("pk")


def _ticket(read: Callable[[Any], Ticket]) -> Extra:
    return ("ticket", gettext_lazy("ticket"), lambda row: read(row).number)


def _masked(text: str, ticket: Ticket) -> str:
    """Without what is personal of the customer, also where the agent wrote it down: it leaves the house with this file."""
    return masking.mask(text, masking.surnames(ticket.customer.name)).text


def _role(row: Any) -> str:
    return str(_("colleague") if row.by_peer else _("team lead")) if row.written_at else ""


_USER = (
    ("email", gettext_lazy("e-mail"), lambda agent: agent.user.email),
    ("real_name", gettext_lazy("real name"), lambda agent: agent.user.name),
    ("language_of_mail", gettext_lazy("language"), lambda agent: agent.user.language),
    ("joined", gettext_lazy("account since"), lambda agent: agent.user.date_joined),
    ("last_login", gettext_lazy("last log-in"), lambda agent: agent.user.last_login),
    ("pools", gettext_lazy("pools"), lambda agent: [pool.name for pool in agent.pools.all()]),
    ("groups", gettext_lazy("groups"), lambda agent: [group.name for group in agent.user.groups.all()]),
    (
        "administers",
        gettext_lazy("pools that they administer"),
        lambda agent: [pool.name for pool in agent.user.administers.all()],
    ),
    (
        "permissions",
        gettext_lazy("permissions"),
        lambda agent: [str(one) for one in agent.user.user_permissions.all()],
    ),
)

SECTIONS: tuple[Section, ...] = (
    Section("profile", gettext_lazy("Profile"), _of(Agent, "user", by="pk"), _USER),
    Section("application", gettext_lazy("Application"), _of(Application)),
    Section("skills", gettext_lazy("Skills and certificates"), _of(AgentSkill, "skill")),
    Section(
        "learning",
        gettext_lazy("Learning: every question you answered"),
        _of(Answer, "attempt__quiz__skill", "question", by="attempt__agent"),
        (
            ("quiz", gettext_lazy("quiz"), lambda row: row.attempt.quiz.skill.name),
            ("started_at", gettext_lazy("started"), lambda row: row.attempt.started_at),
            ("passed", gettext_lazy("passed"), lambda row: row.attempt.passed),
            (
                "choices",
                gettext_lazy("chosen"),
                lambda row: [one.text for one in row.question.choices.all() if one.pk in (row.chosen or [])],
            ),
        ),
        ("attempt", "order", "chosen"),
    ),
    Section("practice", gettext_lazy("Practice"), _of(Practice, "script", "ticket"), without=("shift",)),
    Section("decisions", gettext_lazy("What people decided about you"), _of(Decision)),
    Section(
        "appeals",
        gettext_lazy("Your appeals"),
        _of(Appeal, "decision", by="decision__agent"),
    ),
    Section("shifts", gettext_lazy("Shifts"), _of(Shift)),
    Section(
        "offers",
        gettext_lazy("Offers, with their reasons"),
        _of(Offer, "ticket__topic", "run__pool"),
        (
            ("topic", gettext_lazy("topic"), lambda row: row.ticket.topic.name if row.ticket.topic else ""),
            ("pool", gettext_lazy("pool"), lambda row: row.run.pool.name if row.run else ""),
            (
                "reasons",
                gettext_lazy("reasons"),
                lambda row: cards.why_lines(row, translation.get_language() or "en"),
            ),
        ),
        ("shift", "run"),
    ),
    Section(
        "messages",
        gettext_lazy("Messages and notes you wrote"),
        _of(Message, "ticket__customer", by="author_user__agent"),
        (("body", gettext_lazy("text"), lambda row: _masked(row.body, row.ticket)),),
    ),
    Section(
        "ratings",
        gettext_lazy("Ratings of your tickets"),
        lambda agent: (
            Rating.objects.filter(pk__in=[one.rating_id for one in ratings_of(agent.pk)])
            .select_related("ticket__customer")
            .order_by("pk")
        ),
        (("comment", gettext_lazy("comment"), lambda row: _masked(row.comment, row.ticket)),),
    ),
    Section(
        "reviews",
        gettext_lazy("Reviews of your tickets"),
        _of(Review, "offer__ticket"),
        (_ticket(lambda row: row.offer.ticket), ("role", gettext_lazy("by"), _role)),
        ("offer",),
    ),
    Section(
        "reviews-written",
        gettext_lazy("Reviews you wrote"),
        _of(Review, "offer__ticket", by="reviewer__agent"),
        (_ticket(lambda row: row.offer.ticket),),
        ("offer",),
    ),
    Section(
        "reveals",
        gettext_lazy("Personal data of customers that you had shown"),
        _of(Reveal, "ticket", by="by__agent"),
    ),
    Section(
        "lead-acts",
        gettext_lazy("What team leads did about you"),
        _of(LeadAction, "ticket__customer"),
        (
            (
                "why",
                gettext_lazy("why"),
                lambda row: _masked(row.why, row.ticket) if row.ticket else row.why,
            ),
        ),
        without=("data", "key", "digest"),
    ),
    Section("contests", gettext_lazy("Your contests"), _of(Contest), without=("rating", "review")),
    Section("bookings", gettext_lazy("Booked hours"), _of(Booking, "hour__pool")),
    Section(
        "devices",
        gettext_lazy("Devices that are called"),
        _devices,
        (("alerts", gettext_lazy("is told about alerts"), lambda row: row.user_id is not None),),
        without=("endpoint", "p256dh", "auth"),
    ),
    Section("calls", gettext_lazy("When you are called"), _of(CallWishes)),
    Section("standing", gettext_lazy("Figures that matching uses"), _of(Standing)),
    Section("ledger", gettext_lazy("Ledger"), _of(LedgerEntry)),
    Section("payouts", gettext_lazy("Payouts"), _of(Payout, "run")),
    Section("payout-details", gettext_lazy("Payout details, masked"), _of(PayoutAccount)),
    Section(
        "escalations", gettext_lazy("Tickets you asked team leads to look at"), _of(Escalation, "ticket")
    ),
    Section(
        "misuse",
        gettext_lazy("Tickets you ended as spam or abuse"),
        _of(Misuse, "ticket", by="offer__agent"),
        without=("offer", "address", "settled_by"),
    ),
    Section("transfers", gettext_lazy("Tickets passed on to you by name"), _of(Transfer, "ticket", "pool")),
    Section("drafts", gettext_lazy("Drafts"), _of(Draft, "ticket")),
    Section("keys", gettext_lazy("Keys of the console"), _of(DeskKeys)),
    Section("events", gettext_lazy("Events of your console"), _of(FeedEvent)),
    Section("questions", gettext_lazy("Your questions to a person"), _of(Inquiry)),
    Section("notices", gettext_lazy("Notices"), _of(Notice)),
    Section("exports", gettext_lazy("Your data exports"), _of(DataExport)),
    Section("leaving", gettext_lazy("Leaving"), _of(Leaving), without=("steps_done",)),
)


def export_make(*, export_id: int) -> bool:
    """Make the file that was asked for. Outermost. False when it is there already, or nobody wants it any more."""
    asked = (
        DataExport.objects.select_related("agent__user").filter(pk=export_id, made_at__isnull=True).first()
    )
    if asked is None:
        return False
    return rights.export_keep(export_id=export_id, content=pack(asked.agent, asked.language))


def pack(agent: Agent, language: str) -> bytes:
    """The ZIP, in this language. A query or two a section."""
    out = io.BytesIO()
    with translation.override(language), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        counts = []
        for section in SECTIONS:
            heads, rows = _table(section, agent)
            counts.append({"name": section.name, "title": str(section.title), "rows": len(rows)})
            archive.writestr(
                f"{section.name}.json", json.dumps(rows, ensure_ascii=False, indent=1, default=_plain)
            )
            archive.writestr(f"{section.name}.csv", _csv(heads, rows))
        archive.writestr(
            "README.txt",
            render_to_string(
                "dispatch/mail/export_readme.txt",
                {
                    "sections": counts,
                    "agent": agent,
                    "brand": settings.BRAND,
                    "now": timezone.now(),
                    "kept_days": rights.EXPORT_KEPT.days,
                },
            ),
        )
    return out.getvalue()


def _table(section: Section, agent: Agent) -> tuple[dict[str, str], list[Row]]:
    """(key → what people call it, rows) of a section."""
    found = list(section.rows(agent))
    fields = [
        field
        for field in (found[0]._meta.concrete_fields if found else [])
        if field.name not in HIDDEN | set(section.without) and not isinstance(field, BinaryField)
    ]
    heads = {field.name: str(field.verbose_name) for field in fields}
    heads |= {name: str(title) for name, title, _read in section.extra}
    return heads, [
        {field.name: _value(row, field) for field in fields}
        | {name: read(row) for name, _title, read in section.extra}
        for row in found
    ]


def _value(row: Model, field: "Field[Any, Any]") -> Any:
    if field.is_relation:
        other = getattr(row, field.name)
        return other.number if isinstance(other, Ticket) else None if other is None else str(other)
    return getattr(row, field.name)


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _csv(heads: dict[str, str], rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads.values())
    for row in rows:
        writer.writerow([_cell(row[name]) for name in heads])
    return "\ufeff" + out.getvalue()  # the mark without which spreadsheets take UTF-8 for something else


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        text = " · ".join(map(str, value))
    else:
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return text if isinstance(value, int | float) else disarmed(text)
