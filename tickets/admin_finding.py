"""How the admin finds tickets among many: by number, public id, a customer's whole address, or words of the newest."""

import re
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tickets.email_addresses import is_address
from tickets.events import EVENTS
from tickets.models import Customer, Ticket

NEWEST = (
    20_000  # tickets in which words are looked for: without an index, as each would cost at every opening
)
SAME_ADDRESS = 1_000  # customers of one address that are looked at
_NUMBER = re.compile(r"(?:s-?)?\s*(\d{1,18})", re.IGNORECASE)
_PUBLIC_ID = re.compile(r"[a-z0-9]{12}")


def find(tickets: QuerySet[Ticket], term: str) -> QuerySet[Ticket]:
    """Those that a search means; each way is by an index, or bounded."""
    term = term.strip()
    if not term:
        return tickets
    if "@" in term:  # whole ones: parts would tell what is masked
        customers = Customer.objects.filter(is_address("email", term)).values_list("pk", flat=True)[
            :SAME_ADDRESS
        ]
        return tickets.filter(customer_id__in=list(customers))
    exact = Q(pk=int(number[1])) if (number := _NUMBER.fullmatch(term)) else Q()
    if _PUBLIC_ID.fullmatch(term.lower()):
        exact |= Q(public_id=term.lower())
    if exact and (found := list(Ticket.objects.filter(exact).values_list("pk", flat=True))):
        return tickets.filter(pk__in=found)
    newest = Ticket.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    words = Q()
    # Whole words, again: with parts a number or a name could be guessed letter by letter.
    for word in term.split():
        words &= Q(summary__icontains=word, summary__iregex=rf"(?<!\w){re.escape(word)}(?!\w)")
    return tickets.filter(words, pk__gt=newest - NEWEST)


class LanguageFilter(admin.SimpleListFilter):
    """Those there are, without asking each row for its own."""

    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:  # noqa: ARG002  Django's signature
        return settings.LANGUAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002  Django's signature
        return queryset.filter(language=self.value()) if self.value() else queryset


class EventTypeFilter(admin.SimpleListFilter):
    """Those that are declared."""

    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:  # noqa: ARG002  Django's signature
        return [(name, name) for name in sorted(EVENTS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002  Django's signature
        return queryset.filter(type=self.value()) if self.value() else queryset
