"""The wallboard: the page, and what is new for a page whose socket is away."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from dispatch.leading import INTERVENE
from dispatch.views.lead.access import lead_page
from dispatch.wall import figures
from dispatch.wall.frames import STREAM, context_of, drawn, frame
from dispatch.wall.socket import SEES, SEES_TICKETS


@lead_page(SEES)
def wallboard(request: HttpRequest) -> HttpResponse:
    """`?wall=1`: without anything to click, for a screen on a wall."""
    board = figures.board_kept()
    wall = request.GET.get("wall") == "1"
    acts, opens = (request.user.has_perm(right) and not wall for right in (INTERVENE, SEES_TICKETS))
    context = context_of(board, acts=acts, opens=opens) | {"wall": wall, "after": {STREAM: board.seq}}
    return render(request, "dispatch/lead/wallboard.html", context)


@lead_page(SEES)
def wallboard_news(request: HttpRequest) -> HttpResponse:
    """The state now, as the socket would send it."""
    board = figures.board_kept()
    acts, opens = (request.user.has_perm(right) for right in (INTERVENE, SEES_TICKETS))
    parts = drawn(board, get_language() or "en", acts=acts, opens=opens)
    return JsonResponse({"frames": [frame(board, parts)]})
