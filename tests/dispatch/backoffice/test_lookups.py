"""By an address a list is filtered as its filters do it, and in no other way: the number of rows would tell what is masked."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from agents.models import User
from tests.cast import World
from tests.dispatch.backoffice.scene import Scene
from tests.dispatch.backoffice.test_roles import address
from tickets.models import Attachment, Customer, LinkRequest, MailIn, Message, Rating, Ticket, TicketEvent

pytestmark = pytest.mark.django_db

# What the admin shows masked, or not at all.
MASKED: dict[type[Any], tuple[str, ...]] = {
    Customer: ("name", "email"),
    Message: ("body", "author_name"),
    Ticket: ("summary", "intake_key"),
    LinkRequest: ("email",),
    MailIn: ("sender", "subject", "left_out", "raw"),
    Rating: ("comment",),
    Attachment: ("name",),
    TicketEvent: ("data", "key"),
}
WAYS = (
    "",
    "__exact",
    "__startswith",
    "__contains",
    "__iregex",
    "__gte",
    "__lt",
    "__isnull",
    "__in",
    "__length__gt",
)


def test_no_masked_column_is_asked_by_an_address(scene: Scene) -> None:
    kurt = scene.clients["auditor"]
    for model, names in MASKED.items():
        for name in names:
            assert model._meta.get_field(name), name
            for way in WAYS:
                asked = f"{name}{way}"
                answer = kurt.get(address(model, "changelist"), {"id": 1, asked: "1"})
                assert answer.status_code == 400, (model, asked)
    # Nor along a relation, there or back.
    ticket = address(Ticket, "changelist")
    for asked in ("customer__email__startswith", "messages__body__regex", "triage_label__text__contains"):
        assert kurt.get(ticket, {asked: "a"}).status_code == 400, asked


def test_no_column_of_any_list_is_asked_but_by_its_filters(scene: Scene, rf: Any) -> None:
    """Of every model, for superusers too."""
    request = rf.get("/")
    request.user = User.objects.create_superuser("boss@standby.example", "secret")
    walked = 0
    for model, page in admin.site._registry.items():
        filters = [one[0] if isinstance(one, tuple) else one for one in page.get_list_filter(request)]
        offered = {getattr(one, "parameter_name", one) for one in filters} | {page.date_hierarchy}
        for field in model._meta.concrete_fields:
            if field.is_relation or field.name in offered:
                continue
            for way in WAYS:
                asked = f"{field.name}{way}"
                by_number = field.primary_key and way in ("", "__exact", "__gte", "__lt", "__isnull", "__in")
                assert page.lookup_allowed(asked, "1", request) == by_number, (model, asked)
            walked += 1
        assert not page.lookup_allowed("no_column__startswith", "1", request)
    assert walked > 200


def test_what_the_filters_offer_is_taken(scene: Scene, world: World, client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    followed = 0
    for model in admin.site._registry:
        there = address(model, "changelist")
        shown = client.get(there).context["cl"]
        for spec in shown.filter_specs:
            for choice in spec.choices(shown):
                assert client.get(there + choice["query_string"]).status_code == 200, (there, choice)
                followed += 1
        if shown.date_hierarchy:
            asked = {f"{shown.date_hierarchy}__year": 2026, f"{shown.date_hierarchy}__month": 11}
            assert client.get(there, asked).status_code == 200, there
    assert followed > 150
    ticket = scene.of["ours.ticket"]
    messages = reverse("admin:tickets_message_changelist")
    for asked in ("ticket", "ticket__exact", "ticket__id__exact", "ticket_id", "ticket__in"):
        found = client.get(messages, {asked: ticket.pk}).context["cl"].result_list
        assert {one.ticket_id for one in found} == {ticket.pk}, asked
    for asked in ("id", "pk", "id__exact", "pk__in"):
        found = client.get(address(Ticket, "changelist"), {asked: ticket.pk}).context["cl"].result_list
        assert list(found) == [ticket], asked
