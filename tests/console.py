"""An agent at the console, over HTTP: as the page's script sends it, and as a plain form does."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from dispatch import presence
from dispatch.models import Offer
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets.models import Ticket


class Person:
    """An agent at a browser."""

    def __init__(self, world: World, name: str, language: str = "en", **more: Any) -> None:
        self.world = world
        self.agent = world.agent(name, **more)
        self.client = Client(headers={"accept-language": language})
        self.client.force_login(self.agent.user)
        self.epoch = 0

    def online(self) -> "Person":
        self.epoch = presence.go_online(agent_id=self.agent.pk).epoch
        return self

    def offered(self, **more: Any) -> Offer:
        ticket = self.world.ticket(**more)
        match_pool(self.world.pool.pk)
        return Offer.objects.get(ticket=ticket, agent=self.agent)

    def holding(self, **more: Any) -> Ticket:
        offer = self.offered(**more)
        offer_accept(offer_id=offer.pk, agent_id=self.agent.pk, epoch=self.epoch)
        return Ticket.objects.get(pk=offer.ticket_id)

    def get(self, path: str = "/console/") -> HttpResponse:
        return self.client.get(path)  # type: ignore[return-value]

    def fetch(self, path: str, after: dict[str, int] | None = None, **fields: Any) -> HttpResponse:
        """As the page's script sends it."""
        sent = {"epoch": self.epoch, "after": json.dumps(after or {})} | fields
        return self.client.post(f"/console/{path}", sent, headers={"accept": "application/json"})  # type: ignore[return-value]

    def post(self, path: str, **fields: Any) -> HttpResponse:
        """As a plain form does."""
        return self.client.post(f"/console/{path}", {"epoch": self.epoch} | fields, follow=True)  # type: ignore[return-value]


def text_of(response: HttpResponse) -> str:
    return response.content.decode()
