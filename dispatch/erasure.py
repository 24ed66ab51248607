"""Erasing an agent who has asked for it: what must be kept by law stays without a name, everything else about them goes.

In steps, each a transaction of its own and each without effect when it has been done, so that a worker may die anywhere and the
next one goes on; what is done is written down with the request (Leaving.steps_done). The names that are looked for are those
of the account, so the account is emptied last.

What only grows (ledger, decisions, timelines, payouts) is guarded by triggers. They let the words through, and nothing else,
in a transaction that says it is erasing (ADR 21).
"""

import json
import re
from collections.abc import Callable, Iterable
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import translation
from django.utils.translation import gettext as _

from agents.accounts import access_withdraw
from agents.models import (
    Agent,
    AgentSkill,
    Appeal,
    Application,
    Attempt,
    CallWishes,
    DataExport,
    Decision,
    Inquiry,
    Leaving,
    LedgerEntry,
    Letter,
    Notice,
    Payout,
    PayoutAccount,
    PayoutRun,
    PayoutState,
    PushDevice,
    RunState,
    Shift,
    User,
)
from dispatch import hours, leaving
from dispatch.models import (
    Booking,
    Change,
    Contest,
    DeskKeys,
    Draft,
    Escalation,
    Feed,
    FeedEvent,
    LeadAction,
    Misuse,
    Offer,
    Practice,
    Reveal,
    Review,
    Standing,
)
from tickets import timeline
from tickets.erasing import GONE
from tickets.models import Message, Rating, Ticket, TicketEvent

RECORDS_KEPT = timedelta(days=3653)  # files for the bank and statements: ten years, § 147 AO, § 257 HGB


def due_ids() -> list[int]:
    """Agents who are to be erased now: the time to think it over has passed, and they hold and are owed nothing. Outermost."""
    asked = Leaving.objects.filter(erase_at__lte=Now(), left_at__isnull=False, erased_at__isnull=True)
    return [agent_id for agent_id in asked.values_list("pk", flat=True) if not waits_for_pay(agent_id)]


def waits_for_pay(agent_id: int) -> bool:
    """Whether money is still to be paid or on its way. Never true for who has no payout details any more."""
    on_its_way = Payout.objects.filter(agent_id=agent_id, state=PayoutState.OPEN).exclude(
        run__state=RunState.DISCARDED
    )
    if on_its_way.exists():
        return True
    owed = any(cents > 0 for _currency, cents in leaving.owed(agent_id))
    return owed and PayoutAccount.objects.filter(agent_id=agent_id).exists()


def erase(*, agent_id: int) -> bool:
    """Erase them, from wherever it was left. Outermost. False when it is not due, or done already."""
    if agent_id not in due_ids():
        return False
    names = _names(agent_id)
    for step, act in STEPS.items():
        with timeline.command():
            Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
            going = Leaving.objects.filter(pk=agent_id, erased_at__isnull=True, erase_at__lte=Now()).first()
            if going is None:  # withdrawn meanwhile, or another worker was faster
                return False
            if step in going.steps_done:
                continue
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('standby.erasing', 'on', true)")  # until this commits
            act(agent_id, names)
            going.steps_done.append(step)
            going.save(update_fields=["steps_done"])
            if step == LAST:
                Leaving.objects.filter(pk=agent_id).update(erased_at=Now())
    return True


def records_expire() -> int:
    """The banks' files of runs that are older than must be kept. Outermost. Returns how many."""
    with timeline.command():
        old = PayoutRun.objects.filter(exported_at__lt=Now() - RECORDS_KEPT).exclude(file_sealed="")
        return old.update(file_sealed="")


# --- Names ------------------------------------------------------------------------------------------------------------


