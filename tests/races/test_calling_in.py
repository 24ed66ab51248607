"""A team lead's form is sent twice at once: one act, and each person is claimed for it once."""

from typing import Any

import pytest
from celery import current_app

from agents.models import CallWishes, PushDevice, User
from dispatch import leading
from dispatch.models import LeadAction
from tests.cast import World
from tests.races.conftest import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def twice_at_once(world: World, monkeypatch: pytest.MonkeyPatch, *keys: str) -> tuple[list[Any], list[int]]:
    """Outcomes, and whom messages were sent about. Nobody of three is called oftener than once."""
    lead = User.objects.create_superuser("boss@standby.example", "secret")
    for name in ("Anna", "Ben", "Cleo"):
        PushDevice.objects.create(
            agent=world.agent(name), endpoint=f"https://push.example/{name}", offers=False, busy=True
        )
    world.ticket()
    sent: list[int] = []
    app = current_app._get_current_object()
    monkeypatch.setattr(app, "send_task", lambda _name, args, **_: sent.append(args[0]))

    def call(key: str) -> int:
        return leading.call_in(lead=lead, pool_id=world.pool.pk, why="A shop is down.", people=2, key=key)

    return together(*(lambda key=key: call(key) for key in keys)), sent


def test_one_form_is_one_act(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes, sent = twice_at_once(world, monkeypatch, "k", "k")
    assert outcomes == [2, 2]
    assert LeadAction.objects.get().data["called"] == 2
    assert len(sent) == len(set(sent)) == 2
    assert CallWishes.objects.filter(call_until__isnull=False).count() == 2


def test_control_two_forms_are_two(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _outcomes, sent = twice_at_once(world, monkeypatch, "k", "l")
    assert LeadAction.objects.count() == 2
    assert len(sent) == len(set(sent)) >= 2
