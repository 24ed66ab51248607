"""A new password shuts out whoever came in by the old one: other browsers, programs with a token, and open sockets."""

import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import encrypt
from django.contrib.sessions.models import Session
from django.test import Client

from agents.models import AccountToken, Agent
from agents.tokens import account_token_make
from tests.backstage import Backstage
from tests.cast import PASSWORD, World
from tests.sockets import Socket
from tests.stack import LiveStack

NEW = "another horse battery staple"
SEED = "JBSWY3DPEHPK3PXP"
CHANGES = {
    "set": f"user.set_password({NEW!r}); user.save()",
    "withdrawn": "user.set_unusable_password(); user.save()",
}


def logged_in(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value


@pytest.mark.django_db
def test_changing_it_keeps_this_browser_and_ends_the_others(world: World) -> None:
    anna, bernd = world.agent("Anna"), world.agent("Bernd")
    here, elsewhere, other = logged_in(anna), logged_in(anna), logged_in(bernd)
    for agent in (anna, bernd):
        account_token_make(user=agent.user)
    sent = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/accounts/password/change/", sent).status_code == 302
    assert here.get("/console/").status_code == 200
    assert elsewhere.get("/console/").status_code == 302
    assert other.get("/console/").status_code == 200
    assert set(Session.objects.values_list("session_key", flat=True)) == {key_of(here), key_of(other)}
    assert list(AccountToken.objects.values_list("user", flat=True)) == [bernd.user_id]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_however_it_is_changed(world: World, change: str) -> None:
    anna = world.agent("Anna")
    logged_in(anna)
    account_token_make(user=anna.user)
    exec(CHANGES[change], {"user": anna.user})
    assert not Session.objects.exists()
    assert not AccountToken.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("changed", [True, False], ids=["changed", "control"])
def test_who_has_given_the_old_one_is_not_let_in_by_the_second_factor(world: World, changed: bool) -> None:
    anna, bernd = world.agent("Anna"), world.agent("Bernd")
    for agent in (anna, bernd):
        Authenticator.objects.create(
            user=agent.user, type=Authenticator.Type.TOTP, data={"secret": encrypt(SEED)}
        )
    waiting, other = Client(), Client()
    for client, agent in ((waiting, anna), (other, bernd)):
        answer = client.post("/accounts/login/", {"login": agent.user.email, "password": PASSWORD})
        assert answer["Location"] == "/accounts/2fa/authenticate/"
    if changed:
        anna.user.set_password(NEW)
        anna.user.save()
    code = {"code": format_hotp_value(hotp_value(SEED, int(time.time()) // 30))}
    answers = [client.post("/accounts/2fa/authenticate/", code)["Location"] for client in (waiting, other)]
    assert answers[1] != "/accounts/login/"
    assert ["_auth_user_id" in client.session for client in (waiting, other)] == [not changed, True]
    assert (answers[0] == "/accounts/login/") == changed


@pytest.mark.django_db
def test_an_account_without_one_keeps_its_token_when_its_name_changes(world: World) -> None:
    user = world.agent("Anna").user
    user.set_unusable_password()
    user.save()
    account_token_make(user=user)
    user.name = "Anna Maria"
    user.save()
    assert AccountToken.objects.filter(user=user).exists()


@pytest.mark.django_db
def test_what_is_no_change_of_it_ends_nothing(world: World, settings: Any) -> None:
    anna = world.agent("Anna")
    logged_in(anna)
    account_token_make(user=anna.user)
    anna.user.name = "Anna B."
    anna.user.save()
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    before = anna.user.password
    assert anna.user.check_password(PASSWORD)
    assert anna.user.password != before  # written anew by the better hasher, and the same password
    assert Session.objects.count() == 1
    assert AccountToken.objects.count() == 1


@pytest.mark.servers
@pytest.mark.parametrize("way", ["session", "token"])
def test_an_open_socket_is_closed_within_a_beat(stack: LiveStack, backstage: Backstage, way: str) -> None:
    anna = backstage.run("result = agent('Anna')")
    more: dict[str, Any] = (
        {"headers": {"Authorization": f"Token {anna['token']}"}}
        if way == "token"
        else {"cookie": f"sessionid={anna['session']}"}
    )
    socket = Socket(stack, "/ws/agent/", **more)
    try:
        socket.resume()
        socket.next("snapshot")
        socket.beat(None)
        socket.until("heartbeat")
        backstage.run(f"user = User.objects.get(); {CHANGES['set']}")
        socket.beat(None)
        assert socket.closed() == 4403
    finally:
        socket.close()
