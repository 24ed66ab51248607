"""How somebody becomes an agent: apply, confirm the address, be admitted by a person; and what a person may decide later.

No program decides on anybody. Each decision is a row with its reason and who made it, and changes the agent's status in the
same transaction. Lock order: agent → shift → ticket (docs/architecture.md); suspending is an outer command of dispatch
(dispatch/suspension.py), because it ends shifts and offers too.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from agents.errors import (
    AddressTaken,
    AppealAnswered,
    AppealWritten,
    ApplicationUnknown,
    KeyReused,
    NotDecidable,
    OwnCase,
    ReasonMissing,
    SamePerson,
)
from agents.models import (
    Agent,
    AgentStatus,
    Appeal,
    Application,
    Decision,
    DecisionKind,
    Leaving,
    Letter,
    LetterKind,
    Pool,
    User,
)

LINK_LIFETIME = timedelta(days=3)
KEPT_UNCONFIRMED = timedelta(days=7)  # then what somebody wrote is forgotten
SALT = "agents.application"

# Status before → what may be decided then, and the status after it.
STEPS: dict[str, dict[str, str]] = {
    AgentStatus.APPLIED: {
        DecisionKind.ADMITTED: AgentStatus.ADMITTED,
        DecisionKind.REJECTED: AgentStatus.REJECTED,
    },
    AgentStatus.ADMITTED: {DecisionKind.SUSPENDED: AgentStatus.SUSPENDED},
    AgentStatus.SUSPENDED: {DecisionKind.READMITTED: AgentStatus.ADMITTED},
    AgentStatus.REJECTED: {DecisionKind.REOPENED: AgentStatus.APPLIED},
    AgentStatus.LEFT: {DecisionKind.READMITTED: AgentStatus.ADMITTED},
}


# --- Applying ---------------------------------------------------------------------------------------------------------


def apply(*, key: str, **said: Any) -> Application:
    """File an application and have the letter with its link sent. Outermost.

    `said`: the fields of Application. Nothing here depends on whether the address is known: the letter's writer looks, later,
    so neither answer nor time tells a stranger. The same `key` again gives the same application. Raises KeyReused when it
    comes with other input.
    """
    said["email"] = said["email"].lower()
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
    try:
        with transaction.atomic(durable=True):
            made = Application.objects.create(
                public_id=get_random_string(12), intake_key=key, intake_digest=digest, **said
            )
            Letter.objects.create(kind=LetterKind.CONFIRM, application=made)
    except IntegrityError:
        made = Application.objects.get(intake_key=key)
        if made.intake_digest != digest:
            raise KeyReused from None
    return made


def token_of(application: Application) -> str:
    """What the confirming link carries: the application's name, signed under the server's key. Nothing of it is stored."""
    return Signer(salt=SALT).sign(application.public_id)


def application_by_token(token: str) -> Application:
    """The application that this link confirms, confirmed already or not. Raises ApplicationUnknown, for expired links too."""
    try:
        public_id = Signer(salt=SALT).unsign(token)
    except BadSignature:
        raise ApplicationUnknown from None
    found = (
        Application.objects.select_related("agent__user")
        .filter(public_id=public_id, created_at__gt=Now() - LINK_LIFETIME)
        .first()
    )
    if found is None:
        raise ApplicationUnknown
    return found


def confirm(*, token: str, password: str) -> Agent:
    """The address is the applicant's: make account and agent, who may learn, and not go online. Outermost.

    Raises ApplicationUnknown, AddressTaken (confirmed before, or another account has the address).
    """
    try:
        with transaction.atomic(durable=True):
            # The link may be opened twice at once: the second waits here, and finds an agent.
            found = application_by_token(token)
            found = Application.objects.select_for_update().get(pk=found.pk)
            if found.agent_id is not None or User.objects.filter(email=found.email).exists():
                raise AddressTaken
            user = User.objects.create_user(
                found.email, password, name=found.real_name, language=found.language
            )
            # allauth's own record, so that its pages know the address as confirmed.
            EmailAddress.objects.create(user=user, email=found.email, verified=True, primary=True)
            agent = Agent.objects.create(user=user, name=found.name, languages=found.languages)
            Application.objects.filter(pk=found.pk).update(agent=agent, confirmed_at=Now())
    except IntegrityError:  # two applications of one address, confirmed at the same moment
        raise AddressTaken from None
    return agent


def applications_forget() -> int:
    """Forget what was never confirmed. Returns how many. Outermost."""
    with transaction.atomic(durable=True):
        _count, by_model = Application.objects.filter(
            agent__isnull=True, created_at__lte=Now() - KEPT_UNCONFIRMED
        ).delete()
    return by_model.get("agents.Application", 0)


def practised(*, agent_id: int) -> None:
    """They passed a practice ticket; the first time is kept. Decides nothing. Inner; the agent's row is locked."""
    Agent.objects.filter(pk=agent_id, practised_at__isnull=True).update(practised_at=Now())


# --- What a person decides --------------------------------------------------------------------------------------------


def admit(*, agent_id: int, by: User, reason: str, pool_ids: Iterable[int] = ()) -> Decision:
    """The applicant may go online, as a member of these pools. Outermost.

    Raises NotDecidable, OwnCase, ReasonMissing.
    """
    with transaction.atomic(durable=True):
        decision = decide(agent_id=agent_id, kind=DecisionKind.ADMITTED, by=by, reason=reason)
        decision.agent.pools.add(*Pool.objects.filter(pk__in=list(pool_ids)))
    return decision


