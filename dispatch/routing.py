"""Addresses of the sockets."""

from typing import Any

from django.urls import path

from dispatch.consumers import AgentConsumer
from tickets.sockets import TicketConsumer

websocket_urlpatterns: list[Any] = [
    path("ws/agent/", AgentConsumer.as_asgi()),
    path("ws/tickets/<slug:public_id>/", TicketConsumer.as_asgi()),
]
