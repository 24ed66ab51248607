"""The agent's payout details, and statements to keep."""

from datetime import datetime

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from agents.errors import Refusal
from agents.models import Agent, PayoutAccount
from agents.pay.accounts import account_save
from agents.pay.forms import PayoutDetailsForm
from agents.pay.ledger import payouts_of
from agents.pay.statements import Statement, as_csv, as_pdf, month_begin, of_month, of_payout
from agents.views.people import agent_page

WRITERS = {"pdf": (as_pdf, "application/pdf"), "csv": (as_csv, "text/csv; charset=utf-8")}


@require_http_methods(["GET", "POST"])
@never_cache
@agent_page
@reauthentication_required  # type: ignore[untyped-decorator]
def details(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Who is logged in for long gives the password again before: an open browser must not be enough to redirect money."""
    account = PayoutAccount.objects.filter(agent=agent).first()
    form = PayoutDetailsForm(
        request.POST or None, initial={"holder": account.holder if account else agent.user.name}
    )
    if request.method == "POST" and form.is_valid():
        try:
            account_save(agent_id=agent.pk, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal.detail))
        else:
            messages.success(request, _("Your payout details are kept. We have told you by mail."))
            return redirect("console_earnings")
    status = 422 if form.is_bound else 200
    return render(
        request,
        "dispatch/payout_details.html",
        {"agent": agent, "form": form, "account": account},
        status=status,
    )


@require_GET
@never_cache
@agent_page
def payout_statement(request: HttpRequest, agent: Agent, payout_id: int, form: str) -> HttpResponse:  # noqa: ARG001
    """The lines that one payout pays."""
    return download(of_payout(get_object_or_404(payouts_of(agent.pk), pk=payout_id)), form)


@require_GET
@never_cache
@agent_page
def month_statement(request: HttpRequest, agent: Agent, month: str, form: str) -> HttpResponse:  # noqa: ARG001
    """All lines of a month."""
    return download(of_month(agent, month_or_404(month)), form)


def month_or_404(text: str) -> datetime:
    begin = month_begin(text)
    if begin is None:
        raise Http404
    return begin


def download(statement: Statement, form: str) -> HttpResponse:
    """The statement as a file to keep."""
    write, kind = WRITERS[form]
    response = HttpResponse(write(statement), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="standby-{statement.name}.{form}"'
    return response
