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


class NotWrappingUp(Refusal):
    code = "not_wrapping_up"
    default_detail = _("This ticket is still with you. Its wrap-up begins when it is resolved.")


class SimulationUnderWay(Refusal):
    code = "simulation_under_way"
    default_detail = _("One of your simulations is still under way. Cancel it, or wait for its end.")
