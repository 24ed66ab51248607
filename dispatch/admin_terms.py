"""The terms of work in Django admin: policies in versions with what differs, rates with what applies when."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format, localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents.models import Pool
from agents.pay.statements import decimal
from dispatch.backoffice.pools import own_pools, reached
from dispatch.models import Policy, Rate
from dispatch.views.lead.access import read_number
from tickets.models import Topic

SAME = (
    "id",
    "pool",
    "version",
    "current",
    "note",
    "created_at",
)  # what a version is called, not what it says


def differing(old: Policy, new: Policy) -> list[tuple[str, Any, Any]]:
    """(name of the term, its value in the one, in the other) for all that are not equal."""
    found = []
    for field in Policy._meta.concrete_fields:
        was, becomes = getattr(old, field.attname), getattr(new, field.attname)
        if field.name not in SAME and was != becomes:
            found.append((capfirst(str(field.verbose_name)), was, becomes))
    return found


def _differences(old: Policy | None, new: Policy | None) -> SafeString | str:
    if old is None or new is None:
        return gettext("It is the first one.")
    lines = differing(old, new)
    if not lines:
        return gettext("Nothing.")
    head = format_html(
        '<tr><th scope="col">{}</th><th scope="col">{}</th><th scope="col">{}</th></tr>',
        gettext("term"),
        gettext("version %(number)d") % {"number": old.version},
        gettext("version %(number)d") % {"number": new.version},
    )
    rows = format_html_join(
        "",
        '<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>',
        ((name, _value(was), _value(becomes)) for name, was, becomes in lines),
    )
    return format_html("<table><thead>{}</thead><tbody>{}</tbody></table>", head, rows)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(localize(value))


@admin.register(Policy)
class PolicyAdmin(admin.ModelAdmin[Policy]):
    """A version is never edited: "Save as new" of a version, or "Add", makes the next one and puts it in force."""

    list_display = ("pool", "version", "current", "note", "created_at")
    list_filter = ("current", "pool")
    list_select_related = ("pool",)
    exclude = ("version", "current")
    save_as = True
    view_on_site = False

    def get_readonly_fields(self, request: HttpRequest, obj: Policy | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return ("version", "current", "created_at", "before", "in_force") if obj else ()

    @admin.display(description=_("what it changed of the version before"))
    def before(self, policy: Policy) -> SafeString | str:
        earlier = Policy.objects.filter(pool_id=policy.pool_id, version__lt=policy.version)
        return _differences(earlier.order_by("-version").first(), policy)

    @admin.display(description=_("what differs from the version in force"))
    def in_force(self, policy: Policy) -> SafeString | str:
        if policy.current:
            return str(_("This is the version in force."))
        return _differences(policy, Policy.objects.filter(pool_id=policy.pool_id, current=True).first())

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new version starts from the current one of the pool that the address names."""
        initial: dict[str, Any] = dict(super().get_changeform_initial_data(request))
        pool_id = read_number(str(initial.get("pool", "")))
        initial.pop("pool", None)
        seen = reached(own_pools(request), Policy.objects.filter(pool_id=pool_id, current=True))
        current = seen.values().first()
        if reached(own_pools(request), Pool.objects.filter(pk=pool_id)).exists():
            initial["pool"] = pool_id
        return {
            **{k: v for k, v in (current or {}).items() if k not in ("id", "created_at", "note")},
            **initial,
        }

    def has_delete_permission(self, request: HttpRequest, obj: Policy | None = None) -> bool:  # noqa: ARG002
        return False

    def save_model(self, request: HttpRequest, obj: Policy, form: Any, change: bool) -> None:  # noqa: ARG002
        """Always a new version, also when somebody pressed plain "Save" on an old one."""
        with transaction.atomic():
            Pool.objects.select_for_update().get(pk=obj.pool_id)
            latest = Policy.objects.filter(pool_id=obj.pool_id).order_by("-version").first()
            Policy.objects.filter(pool_id=obj.pool_id, current=True).update(current=False)
            obj.pk, obj.version, obj.current = None, (latest.version if latest else 0) + 1, True
            obj._state.adding = True
            obj.save(force_insert=True)
        if change:
            messages.info(
                request, _("Versions are never edited: this was saved as version %d.") % obj.version
            )


@admin.register(Rate)
class RateAdmin(admin.ModelAdmin[Rate]):
    """A rate applies until the next of its topic begins, so two never overlap; where none does is said above the list."""

    list_display = ("topic_name", "amount", "valid_from", "until", "applies")
    list_filter = ("topic", "currency")
    list_select_related = ("topic",)
    date_hierarchy = "valid_from"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rate]:
        of = Coalesce("topic_id", Value(0))
        later = Rate.objects.annotate(of=of).filter(
            of=Coalesce(OuterRef("topic_id"), Value(0)), valid_from__gt=OuterRef("valid_from")
        )
        following = Subquery(later.order_by("valid_from").values("valid_from")[:1])
        return super().get_queryset(request).annotate(following=following)

    @admin.display(description=_("topic"), ordering="topic__position")
    def topic_name(self, rate: Rate) -> str:
        return rate.topic.name if rate.topic else "*"

    @admin.display(description=_("amount"), ordering="amount_cents")
    def amount(self, rate: Rate) -> str:
        return f"{decimal(rate.amount_cents)} {rate.currency}"

    @admin.display(description=_("until"), ordering="following", empty_value="–")
    def until(self, rate: Any) -> Any:
        return rate.following

    @admin.display(description=_("applies"))
    def applies(self, rate: Any) -> str:
        today = timezone.localdate()
        if rate.valid_from > today:
            return gettext("later")
        return gettext("no longer") if rate.following and rate.following <= today else gettext("now")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET":
            for line in gaps():
                messages.warning(request, line)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: Rate, form: Any, change: bool) -> None:
        """Says what it takes the place of, and until when."""
        super().save_model(request, obj, form, change)
        others = Rate.objects.filter(topic=obj.topic).exclude(pk=obj.pk)
        before = others.filter(valid_from__lt=obj.valid_from).order_by("-valid_from").first()
        after = others.filter(valid_from__gt=obj.valid_from).order_by("valid_from").first()
        if before is not None:
            words = gettext("From then on it takes the place of %(rate)s.") % {"rate": before}
            messages.info(request, words)
            if before.currency != obj.currency:
                messages.warning(request, gettext("The currency is another than before."))
        if after is not None:
            day = date_format(after.valid_from, "SHORT_DATE_FORMAT")
            messages.info(
                request,
                gettext("It applies until %(day)s, when %(rate)s begins.") % {"day": day, "rate": after},
            )


def gaps() -> list[str]:
    """For which topics nothing is paid today, in words. Two queries."""
    today = timezone.localdate()
    begun = set(Rate.objects.filter(valid_from__lte=today).values_list("topic_id", flat=True))
    if None in begun:  # the default stands in for each
        return []
    without = [str(topic) for topic in Topic.objects.all() if topic.pk not in begun]
    found = [gettext("There is no default rate (without a topic) that has begun.")]
    if without:
        found.append(gettext("Nothing is paid today for: %(topics)s.") % {"topics": ", ".join(without)})
    return found
