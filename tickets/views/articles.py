"""Articles that anybody may read: those that the assistant quotes, at the address that it names."""

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from tickets import articles as those
from tickets.assistant.words import tongue


@require_safe
def articles(request: HttpRequest) -> HttpResponse:
    """All in the reader's language, by topic. One query."""
    found = (
        those.live()
        .filter(language=tongue(get_language() or "en"))
        .select_related("topic")
        .order_by("topic__position", "topic__key", "title")
    )
    by_topic = [(topic, list(some)) for topic, some in groupby(found, key=lambda one: one.topic)]
    return render(request, "tickets/articles.html", {"by_topic": by_topic})


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """One, in its own language. One query."""
    found = those.live().select_related("topic").filter(slug=slug).first()
    if found is None:
        raise Http404
    return render(request, "tickets/article.html", {"article": found})
