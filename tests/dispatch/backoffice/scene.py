"""Two pools with people, work and settings of their own, and an account of each role."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from agents.models import Agent, Pool, User
from dispatch import desk, presence
from dispatch.backoffice.roles import ROLES, roles_write
from dispatch.models import NeededHour, Offer, Policy, Route, RouteStep
from dispatch.offers import offer_accept
from dispatch.runs import match_pool
from tests.cast import World
from tickets.lifecycle import ticket_rate
from tickets.models import CannedReply, Ticket, Topic


@dataclass
class Scene:
    """Refunds are the first pool's, cards the second's. Anna is in the first, Zoe in the second, Bea in both, Nora in none.

    Olaf is pool admin of the first; Ada admin, Lena team lead, Kurt auditor.
    """

    world: World
    second: Pool
    of: dict[str, Any] = field(default_factory=dict)  # "ours", "theirs" + "." + what
    clients: dict[str, Client] = field(default_factory=dict)  # role → logged in


def live_through(world: World, agent: Agent, pool: Pool, topic: Topic) -> Ticket:
    """One ticket from the form to its rating."""
    epoch = presence.go_online(agent_id=agent.pk).epoch
    ticket = world.ticket(topic=topic)
    match_pool(pool.pk)
    offer = Offer.objects.get(ticket=ticket, agent=agent, state="pending")
    offer_accept(offer_id=offer.pk, agent_id=agent.pk, epoch=epoch)
    desk.note(agent=agent, epoch=epoch, ticket_id=ticket.pk, body="Looks like a double charge")
    desk.resolve(agent=agent, epoch=epoch, ticket_id=ticket.pk)
    ticket_rate(ticket=Ticket.objects.get(pk=ticket.pk), score=4, solved=True)
    presence.pause(agent_id=agent.pk, epoch=epoch)
    return ticket


def make_scene(world: World) -> Scene:
    second = Pool.objects.create(key="second", name_en="Second line", name_de="Zweite Reihe")
    Route.objects.filter(topic=world.card).update(pool=second)
    scene = Scene(world, second)
    anna, zoe, bea, nora = (world.agent(name) for name in ("Anna", "Zoe", "Bea", "Nora"))
    zoe.pools.set([second])
    bea.pools.add(second)
    nora.pools.clear()
    for whose, pool, agent, topic in (
        ("ours", world.pool, anna, world.refund),
        ("theirs", second, zoe, world.card),
    ):
        ticket = live_through(world, agent, pool, topic)
        begins = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=5)
        scene.of |= {
            f"{whose}.pool": pool,
            f"{whose}.agent": agent,
            f"{whose}.ticket": ticket,
            f"{whose}.route": Route.objects.get(topic=topic),
            f"{whose}.policy": Policy.objects.get(pool=pool),
            f"{whose}.offer": Offer.objects.get(ticket=ticket),
            f"{whose}.shift": agent.shifts.get(),
            f"{whose}.neededhour": NeededHour.objects.create(pool=pool, begins_at=begins, seats=2),
            f"{whose}.cannedreply": CannedReply.objects.create(
                title=whose, body=whose, language="en", topic=topic
            ),
        }
    RouteStep.objects.create(route=scene.of["ours.route"], after_seconds=60, pool=second)
    roles_write()
    for role, name in (("admin", "Ada"), ("pool_admin", "Olaf"), ("team_lead", "Lena"), ("auditor", "Kurt")):
        user = User.objects.create_user(f"{name.lower()}@staff.example", name=name, is_staff=True)
        user.groups.add(Group.objects.get(name=ROLES[role].group))
        scene.clients[role] = Client()
        scene.clients[role].force_login(user)
    world.pool.admins.add(User.objects.get(name="Olaf"))
    return scene
