"""Agents as a file: pools, skills with levels, languages. Written and read by django-import-export (docs/admin.md).

A file changes agents that are there. It makes none: people apply, and a person admits them (ADR 18).
"""

import csv
import io
from collections.abc import Iterable
from typing import Any

import tablib
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from import_export import fields, resources

from agents.membership import Wanted, profile_set
from agents.models import Agent, AgentStatus, Pool, Skill
from agents.spreadsheets import disarmed
from dispatch.backoffice.pools import CHANGES, Own, reached

COLUMNS = ("email", "name", "status", "languages", "pools", "skills")
READ = ("languages", "pools", "skills")  # the others are for who reads the file
MOST_BYTES = 1_000_000
MOST_LINES = 5_000


def addable(own: Own | None) -> QuerySet[Agent]:
    """Agents whom they may take into their pools: whom they see, and who is admitted and in no pool at all."""
    everybody = Agent.objects.all()
    if own is None:
        return everybody
    seen = reached(own, everybody).values("pk")
    return everybody.filter(Q(pk__in=seen) | Q(status=AgentStatus.ADMITTED, pools__isnull=True))


def read_file(content: bytes) -> tablib.Dataset:
    """Comma or semicolon, UTF-8 with or without a mark. Raises ValidationError, with what is wrong in words."""
    if len(content) > MOST_BYTES:
        raise ValidationError(_("The file is too large: at most %(most)s bytes.") % {"most": MOST_BYTES})
    try:
        text = content.decode("utf-8-sig")
        if "\0" in text:
            raise ValueError
        head = text.partition("\n")[0]
        rows = list(
            csv.reader(
                io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True
            )
        )
    except (ValueError, csv.Error):
        raise ValidationError(_("This is no CSV file in UTF-8.")) from None
    if not rows:
        raise ValidationError(_("The file is empty."))
    headers = [name.strip().lower() for name in rows[0]]
    if "email" not in headers or len(set(headers)) < len(headers) or not set(headers) <= set(COLUMNS):
        raise ValidationError(
            _("The first line must name columns, of these: %(names)s.") % {"names": ", ".join(COLUMNS)}
        )
    if not set(headers) & set(READ):
        raise ValidationError(
            _("There is no column in it that changes anything: %(names)s.") % {"names": ", ".join(READ)}
        )
    lines = rows[1:]
    while lines and not any(lines[-1]):
        lines.pop()
    if not lines:
        raise ValidationError(_("There is no line in it but the first."))
    if len(lines) > MOST_LINES:
        raise ValidationError(_("The file is too long: at most %(most)s lines.") % {"most": MOST_LINES})
    found = tablib.Dataset(headers=headers)
    for number, line in enumerate(lines, start=2):
        if len(line) != len(headers) and line:
            raise ValidationError(
                _("Line %(line)s has %(has)s columns, the first has %(should)s.")
                % {"line": number, "has": len(line), "should": len(headers)}
            )
        found.append([cell.strip() for cell in line] or [""] * len(headers))
    return found


