"""Offer: a time-limited proposal of one ticket to one agent. Changed in dispatch/offers.py, and what follows an accepted one
in dispatch/wrap_up.py and dispatch/silence.py."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, Shift
from dispatch.models.runs import Run
from tickets.models import Ticket


class OfferState(models.TextChoices):
    """pending → accepted | declined | expired | rescinded | revoked | cancelled; accepted → completed | released.

    A database trigger refuses any other step.
    """

    PENDING = "pending", _("open")
    ACCEPTED = "accepted", _("accepted")  # this agent was first, in time: the holder
    DECLINED = "declined", _("declined")  # the agent said no; beside p (matching/score.py) nothing follows
    EXPIRED = "expired", _("expired")  # the deadline passed; the agent is paused, one click returns
    RESCINDED = "rescinded", _("taken by another")  # another of the parallel offers won
    REVOKED = "revoked", _("revoked")  # the agent went offline, the lease ended, or an admin did it
    CANCELLED = "cancelled", _("no longer needed")  # the customer left
    COMPLETED = "completed", _("completed")  # the holder resolved the ticket
    RELEASED = "released", _("handed back")  # the holder handed it back or dropped out


class Offer(models.Model):
    """One ticket, one agent, one deadline. It takes units of the agent's shift while it is pending (unless it is a next-up),
    accepted, or in wrap-up.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="offers", verbose_name=_("ticket"))
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="offers", verbose_name=_("agent"))
    shift = models.ForeignKey(Shift, models.PROTECT, related_name="offers", verbose_name=_("shift"))
    # Null for practice alone: no run made it.
    run = models.ForeignKey(
        Run, models.PROTECT, null=True, blank=True, related_name="made", verbose_name=_("run")
    )
    state = models.CharField(_("state"), max_length=10, choices=OfferState, default=OfferState.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    units = models.PositiveSmallIntegerField(_("units"))
    # What a customer who has been silent for long does not need of them: units + units_spared is what the ticket asks for.
    units_spared = models.PositiveSmallIntegerField(_("units spared"), default=0, db_default=0)
    silent_since = models.DateTimeField(_("customer silent since"), null=True, blank=True)
    # Made while the agent wrapped up their last ticket: it takes no units until they accept.
    next_up = models.BooleanField(_("next-up"), default=False, db_default=False)
    pay_cents = models.PositiveIntegerField(
        _("pay in cents")
    )  # fixed when offered: what the card says is what is paid
    surge_cents = models.PositiveIntegerField(
        _("surge in cents"), default=0, db_default=0
    )  # on top of the pay
    currency = models.CharField(_("currency"), max_length=3)
    # What else the work on it may pay (dispatch/pricing.py, Terms); fixed when offered, like the pay.
    terms = models.JSONField(_("terms"), default=dict, db_default=Value({}, models.JSONField()))
    why = models.JSONField(
        _("why"), default=dict
    )  # a Reason of dispatch/matching/explain.py: terms, no text of anybody
    # Made to somebody who accepts automatically: the run is about to. Once accepted: whether it was so, or by hand after all.
    automatic = models.BooleanField(_("automatic"), default=False, db_default=False)
    made_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("deadline"))
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)  # when it left pending
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    wrap_until = models.DateTimeField(_("wrap-up until"), null=True, blank=True)  # null: none, or over

    # "Send and resolve": when the ticket is resolved, unless that is undone or the customer writes after this message.
    resolves_at = models.DateTimeField(_("resolves at"), null=True, blank=True)
    resolves_after = models.PositiveIntegerField(_("number of the last message then"), null=True, blank=True)

    LIVE: ClassVar = (OfferState.PENDING, OfferState.ACCEPTED)
    ON_DESK: ClassVar = Q(state=OfferState.ACCEPTED) | Q(wrap_until__isnull=False)  # held, or in wrap-up

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["ticket"], condition=Q(state="accepted"), name="offer_one_holder_a_ticket"
            ),
            models.UniqueConstraint(
                fields=["ticket", "agent"], condition=Q(state="pending"), name="offer_one_pending_a_pair"
            ),
            models.UniqueConstraint(
                fields=["agent"], condition=Q(state="pending"), name="offer_one_pending_an_agent"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", answered_at__isnull=True)
                | (~Q(state="pending") & Q(answered_at__isnull=False)),
                name="offer_answered_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "accepted"], ended_at__isnull=True)
                | (~Q(state__in=["pending", "accepted"]) & Q(ended_at__isnull=False)),
                name="offer_ended_at_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(wrap_until__isnull=True) | Q(state="completed"), name="offer_wrap_up_after_work"
            ),
            models.CheckConstraint(
                condition=Q(resolves_at__isnull=True) | Q(state="accepted", resolves_after__isnull=False),
                name="offer_resolves_while_held",
            ),
            models.CheckConstraint(
                condition=Q(run__isnull=False) | Q(pay_cents=0, surge_cents=0, terms={}, automatic=False),
                name="offer_without_run_pays_nothing",
            ),
        ]
        indexes = [
            # Offers come in the order of their time: what was made in half an hour lies on a few pages.
            BrinIndex(fields=["made_at"], name="offer_by_time", autosummarize=True),
            models.Index(
                fields=["resolves_at"], name="offer_resolves_soon", condition=Q(resolves_at__isnull=False)
            ),
            models.Index(fields=["expires_at"], name="offer_pending_deadline", condition=Q(state="pending")),
            models.Index(
                fields=["shift"], name="offer_live_of_shift", condition=Q(state__in=["pending", "accepted"])
            ),
            models.Index(
                fields=["shift", "wrap_until"],
                name="offer_wrap_up_of_shift",
                condition=Q(wrap_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.state}"
