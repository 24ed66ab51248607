"""How offers are made, in words: public, from the policies themselves, so that nobody has to believe us."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispatch import decisions
from dispatch.queue import WINDOW
from dispatch.rules.newcomers import FEW
from dispatch.rules.offers import AGAIN_SECONDS


@require_safe
def how_offers_are_made(request: HttpRequest) -> HttpResponse:
    """The rules, and for each pool its weights with their relative importance. One query."""
    pools = []
    for policy in decisions.current_policies():
        people, tickets = decisions.weights_in_words(policy)
        pools.append({"policy": policy, "pool": policy.pool, "people": people, "tickets": tickets})
    context = {
        "pools": pools,
        "again_seconds": int(AGAIN_SECONDS),
        "few": FEW,
        "window_days": WINDOW.days,
    }
    return render(request, "dispatch/how.html", context)
