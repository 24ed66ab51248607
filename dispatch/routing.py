"""Addresses of the sockets."""

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from agents.sockets import CheckConsumer
from dispatch.consumers import AgentConsumer
from dispatch.wall.socket import LeadConsumer
from tickets.sockets import TicketConsumer


class NothingHere(AsyncWebsocketConsumer):
    """An address that leads nowhere is refused (403); the router alone would raise an error a request."""

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns: list[Any] = [
    path("ws/agent/", AgentConsumer.as_asgi()),
    path("ws/lead/", LeadConsumer.as_asgi()),
    path("ws/tickets/<slug:public_id>/", TicketConsumer.as_asgi()),
    path("ws/check/", CheckConsumer.as_asgi()),
    re_path("", NothingHere.as_asgi()),
]
