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


class SignInOver(Refusal):
    """The password was changed, or the account disabled, while it was signing in."""

    status = 401
    code = "authentication_failed"


class ScopeMissing(Refusal):
    status = 403
    code = "scope_missing"
    default_detail = _("This token has not the scope that this needs.")


class ScopeNotYours(Refusal):
    """Nobody gives a token what they may not do themselves."""

    status = 403
    code = "scope_not_yours"
    default_detail = _("You may not do yourself what one of these scopes allows.")


class TokenNotFound(Refusal):
    status = 404
    code = "token_not_found"
    default_detail = _("There is no such token.")


class NotAdmitted(Refusal):
    status = 403
    code = "not_admitted"
    default_detail = _("You can go online once a person has admitted you.")


class YouLeave(Refusal):
    status = 403
    code = "you_leave"
    default_detail = _("You are leaving, so you cannot go online. You can come back on the page “Rights”.")


class ShiftEnded(Refusal):
    code = "shift_ended"
    default_detail = _("This shift has ended; its tickets were passed on. Go online again to work.")


class NotOnline(Refusal):
    code = "not_online"
    default_detail = _("You are offline. Go online first.")


class AgentFull(Refusal):
    code = "agent_full"
    default_detail = _("You have no free capacity for this ticket.")


# --- Pay --------------------------------------------------------------------------------------------------------------


class BadAdjustment(Refusal):
    status = 400
    code = "bad_adjustment"
    default_detail = _("An adjustment needs an amount of at most 10,000 and a reason.")


class BadHolder(Refusal):
    status = 400
    code = "bad_holder"
    default_detail = _("Please give the account holder's name in 2 to 70 characters.")


class BadIban(Refusal):
    status = 400
    code = "bad_iban"
    default_detail = _("This is no valid IBAN. Please check it once more.")


class NotSepa(Refusal):
    status = 400
    code = "not_sepa"
    default_detail = _("We can pay to accounts in the SEPA area only.")


class NoPayoutKey(Refusal):
    status = 503
    code = "no_payout_key"
    default_detail = _("Payout details cannot be kept here yet: PAYOUT_KEYS is not set.")


class NoDebtor(Refusal):
    status = 503
    code = "no_debtor"
    default_detail = _("The account that pays is not set: PAYOUT_DEBTOR_IBAN.")


class NotEuro(Refusal):
    code = "not_euro"
    default_detail = _(
        "The file for the bank (SEPA) can carry euros only. This run is paid by hand, by its list."
    )


class PaidByFile(Refusal):
    """Both would pay it twice."""

    code = "paid_by_file"
    default_detail = _("A run in euros is paid by the file for the bank, not by hand.")


class NothingToPay(Refusal):
    code = "nothing_to_pay"
    default_detail = _("Nobody with payout details is owed as much up to this day.")


class DayNotCome(Refusal):
    status = 400
    code = "day_not_come"
    default_detail = _("This day has not come yet.")


class FourEyes(Refusal):
    status = 403
    code = "four_eyes"
    default_detail = _("Whoever made a run may not approve it. Somebody else has to.")


class RunMoved(Refusal):
    code = "run_moved"
    default_detail = _("This run is not in that state any more. Please look at it again.")


# --- Applying, learning, decisions ---------------------------------------------------------------------------------


class ApplicationUnknown(Refusal):
    status = 410
    code = "application_unknown"
    default_detail = _("This link is not valid any more. Please apply again; it takes three minutes.")


class AddressTaken(Refusal):
    code = "address_taken"
    default_detail = _("There is an account with this address already. Please log in.")


class KeyReused(Refusal):
    code = "key_reused"
    default_detail = _(
        "You have sent this form already, with other input. Send it again if you want to correct it."
    )


class NotDecidable(Refusal):
    code = "not_decidable"
    default_detail = _(
        "This person's status has changed meanwhile, so nothing was decided. Please look again."
    )


class OwnCase(Refusal):
    status = 403
    code = "own_case"
    default_detail = _("Nobody decides on themselves.")


class SamePerson(Refusal):
    status = 403
    code = "same_person"
    default_detail = _("Whoever decided cannot answer the appeal; another person must.")


class ReasonMissing(Refusal):
    status = 422
    code = "reason_missing"
    default_detail = _("Please write a reason: the person is told.")


class AppealWritten(Refusal):
    code = "appeal_written"
    default_detail = _("You have appealed against this decision already.")


class AppealAnswered(Refusal):
    code = "appeal_answered"
    default_detail = _("This appeal has been answered already.")


class NoQuiz(Refusal):
    status = 404
    code = "no_quiz"
    default_detail = _("There is no quiz for this skill.")


class NoAttemptLeft(Refusal):
    code = "no_attempt_left"
    default_detail = _(
        "You have used your attempts of the last 24 hours. Please read on, and try again later."
    )


class NothingChosen(Refusal):
    status = 422
    code = "nothing_chosen"
    default_detail = _("Please choose an answer.")


class NotYetPractising(Refusal):
    status = 403
    code = "not_yet_practising"
    default_detail = _("You can practise as soon as you have passed a quiz.")


class OnShift(Refusal):
    code = "on_shift"
    default_detail = _("Please go offline first: nobody practises while customers may come.")


class Practising(Refusal):
    code = "practising"
    default_detail = _("This is practice. Please end it first.")


# --- Rights -----------------------------------------------------------------------------------------------------------


class TextMissing(Refusal):
    status = 422
    code = "text_missing"
    default_detail = _("Please write some words.")


class AlreadyAnswered(Refusal):
    code = "already_answered"
    default_detail = _("Somebody has answered this already.")


class TooManyOpen(Refusal):
    status = 429
    code = "too_many_open"
    default_detail = _("Five of your questions are still open. Please wait for an answer first.")


class TooManyExports(Refusal):
    status = 429
    code = "too_many_exports"
    default_detail = _("Your data were collected three times in 24 hours. Please try again tomorrow.")


class WrongPassword(Refusal):
    status = 422
    code = "wrong_password"
    default_detail = _("This is not your password. Nothing has changed.")


class NotLeaving(Refusal):
    code = "not_leaving"
    default_detail = _("This has changed meanwhile. Please look at the page again.")


class StillOwed(Refusal):
    status = 422
    code = "still_owed"
    default_detail = _(
        "We owe you money and do not know where to send it. Please give payout details first, or tick that you forgo it."
    )


class NotADevice(Refusal):
    status = 400
    code = "not_a_device"
    default_detail = _("This is no address that calls can be sent to.")


class NoPushKey(Refusal):
    status = 503
    code = "no_push_key"
    default_detail = _("Devices cannot be called here yet: PUSH_KEY is not set.")


class BadQuietHours(Refusal):
    status = 400
    code = "bad_quiet_hours"
    default_detail = _("Quiet hours want a beginning and another end, or neither.")


class BadExtraSeconds(Refusal):
    status = 400
    code = "bad_extra_seconds"
    default_detail = _("Choose a whole number of seconds from 0 to 120.")


class BadTimeZone(Refusal):
    status = 400
    code = "bad_time_zone"
    default_detail = _("We do not know this time zone.")