def reject(*, agent_id: int, by: User, reason: str) -> Decision:
    """The applicant is not admitted, and may appeal. Outermost. Raises NotDecidable, OwnCase, ReasonMissing."""
    with transaction.atomic(durable=True):
        return decide(agent_id=agent_id, kind=DecisionKind.REJECTED, by=by, reason=reason)


def readmit(*, agent_id: int, by: User, reason: str) -> Decision:
    """A suspension ends. Outermost. Raises NotDecidable, OwnCase, ReasonMissing."""
    with transaction.atomic(durable=True):
        return decide(agent_id=agent_id, kind=DecisionKind.READMITTED, by=by, reason=reason)


def decide(*, agent_id: int, kind: str, by: User, reason: str) -> Decision:
    """Record a decision, change the status, have the letter sent. Inner.

    The agent's row stays locked: whoever goes online at this moment waits, and sees the new status (agents/shifts.py).
    Raises NotDecidable when the status does not allow it, OwnCase, ReasonMissing.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing
    # Locked, so that the status that decides is the one that is changed; `no_key`: offers may go on pointing at it.
    agent = Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).first()
    if agent is None:
        raise NotDecidable
    if agent.user_id == by.pk:
        raise OwnCase
    before, after = agent.status, STEPS.get(agent.status, {}).get(kind)
    if after is None:
        raise NotDecidable
    Agent.objects.filter(pk=agent_id).update(status=after)
    if before == AgentStatus.LEFT and not _back(agent_id):
        raise NotDecidable
    agent.status = after
    decision = Decision.objects.create(agent=agent, kind=kind, reason=reason, decided_by=by, role=role_of(by))
    Letter.objects.create(kind=LetterKind.DECISION, decision=decision)
    return decision


def _back(agent_id: int) -> bool:
    """Whoever had left is back. Inner. False for who was erased: there is nobody any more who could come."""
    if Leaving.objects.filter(agent_id=agent_id, erased_at__isnull=False).exists():
        return False
    Leaving.objects.filter(agent_id=agent_id).delete()
    return bool(Agent.objects.filter(pk=agent_id).update(leaving_since=None))


def role_of(user: User) -> str:
    """What an agent is told of who decided: the group, and no name. Kept with the decision, as groups change."""
    group = user.groups.order_by("pk").values_list("name", flat=True).first()
    return group or "Administration"


# --- Appeals ----------------------------------------------------------------------------------------------------------


def appeal(*, agent_id: int, decision_id: int, text: str) -> Appeal:
    """The person says why a rejection or suspension should not stand; once a decision. Outermost.

    Raises NotDecidable (not theirs, or no longer in force), ReasonMissing, AppealWritten.
    """
    text = text.strip()
    if not text:
        raise ReasonMissing
    try:
        with transaction.atomic(durable=True):
            decision = standing_against(agent_id)
            if decision is None or decision.pk != decision_id:
                raise NotDecidable
            return Appeal.objects.create(decision=decision, decided_by_id=decision.decided_by_id, text=text)
    except IntegrityError:
        raise AppealWritten from None


def appeal_answer(*, appeal_id: int, by: User, upheld: bool, answer: str) -> Appeal:
    """Another person answers; if the appeal is upheld, the decision is undone by a new one. Outermost.

    Raises SamePerson, OwnCase, ReasonMissing, AppealAnswered, NotDecidable.
    """
    answer = answer.strip()
    if not answer:
        raise ReasonMissing
    with transaction.atomic(durable=True):
        found = Appeal.objects.select_related("decision__agent").get(pk=appeal_id)
        if found.decided_by_id == by.pk:
            raise SamePerson
        if found.decision.agent.user_id == by.pk:
            raise OwnCase
        answered = Appeal.objects.filter(pk=appeal_id, answered_at__isnull=True).update(
            answered_at=Now(), answered_by=by, upheld=upheld, answer=answer
        )
        if not answered:
            raise AppealAnswered
        Letter.objects.create(kind=LetterKind.APPEAL, decision=found.decision)
        if upheld and standing_against(found.decision.agent_id) == found.decision:
            undo = {
                DecisionKind.REJECTED: DecisionKind.REOPENED,
                DecisionKind.SUSPENDED: DecisionKind.READMITTED,
            }[DecisionKind(found.decision.kind)]
            decide(agent_id=found.decision.agent_id, kind=undo, by=by, reason=answer)
    found.refresh_from_db()
    return found


def standing_against(agent_id: int) -> Decision | None:
    """The rejection or suspension that is in force. One query."""
    latest = Decision.objects.filter(agent_id=agent_id).order_by("-id").first()
    return latest if latest is not None and latest.against_the_agent else None


def device_clean(raw: str) -> dict[str, Any]:
    """What the page's script found, of it only what we know; {} without a script. Nothing is decided by it."""
    try:
        said = json.loads(raw or "{}")
    except ValueError:
        return {}
    if not isinstance(said, Mapping):
        return {}
    kinds: dict[str, type | tuple[type, ...]] = {
        "socket": bool,
        "notifications": str,
        "width": int,
        "height": int,
        "skew_seconds": (int, float),
    }
    return {
        name: said[name][:20] if kind is str else said[name]
        for name, kind in kinds.items()
        if isinstance(said.get(name), kind) and (kind is str or abs(said[name]) < 10**9)
    }