class AgentResource(resources.ModelResource):
    """Of somebody who sees `own` pools. Lines are those of the file: the first is 1, the first agent's is 2."""

    email = fields.Field(column_name="email")
    name = fields.Field(column_name="name")
    status = fields.Field(column_name="status")
    languages = fields.Field(column_name="languages")
    pools = fields.Field(column_name="pools")
    skills = fields.Field(column_name="skills")

    class Meta:
        model = Agent
        fields = COLUMNS
        export_order = COLUMNS
        import_id_fields = ("email",)
        use_transactions = True
        skip_diff = True
        skip_html_diff = True

    def __init__(self, own: Own | None) -> None:
        super().__init__()
        self.own = own
        self.told: dict[int, list[str]] = {}  # line → what becomes of it

    # --- out

    def rows(self, queryset: QuerySet[Agent]) -> Iterable[Agent]:
        return (
            queryset.select_related("user")
            .prefetch_related("pools", "agent_skills__skill")
            .order_by("user__email")
        )

    def as_csv(self, queryset: QuerySet[Agent]) -> str:
        # The list itself: a queryset would be read anew in chunks, without what was prefetched.
        dataset = self.export(list(self.rows(queryset)))
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(dataset.headers)
        writer.writerows([disarmed(str(cell)) for cell in row] for row in dataset)
        return out.getvalue()

    def iter_queryset(self, queryset: Any) -> Any:
        return iter(queryset)  # a list

    def dehydrate_email(self, agent: Agent) -> str:
        return agent.user.email

    def dehydrate_name(self, agent: Agent) -> str:
        return agent.name

    def dehydrate_status(self, agent: Agent) -> str:
        return agent.status

    def dehydrate_languages(self, agent: Agent) -> str:
        return " ".join(agent.languages)

    def dehydrate_pools(self, agent: Agent) -> str:
        return " ".join(
            sorted(pool.key for pool in agent.pools.all() if self.own is None or pool.pk in self.own)
        )

    def dehydrate_skills(self, agent: Agent) -> str:
        return " ".join(sorted(f"{one.skill.key}:{one.level}" for one in agent.agent_skills.all()))

    # --- in

    def before_import(self, dataset: Any, **kwargs: Any) -> None:  # noqa: ARG002  the library's signature
        """Everybody at once, locked in the order of their ids as all who lock agents do."""
        emails = {str(one).lower() for one in dataset["email"]}
        locked = Agent.objects.select_for_update(no_key=True, of=("self",)).filter(
            pk__in=addable(self.own).filter(user__email__in=emails).values("pk")
        )
        agents = list(locked.select_related("user").prefetch_related("pools", "agent_skills").order_by("pk"))
        self._agents = {agent.user.email: agent for agent in agents}
        self._pools = {pool.key: pool.pk for pool in reached(self.own, Pool.objects.all())}
        self._pool_keys = {pk: key for key, pk in self._pools.items()}
        self._skills = {skill.key: skill.pk for skill in Skill.objects.all()}
        self._skill_keys = {pk: key for key, pk in self._skills.items()}
        ids = [agent.pk for agent in agents]
        narrower = CHANGES[Agent](self.own) if self.own is not None else Q()
        self._whole = set(Agent.objects.filter(narrower, pk__in=ids).values_list("pk", flat=True))
        self._seen: set[int] = set()

    def get_instance(self, instance_loader: Any, row: Any) -> Agent | None:  # noqa: ARG002  the library's signature
        return self._agents.get(row["email"].lower())

    def init_instance(self, row: Any = None) -> Agent:
        if not any((row or {}).values()):
            raise ValidationError(_("This line is empty."))
        raise ValidationError(_("There is no agent with this address."))

    def import_instance(self, instance: Agent, row: Any, **kwargs: Any) -> None:  # noqa: ARG002  the library's signature
        if instance.pk in self._seen:
            raise ValidationError(_("This address is in the file twice."))
        self._seen.add(instance.pk)
        wrong: list[str] = []
        wanted = Wanted(
            pools=self._read_pools(row["pools"], wrong) if "pools" in row else None,
            skills=self._read_skills(row["skills"], wrong) if "skills" in row else None,
            languages=self._read_languages(row["languages"], wrong) if "languages" in row else None,
        )
        if (
            wanted.pools
            and instance.status != AgentStatus.ADMITTED
            and not wanted.pools <= self._in(instance)
        ):
            wrong.append(_("Who is not admitted can be in no pool."))
        lines = self._differences(instance, wanted)
        profile = [name for name, _line in lines if name != "pools"]
        if profile and instance.pk not in self._whole:
            wrong.append(_("They also work elsewhere: skills and languages are not yours to change."))
        if wrong:
            raise ValidationError(wrong)
        instance._wanted = wanted  # type: ignore[attr-defined]
        instance._lines = [line for _name, line in lines]  # type: ignore[attr-defined]

    def _read_pools(self, cell: str, wrong: list[str]) -> frozenset[int]:
        keys = cell.split()
        wrong += [_("There is no pool “%(key)s”.") % {"key": key} for key in keys if key not in self._pools]
        return frozenset(self._pools[key] for key in keys if key in self._pools)

    def _read_skills(self, cell: str, wrong: list[str]) -> dict[int, int]:
        found: dict[int, int] = {}
        for one in cell.split():
            key, _colon, level = one.partition(":")
            if key not in self._skills:
                wrong.append(_("There is no skill “%(key)s”.") % {"key": key})
            elif level not in ("1", "2", "3", "4", "5"):
                wrong.append(_("The level of “%(key)s” must be a number from 1 to 5.") % {"key": key})
            elif self._skills[key] in found:
                wrong.append(_("“%(key)s” is there twice.") % {"key": key})
            else:
                found[self._skills[key]] = int(level)
        return found

    def _read_languages(self, cell: str, wrong: list[str]) -> tuple[str, ...]:
        codes = tuple(dict.fromkeys(cell.lower().split()))
        known = dict(settings.LANGUAGES)
        wrong += [_("There is no language “%(key)s”.") % {"key": code} for code in codes if code not in known]
        if not codes:
            wrong.append(_("An agent speaks one language at least."))
        return codes

    def _in(self, agent: Agent) -> frozenset[int]:
        return frozenset(pool.pk for pool in agent.pools.all() if pool.pk in self._pool_keys)

    def _differences(self, agent: Agent, wanted: Wanted) -> list[tuple[str, str]]:
        levels = {one.skill_id: one.level for one in agent.agent_skills.all()}
        found = []
        if wanted.pools is not None and wanted.pools != self._in(agent):
            was, will = (sorted(self._pool_keys[pk] for pk in pks) for pks in (self._in(agent), wanted.pools))
            found.append(("pools", f"{_('pools')}: {' '.join(was) or '–'} → {' '.join(will) or '–'}"))
        if wanted.skills is not None and dict(wanted.skills) != levels:
            was, will = (
                sorted(f"{self._skill_keys[pk]}:{level}" for pk, level in of.items())
                for of in (levels, wanted.skills)
            )
            found.append(("skills", f"{_('skills')}: {' '.join(was) or '–'} → {' '.join(will) or '–'}"))
        if wanted.languages is not None and set(wanted.languages) != set(agent.languages):
            now, then = " ".join(agent.languages), " ".join(wanted.languages)
            found.append(("languages", f"{_('languages')}: {now or '–'} → {then}"))
        return found

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:  # noqa: ARG002  the library's signature
        return not import_validation_errors and not instance._lines

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if not kwargs.get("dry_run"):
            profile_set(agent_id=instance.pk, wanted=instance._wanted, within=self.own)

    def save_m2m(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """All is done by the service."""

    def after_import_row(self, row: Any, row_result: Any, **kwargs: Any) -> None:  # noqa: ARG002
        agent = self._agents.get(row["email"].lower())
        self.told[kwargs["row_number"] + 1] = getattr(agent, "_lines", [])


def bring_in(own: Own | None, dataset: tablib.Dataset, *, dry: bool) -> tuple[list[dict[str, Any]], bool]:
    """(lines, whether all are right). With `dry`, or with one wrong line, nothing is changed.

    A line is {"line", "email", "says": [what changes], "wrong": [why not]}.
    """
    resource = AgentResource(own)
    result = resource.import_data(
        dataset, dry_run=dry, use_transactions=True, raise_errors=False, rollback_on_validation_errors=True
    )
    for error in result.base_errors:
        raise error.error
    wrong = {row.number + 1: row.error.messages for row in result.invalid_rows}
    for broken in result.error_rows:
        raise broken.errors[0].error  # a fault of ours, no wrong line
    lines = [
        {
            "line": line,
            "email": row["email"],
            "says": resource.told.get(line, []) if line not in wrong else [],
            "wrong": wrong.get(line, []),
        }
        for line, row in enumerate(dataset.dict, start=2)
    ]
    return lines, not wrong
