"""How a topic finds people and what it pays: Route, RouteStep, Requirement, Rate, Policy. Made by admins, read by runs."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from agents.models import Pool, Skill
from dispatch.matching.weights import Weights
from tickets.models import Topic


class Route(models.Model):
    """How the tickets of one topic find people. The one without a topic serves tickets of no or an unrouted topic."""

    topic = models.OneToOneField(
        Topic, models.CASCADE, null=True, blank=True, related_name="route", verbose_name=_("topic")
    )
    pool = models.ForeignKey(Pool, models.PROTECT, related_name="routes", verbose_name=_("pool"))
    offer_seconds = models.PositiveSmallIntegerField(
        _("seconds to answer an offer"), default=20, validators=[MinValueValidator(5), MaxValueValidator(600)]
    )
    units = models.PositiveSmallIntegerField(
        _("units of attention"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Of 100 that a person has: voice 100, chat 25–34, mail 10–20."),
    )
    expected_minutes = models.PositiveSmallIntegerField(_("expected minutes of work"), default=6)
    target_seconds = models.PositiveIntegerField(_("target: seconds to a person"), default=60)
    max_wait_seconds = models.PositiveIntegerField(
        _("seconds after which it is served before any younger ticket"), default=600
    )
    least_level = models.PositiveSmallIntegerField(
        _("lowest level of required skills at first"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("Above the requirements: the best are asked first, and a step lets the others in."),
    )
    known_seconds = models.PositiveSmallIntegerField(
        _("seconds to wait for somebody who knows the customer"),
        default=15,
        help_text=_("Only while somebody who has helped this customer before is online. 0: nobody waits."),
    )
    wrap_up_seconds = models.PositiveSmallIntegerField(
        _("seconds of wrap-up"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(3600)],
        help_text=_(
            "After a ticket is resolved its units stay taken for so long, for notes and a breath. 0: none."
        ),
    )
    silent_seconds = models.PositiveIntegerField(
        _("seconds after which a customer counts as silent"),
        default=300,
        db_default=300,
        help_text=_("Since the agent's last message. 0: never."),
    )
    silent_units = models.PositiveSmallIntegerField(
        _("units of attention while the customer is silent"),
        default=10,
        db_default=10,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Never more than the ticket takes anyway."),
    )
    snooze_hours = models.PositiveSmallIntegerField(
        _("hours for which a ticket can be put aside"),
        default=168,
        db_default=168,
        validators=[MaxValueValidator(24 * 60)],
        help_text=_("At the most. 0: not at all."),
    )

    answer_minutes = models.PositiveIntegerField(
        _("minutes to an answer by mail, when nobody is online"),
        default=240,
        db_default=240,
        help_text=_(
            "Open minutes. The customer is promised it, and the promise is tracked. 0: nothing is promised."
        ),
    )

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["topic__position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool"], condition=Q(topic__isnull=True), name="route_default_once_a_pool"
            ),
            models.CheckConstraint(condition=Q(units__gte=1, units__lte=100), name="route_units_1_to_100"),
            models.CheckConstraint(
                condition=Q(silent_units__gte=1, silent_units__lte=100), name="route_silent_units_1_to_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic or '*'} → {self.pool}"


class RouteStep(models.Model):
    """From some seconds of waiting on: a further pool may take the ticket, or the same one with lower levels.

    Nothing is taken away: who could take it before still can (dispatch/rules/steps.py).
    """

    route = models.ForeignKey(Route, models.CASCADE, related_name="steps", verbose_name=_("route"))
    after_seconds = models.PositiveIntegerField(
        _("seconds of waiting"), validators=[MinValueValidator(1), MaxValueValidator(30 * 24 * 3600)]
    )
    pool = models.ForeignKey(Pool, models.PROTECT, related_name="route_steps", verbose_name=_("pool"))
    least_level = models.PositiveSmallIntegerField(
        _("lowest level of required skills"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("1: what the requirements say. They are never relaxed."),
    )
    preferred = models.BooleanField(_("preferred skills still count"), default=True)

    class Meta:
        verbose_name = _("step of a route")
        verbose_name_plural = _("steps of routes")
        ordering = ["after_seconds", "id"]
        constraints = [
            models.UniqueConstraint(fields=["route", "pool", "after_seconds"], name="step_once_a_moment"),
            models.CheckConstraint(condition=Q(after_seconds__gte=1), name="step_after_the_first"),
            models.CheckConstraint(
                condition=Q(least_level__gte=1, least_level__lte=5), name="step_level_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.after_seconds} s → {self.pool}"


class Requirement(models.Model):
    """A skill that a topic needs (never relaxed) or prefers."""

    route = models.ForeignKey(Route, models.CASCADE, related_name="requirements", verbose_name=_("route"))
    skill = models.ForeignKey(Skill, models.PROTECT, related_name="+", verbose_name=_("skill"))
    level = models.PositiveSmallIntegerField(
        _("lowest level"), default=1, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    required = models.BooleanField(_("required"), default=True)
    certificate = models.BooleanField(
        _("with a valid certificate"),
        default=False,
        db_default=False,
        help_text=_("Whose certificate for this skill is missing or has expired is not asked."),
    )

    class Meta:
        verbose_name = _("requirement")
        verbose_name_plural = _("requirements")
        constraints = [
            models.UniqueConstraint(fields=["route", "skill"], name="requirement_skill_once_a_route"),
            models.CheckConstraint(
                condition=Q(certificate=False) | Q(required=True),
                name="requirement_certificate_only_required",
                violation_error_message=_("Only a required skill can need a certificate."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} ≥ {self.level}"


class Rate(models.Model):
    """What a ticket of a topic pays from a date on. The one without a topic is the default."""

    topic = models.ForeignKey(
        Topic, models.CASCADE, null=True, blank=True, related_name="rates", verbose_name=_("topic")
    )
    amount_cents = models.PositiveIntegerField(_("amount in cents"))
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    valid_from = models.DateField(_("valid from"))
    waiting_cents_per_minute = models.PositiveSmallIntegerField(
        _("cents for each minute of waiting for the customer"),
        default=0,
        db_default=0,
        help_text=_("From the agent's message to the customer's next one."),
    )
    waiting_minutes = models.PositiveSmallIntegerField(
        _("minutes of waiting that are paid at most"), default=30, db_default=30
    )
    release_percent = models.PositiveSmallIntegerField(
        _("percent of the pay for work on a ticket that is handed over"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("Handed back, transferred, or dropped; if the agent has written to the customer."),
    )
    bonus_cents = models.PositiveIntegerField(_("quality bonus in cents"), default=0, db_default=0)
    bonus_score = models.PositiveSmallIntegerField(
        _("lowest rating that earns the bonus"),
        default=5,
        db_default=5,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )

    class Meta:
        verbose_name = _("rate")
        verbose_name_plural = _("rates")
        ordering = ["topic__position", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["topic", "valid_from"], nulls_distinct=False, name="rate_once_a_topic_and_date"
            )
        ]

    def __str__(self) -> str:
        return f"{self.topic or '*'}: {self.amount_cents / 100:.2f} {self.currency}"


MOST_WEIGHT = 1000
WEIGHT = [MinValueValidator(0), MaxValueValidator(MOST_WEIGHT)]
WEIGHTS = (
    "fit",
    "wait",
    "wait_cap",
    "priority",
    "fairness",
    "known",
    "load",
    "scarcity",
    "quality",
    "booked",
)


class Policy(models.Model):
    """A version of the weights of a pool. Never edited in place: a new version replaces the current one."""

    pool = models.ForeignKey(Pool, models.PROTECT, related_name="policies", verbose_name=_("pool"))
    version = models.PositiveIntegerField(_("version"))
    current = models.BooleanField(_("current"), default=True)
    fit = models.FloatField(_("fit"), default=Weights.fit, validators=WEIGHT)
    wait = models.FloatField(_("wait"), default=Weights.wait, validators=WEIGHT)
    wait_cap = models.FloatField(_("cap of wait ÷ target"), default=Weights.wait_cap, validators=WEIGHT)
    priority = models.FloatField(_("priority"), default=Weights.priority, validators=WEIGHT)
    fairness = models.FloatField(_("fair share"), default=Weights.fairness, validators=WEIGHT)
    known = models.FloatField(_("known agent"), default=Weights.known, validators=WEIGHT)
    load = models.FloatField(_("load"), default=Weights.load, validators=WEIGHT)
    scarcity = models.FloatField(_("scarcity of skills"), default=Weights.scarcity, validators=WEIGHT)
    # A version that is in force stays what it was: the column's default is 0, that of a new version is not.
    quality = models.FloatField(
        _("quality"),
        default=0.3,
        db_default=0.0,
        validators=WEIGHT,
        help_text=_(
            "Ratings and reviews, drawn towards the usual while there are few. 0: they do not count."
        ),
    )
    review_percent = models.PositiveSmallIntegerField(
        _("percent of resolved tickets that are reviewed"),
        default=5,
        db_default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("A random sample. 0: none."),
    )
    peer_level = models.PositiveSmallIntegerField(
        _("level from which colleagues may review"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(5)],
        help_text=_("In every skill that the ticket required. 0: team leads only."),
    )
    booked = models.FloatField(
        _("booked hour"), default=Weights.booked, db_default=Weights.booked, validators=WEIGHT
    )
    max_parallel = models.PositiveSmallIntegerField(
        _("offers of one ticket at once"), default=3, validators=[MinValueValidator(1), MaxValueValidator(3)]
    )
    rescinded_percent = models.PositiveSmallIntegerField(
        _("percent of offers at most that another is faster at"),
        default=50,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("Above it fewer are asked at once, until it is kept again."),
    )
    next_up = models.BooleanField(
        _("offer the next ticket while the last one is wrapped up"), default=True, db_default=True
    )
    exploration_percent = models.PositiveSmallIntegerField(
        _("percent of tickets that go to newcomers first"),
        default=5,
        db_default=5,
        validators=[MinValueValidator(0), MaxValueValidator(50)],
        help_text=_("So that who has answered few offers yet is not always passed over. 0: none."),
    )
    reserve_seconds = models.PositiveSmallIntegerField(
        _("seconds in which a new ticket waits for somebody whom it suits"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(120)],
        help_text=_("Urgent tickets, and those of customers whom somebody knows, never do. 0: none does."),
    )
    reserve = models.FloatField(
        _("points that a person must be worth in these seconds, and beside others"),
        default=Weights.reserve,
        db_default=Weights.reserve,
        validators=[MinValueValidator(0)],
        help_text=_(
            "Of skill, fair share, quality and booked hour, less load and rare skills. Who has less is not asked while another is. 0: nothing is asked for."  # noqa: E501  one sentence of the catalogue
        ),
    )
    surge_percent = models.PositiveSmallIntegerField(
        _("surge: percent on top of the pay"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(300)],
        help_text=_("While many wait. Shown before accepting, as a line of its own. 0: never."),
    )
    surge_from = models.FloatField(
        _("surge: from so many waiting tickets for each free agent"),
        default=3.0,
        db_default=3.0,
        validators=[MinValueValidator(0)],
    )
    call_from = models.PositiveSmallIntegerField(
        _("call people who are offline from so many waiting tickets"),
        default=3,
        db_default=3,
        help_text=_("That ask for the same, while nobody is free. Only who has agreed to it. 0: never."),
    )
    call_hours = models.PositiveSmallIntegerField(
        _("hours in which nobody is called twice"), default=6, db_default=6, validators=[MinValueValidator(1)]
    )
    booking_days = models.PositiveSmallIntegerField(
        _("days ahead that an hour can be booked"),
        default=7,
        db_default=7,
        validators=[MaxValueValidator(60)],
    )
    booking_cap = models.PositiveSmallIntegerField(
        _("hours a week that one person can book"), default=20, db_default=20
    )
    reveals_an_hour = models.PositiveSmallIntegerField(
        _("places with personal data that a person can have shown an hour"),
        default=30,
        db_default=30,
        help_text=_("Names, addresses and numbers of customers are masked for agents. 0: they stay so."),
    )
    grace_seconds = models.PositiveSmallIntegerField(_("seconds a lost agent keeps held tickets"), default=60)
    snapshot_days = models.PositiveSmallIntegerField(
        _("days that what a run saw is kept"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("For “why not me” and to solve it again; the reasons of the offers stay."),
    )
    note = models.CharField(_("why"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("made"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        ordering = ["pool", "-version"]
        constraints = [
            # What the matching refuses would stop the runs of the pool.
            models.CheckConstraint(
                condition=Q(**{f"{name}__gte": 0 for name in WEIGHTS})
                & Q(**{f"{name}__lt": MOST_WEIGHT + 1 for name in WEIGHTS}),
                name="policy_weights_make_sense",
            ),
            models.UniqueConstraint(fields=["pool", "version"], name="policy_version_once"),
            models.UniqueConstraint(
                fields=["pool"], condition=Q(current=True), name="policy_one_current_a_pool"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pool} v{self.version}"
