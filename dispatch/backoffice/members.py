"""Pages on which members of pools come, go and move, many at once, and on which a file of agents is brought in."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from agents import membership
from agents.admin_asking import asked, user_id
from agents.models import Agent, Pool
from dispatch.backoffice.people import MOST_BYTES, AgentResource, addable, bring_in, read_file
from dispatch.backoffice.pools import own_pools, reached

TOLD = 20  # outcomes by name; the others are a number
BRINGS_IN = "dispatch.backoffice.members"  # salt of a file that waits on the page until somebody is sure
WAITS = 3600  # seconds it may


class AddressesForm(forms.Form):
    addresses = forms.CharField(
        label=_("E-mail addresses"),
        help_text=_("One a line, or with commas or blanks between them."),
        widget=forms.Textarea(attrs={"rows": 10, "cols": 60}),
        max_length=100_000,
    )

    def clean_addresses(self) -> str:
        return "\n".join(
            dict.fromkeys(self.cleaned_data["addresses"].lower().replace(",", " ").replace(";", " ").split())
        )


class PoolForm(forms.Form):
    pool = forms.ModelChoiceField(Pool.objects.all(), label=capfirst(_("pool")))

    def __init__(self, *args: Any, pools: QuerySet[Pool], **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = pools


class MoveForm(PoolForm):
    pool = forms.ModelChoiceField(Pool.objects.all(), label=_("From the pool"))
    to = forms.ModelChoiceField(Pool.objects.all(), label=_("To the pool"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("pool") and data.get("pool") == data.get("to"):
            self.add_error("to", _("This is the same pool."))
        return data


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("What would change is shown first. Nothing is changed while a line is wrong."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> bytes:
        file = self.cleaned_data["file"]
        return bytes(file.read(MOST_BYTES + 1))


def tell(request: HttpRequest, outcomes: membership.Outcomes) -> None:
    """What became of each, by name as far as that can be read."""
    done = sum(said in membership.DONE for _agent, said in outcomes)
    words = ngettext("%d agent: done.", "%d agents: done.", done) % done
    messages.success(request, words) if done else messages.warning(request, words)
    others = [(agent, said) for agent, said in outcomes if said not in membership.DONE]
    for agent, said in others[:TOLD]:
        messages.warning(request, f"{agent}: {said}")
    if (further := len(others) - TOLD) > 0:
        messages.warning(
            request, ngettext("and one more", "and %(further)d more", further) % {"further": further}
        )


def add(model_admin: Any, request: HttpRequest, pool_id: int) -> HttpResponse:
    """Members by their addresses: read, then said what would become of each, then done."""
    pool = get_object_or_404(model_admin.get_queryset(request), pk=pool_id)
    if not model_admin.has_change_permission(request, pool) or not request.user.has_perm(
        "agents.change_agent"
    ):
        raise PermissionDenied
    back = reverse("admin:agents_pool_change", args=[pool_id])
    title = gettext("Add members to %(pool)s") % {"pool": pool}
    form = AddressesForm(request.POST or None)
    if not (request.method == "POST" and form.is_valid()):
        return asked(
            request, model_admin.admin_site, title=title, back=back, form=form, button=gettext("Continue")
        )
    addresses = form.cleaned_data["addresses"].split()
    found = {agent.user.email: agent for agent in _of(request, addresses)}
    unknown = [address for address in addresses if address not in found]
    if unknown:
        form.add_error(
            "addresses",
            [
                gettext("There is no agent with this address: %(address)s") % {"address": one}
                for one in unknown[:TOLD]
            ],
        )
        return asked(
            request, model_admin.admin_site, title=title, back=back, form=form, button=gettext("Continue")
        )
    if "sure" not in request.POST:
        says = [
            gettext("They become members of %(pool)s:") % {"pool": pool},
            *(str(agent) for agent in found.values()),
        ]
        form = AddressesForm({"addresses": "\n".join(addresses)})
        return asked(request, model_admin.admin_site, title=title, back=back, form=form, says=says)
    tell(request, membership.members_add(pool_id=pool.pk, agent_ids=[agent.pk for agent in found.values()]))
    return redirect(back)


def _of(request: HttpRequest, addresses: list[str]) -> QuerySet[Agent]:
    return (
        addable(own_pools(request)).filter(user__email__in=addresses).select_related("user").order_by("name")
    )


def choose(
    model_admin: Any,
    request: HttpRequest,
    agents: QuerySet[Agent],
    *,
    action: str,
    title: str,
    form_class: type[PoolForm],
    act: Callable[[dict[str, Any], list[int]], membership.Outcomes],
) -> TemplateResponse | None:
    """The page on which the pool for the chosen agents is chosen; or, once it is, what became of each."""
    pools = reached(own_pools(request), Pool.objects.all())
    form = form_class(request.POST if "decided" in request.POST else None, pools=pools)
    rows = list(agents)
    if form.is_valid():
        tell(request, act(form.cleaned_data, [agent.pk for agent in rows]))
        return None
    context = model_admin.admin_site.each_context(request) | {
        "title": title,
        "button": title,
        "rows": rows,
        "form": form,
        "action": action,
        "opts": model_admin.opts,
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/agents/decide.html", context)


def export(request: HttpRequest, agents: QuerySet[Agent]) -> HttpResponse:
    """The chosen agents as a file. That it was taken out is in the log of the admin."""
    resource = AgentResource(own_pools(request))
    rows = list(agents.values_list("pk", flat=True))
    content = resource.as_csv(Agent.objects.filter(pk__in=rows))
    LogEntry.objects.create(
        user_id=user_id(request),
        content_type=ContentType.objects.get_for_model(Agent),
        object_repr=f"CSV, {len(rows)}",
        action_flag=CHANGE,
        change_message=f"Exported {len(rows)} agents.",
    )
    # With a mark, by which spreadsheets know UTF-8.
    response = HttpResponse("\ufeff" + content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="standby-agents.csv"'
    response["Cache-Control"] = "no-store"
    return response


def bring(site: admin.AdminSite, request: HttpRequest) -> HttpResponse:
    """A file: what it would change is shown line by line, and changed when somebody is sure; wrong lines stop all of it."""
    if not request.user.has_perm("agents.import_agent"):
        raise PermissionDenied
    back = reverse("admin:agents_agent_changelist")
    title = gettext("Import agents")
    form = FileForm(request.POST or None, request.FILES or None)
    own, sure = own_pools(request), "sure" in request.POST
    try:
        if sure:
            content = signing.loads(request.POST.get("content", ""), salt=BRINGS_IN, max_age=WAITS).encode()
        elif request.method == "POST" and form.is_valid():
            content = form.cleaned_data["file"]
        else:
            return render(request, "admin/dispatch/import.html", _page(site, request, title, back, form=form))
        dataset = read_file(content)
    except signing.BadSignature:
        messages.error(request, gettext("That was too long ago. Choose the file once more."))
        return redirect("admin:agents_agent_import")
    except ValidationError as error:
        form.add_error("file", error)
        return render(
            request, "admin/dispatch/import.html", _page(site, request, title, back, form=form), status=400
        )
    lines, right = bring_in(own, dataset, dry=not sure)
    changed = [line for line in lines if line["says"]]
    if sure and right:
        count = len(changed)
        messages.success(request, ngettext("%d agent was changed.", "%d agents were changed.", count) % count)
        return redirect(back)
    more = {
        "wrong": [line for line in lines if line["wrong"]],
        "changed": changed,
        "same": len(lines) - len(changed) - sum(bool(line["wrong"]) for line in lines),
        # Kept on the page and nowhere else: no file of people's data is left behind, and any web process can go on.
        "content": signing.dumps(content.decode("utf-8-sig"), salt=BRINGS_IN, compress=True)
        if right and changed
        else "",
    }
    page = _page(site, request, title, back, form=FileForm(), **more)
    return render(request, "admin/dispatch/import.html", page, status=200 if right else 400)


def _page(site: admin.AdminSite, request: HttpRequest, title: str, back: str, **more: Any) -> dict[str, Any]:
    return site.each_context(request) | {"title": title, "back": back} | more
