"""The refusals of this app, in the domain's words. config/problems.py maps them to HTTP, once."""

from math import ceil
from typing import ClassVar

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """A command that was understood and not done; nothing has changed. `code` is stable, `detail` is for the reader."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"
    default_detail: ClassVar[str | Promise] = _("This cannot be done now.")

    retry_after: int | None = None  # seconds, where trying again later is of use

    def __init__(self, detail: str | Promise | None = None) -> None:
        self.detail = detail if detail is not None else self.default_detail
        super().__init__(self.code)


class TicketNotFound(Refusal):
    """No such ticket, or not one that this link opens: the same answer to both, so that nothing leaks."""

    status = 404
    code = "ticket_not_found"
    default_detail = _("We found no ticket under this link. It may be mistyped, expired or withdrawn.")


class FileNotFound(Refusal):
    status = 404
    code = "file_not_found"
    default_detail = _("We found no such file.")


class TicketClosed(Refusal):
    code = "ticket_closed"
    default_detail = _("This ticket is closed. You can open it again or write a new one.")


class TicketEnded(Refusal):
    """Ended as spam or abuse: a team lead may open it again, its customer not."""

    code = "ticket_ended"
    default_detail = _(
        "We have ended this conversation. If that is a mistake, please open a new ticket and say so."
    )


class Blocked(Refusal):
    """No new tickets are taken from there. Those that are open go on."""

    status = 403
    code = "blocked"

    def __init__(self) -> None:
        super().__init__(
            _(
                "We take no new questions from this address. If that is a mistake, please write to %(contact)s."
            )
            % {"contact": settings.CONTACT_EMAIL}
        )


class TicketMerged(Refusal):
    """It goes on as another ticket of the same customer."""

    code = "ticket_merged"
    default_detail = _("This ticket goes on as another one of yours, which its page leads to.")


class TicketNotResolved(Refusal):
    code = "ticket_not_resolved"
    default_detail = _("This can be done once the ticket is resolved.")


class TicketNotWaiting(Refusal):
    code = "ticket_not_waiting"
    default_detail = _("The ticket is no longer waiting.")


class NothingToJudge(Refusal):
    code = "nothing_to_judge"
    default_detail = _("There is no answer of the assistant to judge.")


class ArticleChanged(Refusal):
    code = "article_changed"
    default_detail = _("The article was changed meanwhile. Please read it again.")


class AlreadyRated(Refusal):
    code = "already_rated"
    default_detail = _("You have rated this already. Thank you.")


class TooOften(Refusal):
    """Above a limit of config/throttles.py; for pages, since REST has Throttled."""

    status = 429
    code = "throttled"

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.retry_after = ceil(seconds)


class AddressKnown(Refusal):
    code = "address_known"
    default_detail = _("There is an e-mail address already. Tell us in a message if it is wrong.")


class BadAddress(Refusal):
    status = 422
    code = "bad_address"
    default_detail = _("Please check the e-mail address.")


class EmptyMessage(Refusal):
    status = 422
    code = "empty_message"
    default_detail = _("Please write a message.")


class MessageTooLong(Refusal):
    status = 422
    code = "message_too_long"
    default_detail = _("This message is too long: 8,000 characters at most.")


class VariableLeft(Refusal):
    """A canned reply's variable for which nothing was put in."""

    status = 422
    code = "variable_left"
    default_detail = _("A variable in braces still stands in the text. Please write what is meant.")


class BadText(Refusal):
    status = 422
    code = "bad_text"
    default_detail = _("The text contains characters that cannot be stored.")


class BadSignature(Refusal):
    """Of a mail that was handed over: missing, wrong or too old."""

    status = 401
    code = "bad_signature"
    default_detail = _("The signature is missing, wrong or too old.")


class UnknownTopic(Refusal):
    status = 422
    code = "unknown_topic"
    default_detail = _("We do not know this topic.")


class KeyReused(Refusal):
    """The Idempotency-Key was used before for something else."""

    status = 422
    code = "idempotency_key_reused"
    default_detail = _("This Idempotency-Key was used for another request.")
