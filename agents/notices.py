"""What agents are told, in words: on their page and by mail. What is due stands in the database (Notice)."""

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agents.models import Notice, NoticeKind

logger = logging.getLogger(__name__)

GIVE_UP = timedelta(days=1)

# kind → (subject, sentence)
WORDS: dict[str, tuple[Promise, Promise]] = {
    NoticeKind.INQUIRY: (
        _("Your question was answered"),
        _("A person of our team has answered your question."),
    ),
    NoticeKind.REVIEW: (
        _("A ticket of yours was reviewed"),
        _(
            "A ticket that you resolved was drawn by chance and reviewed. You see the review, and can contest it."
        ),
    ),
    NoticeKind.CONTEST: (
        _("Your contest was answered"),
        _("A person of our team who did not write the review has looked at your contest and answered."),
    ),
    NoticeKind.EXPORT: (
        _("Your data are ready"),
        _(
            "Everything that we have stored about you is ready as a file. You find it on your page for seven days."
        ),
    ),
    NoticeKind.LEAVING: (
        _("You leave"),
        _("You get no more offers. What you earned is yours and is paid. You can come back on your page."),
    ),
    NoticeKind.ERASURE: (
        _("You asked to be erased"),
        _("You have asked us to erase you. Until the day that your page names you can withdraw that there."),
    ),
    NoticeKind.KEPT: (
        _("You are not erased"),
        _("You have withdrawn your request to be erased. Nothing was removed."),
    ),
    NoticeKind.OFFLINE: (
        _("You were taken offline"),
        _(
            "A team lead has ended your shift, for the reason below. Tickets that you held went to others. You can go online "
            "again at any time, and ask on your page."
        ),
    ),
}


def due_ids(limit: int = 200) -> list[int]:
    """Notices of the last day that were not mailed. Of more than `limit` any, so that refused ones keep no other waiting."""
    due = Notice.objects.filter(mailed_at__isnull=True, created_at__gt=Now() - GIVE_UP)
    return sorted(due.order_by("?").values_list("id", flat=True)[:limit])


def mail(*, notice_id: int) -> bool:
    """Mail a notice, once: it is claimed before. False when another worker was first or the server refused."""
    if not Notice.objects.filter(pk=notice_id, mailed_at__isnull=True).update(mailed_at=Now()):
        return False
    notice = Notice.objects.select_related("agent__user").get(pk=notice_id)
    user = notice.agent.user
    with translation.override(user.language):
        subject, says = WORDS[notice.kind]
        context = {
            "name": notice.agent.name,
            "says": says,
            "text": notice.text,
            "link": settings.BASE_URL + reverse("rights"),
            "brand": settings.BRAND,
        }
        message = EmailMessage(
            subject=f"{subject} · {settings.BRAND}",
            body=render_to_string("agents/mail/notice.txt", context),
            to=[user.email],
            headers={"Auto-Submitted": "auto-generated", "Message-ID": f"<notice-{notice.pk}@standby>"},
        )
    try:
        message.send()
    except ValueError as error:  # no mail can be made for this address: it stays as it is
        logger.warning("notice %s cannot be sent (%s)", notice_id, type(error).__name__)
        return False
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("notice %s was refused (%s); it is tried again", notice_id, type(error).__name__)
        Notice.objects.filter(pk=notice_id).update(mailed_at=None)
        return False
    return True
