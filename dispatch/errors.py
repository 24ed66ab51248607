"""The refusals of this app, in the domain's words. config/problems.py maps them to HTTP, once."""

from django.utils.translation import gettext_lazy as _

from tickets.errors import Refusal


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


class NotWrappingUp(Refusal):
    code = "not_wrapping_up"
    default_detail = _("This ticket is still with you. Its wrap-up begins when it is resolved.")


class SimulationUnderWay(Refusal):
    code = "simulation_under_way"
    default_detail = _("One of your simulations is still under way. Cancel it, or wait for its end.")
