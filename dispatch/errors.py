"""The refusals of this app, in the domain's words. config/problems.py maps them to HTTP, once."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from dispatch.rules.booking import No
from tickets.errors import Refusal

HOURS_IN_DAYS = 48  # from so many hours on, people count in days


class OfferNotFound(Refusal):
    """No such offer, or somebody else's: the same answer to both."""

    status = 404
    code = "offer_not_found"
    default_detail = _("We found no such offer.")


class OfferGone(Refusal):
    code = "offer_gone"
    default_detail = _(
        "Somebody else was faster, or the ticket is no longer needed. Nothing counts against you."
    )


class OfferExpired(Refusal):
    status = 410
    code = "offer_expired"
    default_detail = _("The time to answer this offer has passed.")


class AnswersByHand(Refusal):
    """The agent has switched auto-accept off meanwhile. Said to the machine that accepts for them, never on the wire."""

    code = "answers_by_hand"


class NotHolder(Refusal):
    status = 403
    code = "not_holder"
    default_detail = _("This ticket is not with you.")


class BadKeys(Refusal):
    status = 422
    code = "bad_keys"
    default_detail = _("Each key is one sign, and does one thing.")


class TooLateToUndo(Refusal):
    code = "too_late_to_undo"
    default_detail = _("The ticket is resolved already. The customer can open it again.")


