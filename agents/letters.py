"""Letters to applicants and agents. What is due stands in the database, so a letter survives a broker that was away."""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from agents.models import Application, DecisionKind, Letter, LetterKind, User
from agents.onboarding import LINK_LIFETIME, token_of

logger = logging.getLogger(__name__)

GIVE_UP = timedelta(days=1)
A_DAY_TO_ONE_ADDRESS = 3  # confirmation letters: whoever types a stranger's address must not fill their box


def due_ids(limit: int = 200) -> list[int]:
    """Letters of the last day that were not sent. Of more than `limit` any, so that refused ones keep no other waiting."""
    due = Letter.objects.filter(sent_at__isnull=True, created_at__gt=Now() - GIVE_UP)
    return sorted(due.order_by("?").values_list("id", flat=True)[:limit])


def send(*, letter_id: int) -> bool:
    """Send a letter, once. False when another worker was first, the server refused, or the address had enough today.

    It is claimed before it is sent: a crash between the two loses one letter, which is better than sending it twice; pages
    say the same, and the form can be sent again.
    """
    if not Letter.objects.filter(pk=letter_id, sent_at__isnull=True).update(sent_at=Now()):
        return False
    letter = Letter.objects.select_related("application", "decision__agent__user", "decision__appeal").get(
        pk=letter_id
    )
    if letter.application is not None and _enough(letter.application):
        return False
    mail = _mail(letter)
    try:
        mail.send()
    except ValueError as error:  # no mail can be made for this address: it stays as it is
        logger.warning("letter %s cannot be sent (%s)", letter_id, type(error).__name__)
        return False
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("letter %s was refused (%s); it is tried again", letter_id, type(error).__name__)
        Letter.objects.filter(pk=letter_id).update(sent_at=None)
        return False
    return True


def _enough(application: Application) -> bool:
    sent = Letter.objects.filter(
        kind=LetterKind.CONFIRM,
        application__email=application.email,
        sent_at__gt=Now() - timedelta(days=1),
    )
    return sent.count() > A_DAY_TO_ONE_ADDRESS  # this one is among them


def _mail(letter: Letter) -> EmailMessage:
    language = letter.application.language if letter.application else letter.decision.agent.user.language  # type: ignore[union-attr]
    with translation.override(language):
        if letter.application is not None:
            subject, template, context, to = _confirm(letter.application)
        else:
            subject, template, context, to = _decision(letter)
        return EmailMessage(
            subject=subject,
            body=render_to_string(f"agents/mail/{template}.txt", {"brand": settings.BRAND, **context}),
            to=[to],
            headers={
                "Auto-Submitted": "auto-generated",
                "Message-ID": f"<letter-{letter.pk}@standby>",
            },
        )


def _confirm(application: Application) -> tuple[str, str, dict[str, object], str]:
    """The link; or, if the address has an account, that it has one: said to its owner only, in the letter."""
    known = User.objects.filter(email=application.email).exists()
    path = reverse("account_login") if known else reverse("work_confirm", args=[token_of(application)])
    context = {
        "application": application,
        "link": settings.BASE_URL + path,
        "reset": settings.BASE_URL + reverse("account_reset_password"),
        "days": LINK_LIFETIME.days,
    }
    subject = _("Your application at %(brand)s") % {"brand": settings.BRAND}
    return subject, "known" if known else "confirm", context, application.email


def _decision(letter: Letter) -> tuple[str, str, dict[str, object], str]:
    decision = letter.decision
    assert decision is not None  # a constraint of the table
    subjects = {
        DecisionKind.ADMITTED: _("You are admitted at %(brand)s"),
        DecisionKind.REJECTED: _("Your application at %(brand)s: not admitted"),
        DecisionKind.SUSPENDED: _("Your access at %(brand)s is suspended"),
        DecisionKind.READMITTED: _("You may work again at %(brand)s"),
        DecisionKind.REOPENED: _("Your application at %(brand)s is looked at again"),
    }
    is_appeal = letter.kind == LetterKind.APPEAL
    subject = _("Your appeal at %(brand)s") if is_appeal else subjects[DecisionKind(decision.kind)]
    context: dict[str, object] = {
        "decision": decision,
        "agent": decision.agent,
        "appeal": decision.appeal if is_appeal else None,
        "link": settings.BASE_URL + reverse("journey"),
        "console": settings.BASE_URL + reverse("console"),
    }
    template = "appeal" if is_appeal else "decision"
    return subject % {"brand": settings.BRAND}, template, context, decision.agent.user.email
