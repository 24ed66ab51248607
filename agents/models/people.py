"""User, Agent, Pool, Skill, AgentSkill."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Accounts are found by e-mail, in any case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("an account needs an e-mail address")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractUser):
    """An account: agent, team lead or admin. The e-mail is the log-in name."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="en")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new password, however it is set, ends what the old one has opened (agents/accounts.py).

        A hash that is only written anew does not. The browser in which it was changed gets a new session after this.
        """
        from agents.accounts import access_withdraw  # noqa: PLC0415  it imports these models

        fields = kwargs.get("update_fields")
        written = not self._state.adding and (fields is None or "password" in fields)
        changed = written and (getattr(self, "_password", None) is not None or self._password_taken_away())
        with transaction.atomic():
            super().save(*args, **kwargs)
            if changed:
                access_withdraw(self.pk)

    def _password_taken_away(self) -> bool:
        """Whether set_unusable_password() has just been called: an account that had none before keeps what is open."""
        stored = type(self).objects.filter(pk=self.pk).values_list("password", flat=True)
        return not self.has_usable_password() and stored.first() != self.password

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Named(models.Model):
    """A key and a name in each language."""

    key = models.SlugField(_("key"), unique=True)
    name_en = models.CharField(_("name in English"), max_length=80)
    name_de = models.CharField(_("name in German"), max_length=80)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_in(get_language() or "en")

    def name_in(self, language: str) -> str:
        return self.name_de if language.startswith("de") else self.name_en


class Pool(Named):
    """A named group of agents."""

    # Who administers it, if they see their own pools only (dispatch/backoffice/pools.py); others need not be named.
    admins = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="administers",
        blank=True,
        verbose_name=_("pool admins"),
        help_text=_("Accounts of the group “Pool admins”: they see this pool in the admin, and no other."),
    )

    class Meta:
        verbose_name = _("pool")
        verbose_name_plural = _("pools")
        ordering = ["key"]
        permissions = [("own_pools", _("Sees in the admin what belongs to own pools only"))]


class Skill(Named):
    """What an agent can do, on levels 1–5."""

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        ordering = ["key"]


class AgentStatus(models.TextChoices):
    APPLIED = "applied", _("applied")
    ADMITTED = "admitted", _("admitted")  # may go online
    REJECTED = "rejected", _("not admitted")
    SUSPENDED = (
        "suspended",
        _("suspended"),
    )  # all but the first and the last: only a person decides this (Decision)
    LEFT = "left", _("has left")  # by their own choice (dispatch/leaving.py)


def default_languages() -> list[str]:
    return ["en"]


class Agent(models.Model):
    """A person who goes online on demand."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="agent", verbose_name=_("account")
    )
    name = models.CharField(_("name shown to customers"), max_length=60, help_text=_("Chosen by the agent."))
    status = models.CharField(_("status"), max_length=10, choices=AgentStatus, default=AgentStatus.APPLIED)
    pools = models.ManyToManyField(Pool, related_name="members", blank=True, verbose_name=_("pools"))
    skills = models.ManyToManyField(
        Skill, through="AgentSkill", related_name="agents", verbose_name=_("skills")
    )
    languages = ArrayField(
        models.CharField(max_length=5), verbose_name=_("languages"), default=default_languages
    )
    units = models.PositiveSmallIntegerField(
        _("capacity in units of attention"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    # Their own choice, kept over shifts (dispatch/automatic.py).
    auto_accept = models.BooleanField(_("accepts offers automatically"), default=False, db_default=False)
    # Added to the time in which they may answer each offer: a setting of accessibility, theirs and the admins'.
    extra_seconds = models.PositiveSmallIntegerField(
        _("more time to answer offers, in seconds"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(120)],
        help_text=_("Chosen by the agent, for whatever reason; nobody has to give one. At most 120."),
    )
    # Since when they are leaving or gone: nobody goes online after it (dispatch/leaving.py).
    leaving_since = models.DateTimeField(_("leaves since"), null=True, blank=True, editable=False)
    # A name of the IANA database; empty: the house's. The clock of all that they are shown, of booked hours and quiet hours.
    time_zone = models.CharField(_("time zone"), max_length=40, blank=True, default="", db_default="")
    last_epoch = models.PositiveIntegerField(_("number of the last shift"), default=0, editable=False)
    # When they first passed a practice ticket (dispatch/practice.py); who admits them sees it, and no program asks for it.
    practised_at = models.DateTimeField(_("practice passed"), null=True, blank=True, editable=False)
    # Rises with each change of skills or languages (a trigger, so that imports count too): the matcher's cache key.
    profile_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["name"]
        permissions = [
            ("export_agent", _("Exports agents, with names and addresses")),
            ("import_agent", _("Imports agents")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(units__gte=1, units__lte=100), name="agent_units_1_to_100"
            ),
            models.CheckConstraint(
                condition=models.Q(extra_seconds__lte=120), name="agent_extra_seconds_to_120"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """Where the agent's clock stands. A name that this machine does not know counts as none."""
        try:
            return ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo(settings.TIME_ZONE)


class AgentSkill(models.Model):
    """A skill that an agent has, and how well."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="agent_skills", verbose_name=_("agent"))
    skill = models.ForeignKey(Skill, models.PROTECT, related_name="agent_skills", verbose_name=_("skill"))
    level = models.PositiveSmallIntegerField(
        _("level"), default=1, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    certified_until = models.DateField(
        _("certified until"),
        null=True,
        blank=True,
        help_text=_("The last day on which the certificate for this skill is valid. Empty: there is none."),
    )

    class Meta:
        verbose_name = _("skill of an agent")
        verbose_name_plural = _("skills of agents")
        constraints = [
            models.UniqueConstraint(fields=["agent", "skill"], name="agent_skill_once"),
            models.CheckConstraint(
                condition=models.Q(level__gte=1, level__lte=5), name="agent_skill_level_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {self.level}"
