"""What agents are told about their money by mail. No number in full, and nothing that must not be lost: screens say it too."""

import logging
import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from agents.models import Payout, User

logger = logging.getLogger(__name__)


def details_changed(user: User, hint: str) -> None:
    """Payout details were given or changed."""
    with translation.override(user.language):
        _send(user, _("Your payout details were changed"), "details_changed", {"hint": hint})


def payout_returned(user: User, payout: Payout) -> None:
    """The bank sent the money back."""
    with translation.override(user.language):
        _send(user, _("A payout came back"), "payout_returned", {"payout": payout})


def _send(user: User, subject: str, template: str, context: dict[str, Any]) -> None:
    body = render_to_string(
        f"agents/mail/{template}.txt",
        context | {"user": user, "brand": settings.BRAND, "base_url": settings.BASE_URL},
    )
    message = EmailMessage(
        subject=f"{subject} · {settings.BRAND}",
        body=body,
        to=[user.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        logger.warning("mail to account %s was refused (%s)", user.pk, type(error).__name__)
