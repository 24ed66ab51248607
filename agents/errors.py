"""The refusals of this app, in the domain's words. config/problems.py maps them to HTTP, once."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """A command that was understood and not done; nothing has changed. `code` is stable, `detail` is for the reader."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"
    default_detail: ClassVar[str | Promise] = _("This cannot be done now.")

    def __init__(self, detail: str | Promise | None = None) -> None:
        self.detail = detail if detail is not None else self.default_detail
        super().__init__(self.code)


class NotAnAgent(Refusal):
    status = 403
    code = "not_an_agent"
    default_detail = _("This account is not an agent.")


class SecondFactor(Refusal):
    status = 403
    code = "second_factor"
    default_detail = _("This account has a second factor: sign in with a browser.")


class NotAdmitted(Refusal):
    status = 403
    code = "not_admitted"
    default_detail = _("You can go online once a person has admitted you.")


class ShiftEnded(Refusal):
    code = "shift_ended"
    default_detail = _("This shift has ended; its tickets were passed on. Go online again to work.")


class NotOnline(Refusal):
    code = "not_online"
    default_detail = _("You are offline. Go online first.")


class AgentFull(Refusal):
    code = "agent_full"
    default_detail = _("You have no free capacity for this ticket.")
