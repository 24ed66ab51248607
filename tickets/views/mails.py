"""The link at the end of a mail: no more mails about this ticket. Opening it does nothing, since programs open links too."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from tickets.addresses import ticket_mails_choose
from tickets.postmarks import ticket_to_stop
from tickets.views.door import SeeOther, private


@csrf_exempt  # mail programs post here (RFC 8058); the mark in the address is the right to do so, and cookies are none
@require_http_methods(["GET", "HEAD", "POST"])
def mails(request: HttpRequest, public_id: str, mark: str) -> HttpResponse:
    """POST: stop them, or with `mails=on` have them again. The same answer to all marks that are not right."""
    ticket = ticket_to_stop(public_id, mark)
    if ticket is None:
        raise Http404
    if request.method == "POST":
        ticket_mails_choose(ticket=ticket, on=request.POST.get("mails") == "on")
        if request.POST.get("List-Unsubscribe"):
            return private(HttpResponse(status=204))
        answer: HttpResponseRedirect = SeeOther(request.path)
        return private(answer)
    return private(render(request, "tickets/mails.html", {"ticket": ticket}))
