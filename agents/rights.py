"""What an agent may ask for and is answered: questions to a person, all their data as a file, notices.

A question is answered by a person in Django admin within ANSWER_WITHIN; leads are told by mail that it is there
(dispatch/alerts.py). What is in an export is dispatch's matter (dispatch/export.py).
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from agents.errors import AlreadyAnswered, OwnCase, TextMissing, TooManyExports, TooManyOpen
from agents.models import DataExport, Inquiry, Notice, NoticeKind, User
from agents.onboarding import role_of

ANSWER_WITHIN = timedelta(days=3)  # what the page promises
OPEN_AT_MOST = 5
EXPORTS_A_DAY = 3
EXPORT_KEPT = timedelta(days=7)
TOKEN_LETTERS = 43  # of 62: 256 bits


def tell(agent_id: int, kind: str, text: str = "") -> Notice:
    """Show and mail this to the agent. Inner."""
    return Notice.objects.create(agent_id=agent_id, kind=kind, text=text)


def inquiry_ask(*, agent_id: int, kind: str, text: str) -> Inquiry:
    """A question to a person. Outermost. Raises TextMissing, TooManyOpen."""
    text = text.strip()
    if not text:
        raise TextMissing
    with transaction.atomic(durable=True):
        if Inquiry.objects.filter(agent_id=agent_id, answered_at__isnull=True).count() >= OPEN_AT_MOST:
            raise TooManyOpen
        return Inquiry.objects.create(agent_id=agent_id, kind=kind, text=text, due_at=Now() + ANSWER_WITHIN)


def inquiry_answer(*, inquiry_id: int, by: User, answer: str) -> None:
    """A person answers; the agent reads it on their page and by mail. Outermost.

    Raises TextMissing, OwnCase, AlreadyAnswered.
    """
    answer = answer.strip()
    if not answer:
        raise TextMissing
    with transaction.atomic(durable=True):
        found = Inquiry.objects.select_related("agent").get(pk=inquiry_id)
        if found.agent.user_id == by.pk:
            raise OwnCase
        if not Inquiry.objects.filter(pk=inquiry_id, answered_at__isnull=True).update(
            answer=answer, answered_by=by, role=role_of(by), answered_at=Now()
        ):
            raise AlreadyAnswered
        tell(found.agent_id, NoticeKind.INQUIRY, answer)


# --- Data -------------------------------------------------------------------------------------------------------------


def export_ask(*, agent_id: int, language: str) -> tuple[DataExport, bool]:
    """All that is stored about the agent, to be made by a task. Outermost.

    Returns (export, whether it is asked for now): one is under way at most. Raises TooManyExports.
    """
    under_way = DataExport.objects.filter(agent_id=agent_id, made_at__isnull=True)
    if found := under_way.first():
        return found, False
    of_late = DataExport.objects.filter(agent_id=agent_id, asked_at__gt=Now() - timedelta(days=1))
    if of_late.count() >= EXPORTS_A_DAY:
        raise TooManyExports
    try:
        with transaction.atomic(durable=True):
            made = DataExport.objects.create(
                token=get_random_string(TOKEN_LETTERS), agent_id=agent_id, language=language
            )
    except IntegrityError:  # two clicks at once
        return under_way.get(), False
    return made, True


def export_keep(*, export_id: int, content: bytes) -> bool:
    """The file is there: keep it for EXPORT_KEPT and tell its agent. Outermost. False when another worker was first."""
    with transaction.atomic(durable=True):
        kept = DataExport.objects.filter(pk=export_id, made_at__isnull=True).update(
            content=content, size=len(content), made_at=Now(), expires_at=Now() + EXPORT_KEPT
        )
        if kept:
            tell(DataExport.objects.values_list("agent_id", flat=True).get(pk=export_id), NoticeKind.EXPORT)
    return bool(kept)


def export_open(*, agent_id: int, token: str) -> DataExport | None:
    """The agent's own file by its token; None for anybody else's, an unknown or an expired one. Its first reading is noted."""
    mine = DataExport.objects.filter(agent_id=agent_id, token=token, expires_at__gt=Now())
    mine.filter(downloaded_at__isnull=True).update(downloaded_at=Now())
    return mine.first()


def exports_under_way() -> list[int]:
    """Those that wait to be made, the oldest first. One query."""
    return list(DataExport.objects.filter(made_at__isnull=True).order_by("pk").values_list("pk", flat=True))


def exports_forget() -> int:
    """Remove what is kept no longer. Outermost. Returns how many."""
    with transaction.atomic(durable=True):
        gone, _models = DataExport.objects.filter(Q(expires_at__lte=Now())).delete()
    return gone
