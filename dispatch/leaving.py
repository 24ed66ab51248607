"""An agent leaves by their own choice, and may ask to be erased; until they are, they can come back.

Leaving: no more offers at once; what is held is finished, or passed on with the shift's end; what was earned is paid by the
next runs, whatever their least amount (agents/pay/runs.py). Erasing itself is dispatch/erasure.py.
"""

from datetime import timedelta

from django.db.models import Q, Sum
from django.db.models.functions import Now

from agents import rights
from agents.errors import NotLeaving, StillOwed, WrongPassword
from agents.models import Agent, AgentStatus, Leaving, LedgerEntry, NoticeKind, PayoutAccount
from dispatch import hours, presence
from tickets import timeline

GRACE = timedelta(days=14)  # from the request to the erasing: to think it over
MAY_LEAVE = (
    AgentStatus.APPLIED,
    AgentStatus.ADMITTED,
)  # of others the status stays: it is a person's decision


def _locked(agent_id: int) -> Agent:
    """The agent, before anything else of theirs is locked: whoever goes online at this moment waits."""
    return Agent.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=agent_id)


def leave(*, agent_id: int) -> Leaving:
    """No more offers from now on, and booked seats are free. Outermost; twice is once."""
    with timeline.command():
        return _leave(_locked(agent_id))


def _leave(agent: Agent) -> Leaving:
    found, made = Leaving.objects.get_or_create(agent=agent, defaults={"status_before": agent.status})
    if made:
        Agent.objects.filter(pk=agent.pk).update(leaving_since=Now())
        hours.bookings_give_back(agent.pk)
        rights.tell(agent.pk, NoticeKind.LEAVING)
    _go(agent.pk, found)
    return found


def _go(agent_id: int, leaving: Leaving) -> bool:
    """Nothing held any more: they have left. Inner; the agent is locked. Returns whether they have."""
    if leaving.left_at is not None:
        return True
    if presence.shift_leave(agent_id=agent_id):
        return False
    Agent.objects.filter(pk=agent_id, status__in=MAY_LEAVE).update(status=AgentStatus.LEFT)
    Leaving.objects.filter(pk=agent_id).update(left_at=Now())
    return True


def leavings_complete(limit: int = 100) -> int:
    """Those who have finished what they held are gone now. Safe twice and late. Returns how many."""
    going = Leaving.objects.filter(left_at__isnull=True).order_by("pk").values_list("pk", flat=True)
    done = 0
    for agent_id in list(going[:limit]):
        with timeline.command():
            _locked(agent_id)
            leaving = Leaving.objects.filter(pk=agent_id).first()
            done += leaving is not None and _go(agent_id, leaving)
    return done


def come_back(*, agent_id: int) -> None:
    """As if they had not left; a request to be erased is withdrawn with it. Outermost. Raises NotLeaving."""
    with timeline.command():
        agent = _locked(agent_id)
        leaving = Leaving.objects.filter(pk=agent_id, erased_at__isnull=True, steps_done=[]).first()
        if leaving is None:
            raise NotLeaving
        if agent.status == AgentStatus.LEFT:
            Agent.objects.filter(pk=agent_id).update(status=leaving.status_before)
        Agent.objects.filter(pk=agent_id).update(leaving_since=None)
        if leaving.erase_at is not None:
            rights.tell(agent_id, NoticeKind.KEPT)
        leaving.delete()


def owed(agent_id: int) -> list[tuple[str, int]]:
    """(currency, cents) of what is not paid out to the agent yet, by its code. One query."""
    sums = LedgerEntry.objects.filter(agent_id=agent_id).values("currency").order_by("currency")
    return [
        (row["currency"], row["cents"]) for row in sums.annotate(cents=Sum("amount_cents")) if row["cents"]
    ]


def erase_ask(*, agent_id: int, password: str, forgoes: bool = False) -> Leaving:
    """To be erased after GRACE; who asks leaves as well. Outermost; twice is once.

    `forgoes`: what is owed and cannot be paid, since there are no payout details. Raises WrongPassword, StillOwed.
    """
    with timeline.command():
        agent = _locked(agent_id)
        if not agent.user.check_password(password):
            raise WrongPassword
        payable = PayoutAccount.objects.filter(agent_id=agent_id).exists()
        if not payable and not forgoes and any(cents > 0 for _currency, cents in owed(agent_id)):
            raise StillOwed
        _leave(agent)
        asked = Leaving.objects.filter(pk=agent_id, erase_at__isnull=True).update(
            erase_asked_at=Now(), erase_at=Now() + GRACE, forgoes=forgoes
        )
        if asked:
            rights.tell(agent_id, NoticeKind.ERASURE)
        return Leaving.objects.get(pk=agent_id)


def erase_withdraw(*, agent_id: int) -> None:
    """Not to be erased after all; they have still left. Outermost. Raises NotLeaving when it is too late."""
    with timeline.command():
        _locked(agent_id)
        kept = Leaving.objects.filter(
            Q(steps_done=[]), pk=agent_id, erase_at__isnull=False, erased_at__isnull=True
        ).update(erase_asked_at=None, erase_at=None, forgoes=False)
        if not kept:
            raise NotLeaving
        rights.tell(agent_id, NoticeKind.KEPT)