def _names(agent_id: int) -> list[str]:
    """Everything that the person was called here, the longest first. Four queries."""
    agent = Agent.objects.select_related("user").get(pk=agent_id)
    found = {agent.name, agent.user.name, agent.user.email}
    found |= set(Message.objects.filter(author_user=agent.user_id).values_list("author_name", flat=True))
    found |= set(Payout.objects.filter(agent_id=agent_id).values_list("holder", flat=True))
    for application in Application.objects.filter(agent_id=agent_id):
        found |= {application.name, application.real_name, application.email}
    for account in PayoutAccount.objects.filter(agent_id=agent_id):
        found.add(account.holder)
    whole = {name for name in found if name}
    # Somebody is thanked by the first name only, or written to by the last.
    parts = {part for name in whole if "@" not in name for part in name.split() if len(part) > 2}
    return sorted(whole | parts, key=lambda name: (-len(name), name))


def _pattern(names: Iterable[str]) -> "re.Pattern[str]":
    return re.compile(r"(?<!\w)(?:" + "|".join(re.escape(name) for name in names) + r")(?!\w)", re.IGNORECASE)


def former(language: str) -> str:
    """What an erased agent is called in texts of this language."""
    with translation.override(language):
        return _("a former agent")


def _without_names(
    rows: models.QuerySet[models.Model], field: str, names: list[str], language: str = "en"
) -> None:
    """Put `former()` wherever one of the names stands in this field of these rows."""
    pattern, instead = _pattern(names), former(language)
    for pk, text in list(rows.order_by("pk").values_list("pk", field)):
        said = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
        put = pattern.sub(instead, said)
        if put != said:
            rows.model._default_manager.filter(pk=pk).update(
                **{field: put if isinstance(text, str) else json.loads(put)}
            )


# --- Steps ------------------------------------------------------------------------------------------------------------


def _desk(agent_id: int, _names: list[str]) -> None:
    """What is nobody's but theirs."""
    hours.bookings_give_back(agent_id)
    for rows in (
        Draft.objects.filter(agent_id=agent_id),
        PushDevice.objects.filter(Q(agent_id=agent_id) | Q(user__agent=agent_id)),
        CallWishes.objects.filter(agent_id=agent_id),
        Booking.objects.filter(agent_id=agent_id),
        DeskKeys.objects.filter(agent_id=agent_id),
        Standing.objects.filter(agent_id=agent_id),
        FeedEvent.objects.filter(agent_id=agent_id),
        Feed.objects.filter(agent_id=agent_id),
        DataExport.objects.filter(agent_id=agent_id),
        Inquiry.objects.filter(agent_id=agent_id),
        AgentSkill.objects.filter(agent_id=agent_id),
        Attempt.objects.filter(agent_id=agent_id),
    ):
        rows.delete()
    Reveal.objects.filter(by__agent=agent_id).exclude(words="").update(words="")
    LeadAction.objects.filter(agent_id=agent_id).update(why=GONE)
    Practice.objects.filter(agent_id=agent_id).update(points=[])
    Shift.objects.filter(agent_id=agent_id).exclude(reason="").update(reason="")
    Offer.objects.filter(agent_id=agent_id, state="declined").exclude(reason="").update(reason="")


def _tickets(agent_id: int, names: list[str]) -> None:
    """In all that they worked on: messages keep their text, and no name of theirs."""
    user_id = Agent.objects.values_list("user_id", flat=True).get(pk=agent_id)
    theirs = Ticket.objects.filter(
        Q(pk__in=Offer.objects.filter(agent_id=agent_id).values("ticket_id"))
        | Q(pk__in=Message.objects.filter(author_user_id=user_id).values("ticket_id"))
        | Q(transfer__agent_id=agent_id)
    )
    for ticket in theirs.select_related("customer").order_by("pk"):
        instead = former(ticket.language)
        Message.objects.filter(ticket=ticket, author_user_id=user_id).update(author_name=instead)
        if _pattern(names).fullmatch(ticket.served_by):
            Ticket.objects.filter(pk=ticket.pk).update(served_by=instead)
        # A customer may have the same name; that one stays.
        customers = set(ticket.customer.name.lower().split())
        own = [name for name in names if not customers & set(name.lower().split())]
        for model, fields in _WORDS.items():
            for field in fields if own else ():
                _without_names(model._default_manager.filter(ticket=ticket), field, own, ticket.language)