class BadWakingTime(Refusal):
    """A moment that is over, or further away than the ticket's route allows."""

    status = 422
    code = "bad_waking_time"

    def __init__(self, hours: int) -> None:
        self.hours = hours
        super().__init__(
            ngettext(
                "Please choose a time that is to come, and not further away than %(count)d hour.",
                "Please choose a time that is to come, and not further away than %(count)d hours.",
                hours,
            )
            % {"count": hours}
            if hours < HOURS_IN_DAYS
            else ngettext(
                "Please choose a time that is to come, and not further away than %(count)d day.",
                "Please choose a time that is to come, and not further away than %(count)d days.",
                hours // 24,
            )
            % {"count": hours // 24}
        )


class CustomerHasWritten(Refusal):
    """Since the agent last looked; nothing was put aside over what they have not read."""

    code = "customer_has_written"
    default_detail = _("The customer has written meanwhile. Please read it first.")


class NotToMerge(Refusal):
    """Not another open ticket of the same customer that waits, or is with this agent: somebody else may have it by now."""

    code = "not_to_merge"
    default_detail = _("This ticket cannot be merged now: somebody else has it, or it has ended.")


class KindMissing(Refusal):
    """Neither spam nor abuse was chosen in the form."""

    status = 422
    code = "kind_missing"
    default_detail = _("Please choose what it is.")


class NobodyThere(Refusal):
    """A transfer to a pool or person that this ticket cannot go to now."""

    code = "nobody_there"
    default_detail = _("This ticket cannot go there now. Please choose somebody else.")


class NoteMissing(Refusal):
    status = 422
    code = "note_missing"
    default_detail = _(
        "Please say in a note what has been done and what is needed, so that nobody asks again."
    )


class AlreadyEscalated(Refusal):
    code = "already_escalated"
    default_detail = _("A team lead has been asked already.")


class AlreadySettled(Refusal):
    code = "already_settled"
    default_detail = _("This has been settled already.")


class NothingHidden(Refusal):
    status = 404
    code = "nothing_hidden"
    default_detail = _("Nothing is hidden there.")


class RevealReasonMissing(Refusal):
    status = 422
    code = "reveal_reason_missing"
    default_detail = _("Please say what you need it for; for another reason, in words.")


class TooManyReveals(Refusal):
    """The person's hour is used up; the detail says until when."""

    status = 429
    code = "too_many_reveals"


class NotWrappingUp(Refusal):
    code = "not_wrapping_up"
    default_detail = _("This ticket is still with you. Its wrap-up begins when it is resolved.")


class SimulationUnderWay(Refusal):
    code = "simulation_under_way"
    default_detail = _("One of your simulations is still under way. Cancel it, or wait for its end.")


class NothingToPractise(Refusal):
    status = 404
    code = "nothing_to_practise"
    default_detail = _("There is no such scripted customer.")


class OnlyPractice(Refusal):
    code = "only_practice"
    default_detail = _("This is practice: there is nobody to ask or to pass it on to.")


class NotToReview(Refusal):
    status = 403
    code = "not_to_review"
    default_detail = _("This ticket is not yours to review, or somebody else has just done so.")


class ReviewIncomplete(Refusal):
    status = 422
    code = "review_incomplete"
    default_detail = _("Please give points for each criterion, and write why.")


class NotContestable(Refusal):
    status = 404
    code = "not_contestable"
    default_detail = _("There is no such rating or review of your work.")


class AlreadyContested(Refusal):
    code = "already_contested"
    default_detail = _("You have contested this already.")


class ScoreMissing(Refusal):
    status = 422
    code = "score_missing"
    default_detail = _("Please say which score counts instead.")


class HourNotFound(Refusal):
    """No such hour, or one of a pool that they are not in: the same answer to both."""

    status = 404
    code = "hour_not_found"
    default_detail = _("We found no such hour.")


class HourNotBooked(Refusal):
    code = "hour_not_booked"
    default_detail = _("You have not booked this hour.")


class HourRefused(Refusal):
    """An hour that they cannot book now; `no` says why."""

    code = "hour_refused"

    def __init__(self, no: No) -> None:
        self.no = no
        super().__init__(WHY_NOT[no])


WHY_NOT = {
    No.OVER: _("This hour is over."),
    No.BOOKED: _("You have booked this hour already."),
    No.OTHER: _("You have booked the same hour in another pool."),
    No.EARLY: _("This hour cannot be booked yet."),
    No.FULL: _("All seats of this hour are taken. If somebody drops theirs, it is here again."),
    No.CAP: _(
        "You have as many hours of this week as one person can book. You can be online at any time without a booking."
    ),
    No.FIRST: _(
        "On the first day this hour is for people who have booked fewer hours of this week than you."
    ),
}


class BadWebhook(Refusal):
    status = 400
    code = "bad_webhook"
    default_detail = _(
        "A webhook needs the https address of a server on the public internet, and at least one of the known events."
    )


class WebhookNotFound(Refusal):
    status = 404
    code = "webhook_not_found"
    default_detail = _("There is no such webhook.")


class DeliveryNotFound(Refusal):
    status = 404
    code = "delivery_not_found"
    default_detail = _("There is no such delivery.")


class WebhookStopped(Refusal):
    code = "webhook_stopped"
    default_detail = _("This webhook is stopped. Start it first.")


class TooManyWebhooks(Refusal):
    code = "too_many_webhooks"
    default_detail = _("There are as many webhooks as there may be. Remove one first.")


class NoWebhookKey(Refusal):
    code = "no_webhook_key"
    default_detail = _("Secrets cannot be kept safely here yet: PAYOUT_KEYS is not set.")


class WhyMissing(Refusal):
    """An act of a team lead on somebody's work, without a reason."""

    status = 422
    code = "why_missing"
    default_detail = _("Please say why: it is written down, and the people concerned can read it.")


class MayNotIntervene(Refusal):
    status = 403
    code = "may_not_intervene"
    default_detail = _("Your account may look, and not act.")


class NotInHand(Refusal):
    """To be reassigned, a ticket has to wait or to be with somebody."""

    code = "not_in_hand"
    default_detail = _("This ticket neither waits nor is with anybody, so it cannot be reassigned.")


class NotOnShift(Refusal):
    code = "not_on_shift"
    default_detail = _("They are offline already.")


class AlertOver(Refusal):
    code = "alert_over"
    default_detail = _("This is over, or somebody else has seen to it.")