_WORDS: dict[type[models.Model], tuple[str, ...]] = {
    Message: ("body",),
    TicketEvent: ("data",),
    Rating: ("comment",),
    Escalation: ("reason", "answer"),
    LeadAction: ("why",),
    Misuse: ("note", "answer"),
}


def _judged(agent_id: int, names: list[str]) -> None:
    """Decisions, reviews and contests stay as the record of those who decided, without the words about a person."""
    Appeal.objects.filter(decision__agent_id=agent_id).update(text=GONE)
    Appeal.objects.filter(decision__agent_id=agent_id).exclude(answer="").update(answer=GONE)
    Decision.objects.filter(agent_id=agent_id).update(reason=GONE)
    Contest.objects.filter(agent_id=agent_id).update(text=GONE)
    Contest.objects.filter(agent_id=agent_id).exclude(answer="").update(answer=GONE)
    Review.objects.filter(agent_id=agent_id).exclude(text="").update(text=GONE)
    about = LogEntry.objects.filter(
        Q(content_type__app_label="agents", content_type__model="agent", object_id=str(agent_id))
        | Q(content_type__app_label="agents", content_type__model="user", object_id=str(_user(agent_id)))
    )
    about.update(object_repr=GONE, change_message="")
    pattern = _pattern(names).pattern
    LogEntry.objects.filter(content_type__app_label="agents", object_repr__iregex=_posix(pattern)).update(
        object_repr=GONE, change_message=""
    )


def _posix(pattern: str) -> str:
    """PostgreSQL's spelling of the same condition: it has no look-behind, but words have edges there too."""
    return pattern.replace(r"(?<!\w)", r"\m", 1).removesuffix(r"(?!\w)") + r"\M"


def _pay(agent_id: int, names: list[str]) -> None:
    """Amounts, days and what they were for stay; name and account number go."""
    hints = set(Payout.objects.filter(agent_id=agent_id).values_list("hint", flat=True)) - {GONE}
    _without_names(LedgerEntry.objects.filter(agent_id=agent_id), "memo", [*sorted(hints), *names])
    PayoutAccount.objects.filter(agent_id=agent_id).delete()
    Payout.objects.filter(agent_id=agent_id).update(holder=GONE, hint=GONE, iban_sealed="", reason="")


def _account(agent_id: int, _names: list[str]) -> None:
    """The account is nobody's now: it stays as the number that the kept rows point at."""
    user_id = _user(agent_id)
    access_withdraw(user_id)
    email = f"erased-{user_id}@erased.invalid"
    Letter.objects.filter(Q(application__agent_id=agent_id) | Q(decision__agent_id=agent_id)).delete()
    Application.objects.filter(agent_id=agent_id).delete()
    Notice.objects.filter(agent_id=agent_id).delete()
    EmailAddress.objects.filter(user_id=user_id).delete()
    Authenticator.objects.filter(user_id=user_id).delete()
    SocialAccount.objects.filter(user_id=user_id).delete()
    agent = Agent.objects.get(pk=agent_id)
    agent.pools.clear()
    user = User.objects.get(pk=user_id)
    user.groups.clear()
    user.user_permissions.clear()
    user.administers.clear()
    Agent.objects.filter(pk=agent_id).update(
        name=former("en"), languages=[], auto_accept=False, extra_seconds=0
    )
    User.objects.filter(pk=user_id).update(
        email=email,
        name="",
        password="!",  # noqa: S106  no password fits it
        is_active=False,
        is_staff=False,
        is_superuser=False,
        last_login=None,
    )
    # Last, as the lines above are changes too.
    Change.objects.filter(about__overlap=[f"agents_agent:{agent_id}", f"agents_user:{user_id}"]).delete()


def _user(agent_id: int) -> int:
    return Agent.objects.values_list("user_id", flat=True).get(pk=agent_id)


STEPS: dict[str, Callable[[int, list[str]], None]] = {
    "desk": _desk,
    "tickets": _tickets,
    "judged": _judged,
    "pay": _pay,
    "account": _account,
}
LAST = "account"
