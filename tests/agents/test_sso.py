"""Single sign-on against a real provider over HTTP: who is let in, as whom, with which roles; and every way to be refused."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import encrypt
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client

from agents.models import PushDevice, User
from agents.tokens import account_token_make, account_token_of
from tests.cast import PASSWORD, World
from tests.provider import CLIENT, SECRET, Provider, provider
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db

SEED = "JBSWY3DPEHPK3PXP"
LEAD = {
    "sub": "p-1",
    "email": "Lea@staff.example",
    "email_verified": True,
    "name": "Lea",
    "groups": ["leads", "golf"],
}


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with provider() as opened:
        yield opened


@pytest.fixture
def company(running: Provider, settings: Any) -> Provider:
    running.person, running.wrong, running.forged, running.algorithm = dict(LEAD), {}, False, "RS256"
    settings.SSO_ISSUER, settings.SSO_NAME = running.issuer, "Later & Co"
    settings.SSO_ROLES = {"leads": "Team leads", "bosses": "admin", "auditors": "Auditors"}
    app = {
        "provider_id": "sso",
        "name": "Later & Co",
        "client_id": CLIENT,
        "secret": SECRET,
        "settings": {"server_url": running.issuer, "oauth_pkce_enabled": True},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {**settings.SOCIALACCOUNT_PROVIDERS["openid_connect"], "APPS": [app]}
    }
    Group.objects.create(name="Team leads")
    Group.objects.create(name="Auditors")
    return running


def asked(client: Client) -> str:
    """To where the button leads."""
    return str(client.post("/accounts/oidc/sso/login/")["Location"])


def back(address: str) -> str:
    """To where the provider sends the browser, as a path."""
    parts = urlsplit(requests.get(address, allow_redirects=False, timeout=10).headers["Location"])
    return f"{parts.path}?{parts.query}"


def signed_on(client: Client) -> Any:
    return client.get(back(asked(client)))


def who(client: Client) -> User | None:
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk) if pk else None


def refused(client: Client) -> Any:
    answer = signed_on(client)
    assert answer.status_code == 403
    assert who(client) is None
    return answer


def test_off_without_an_issuer(client: Client) -> None:
    page = client.get("/accounts/login/")
    assert b"oidc" not in page.content
    assert client.post("/accounts/oidc/sso/login/").status_code == 404


def test_a_new_account_with_its_role(client: Client, company: Provider) -> None:
    assert b"Log in with Later &amp; Co" in client.get("/accounts/login/").content
    query = parse_qs(urlsplit(asked(client)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["nonce"][0]) > 20
    assert signed_on(client).status_code == 302
    user = User.objects.get()
    assert (user.email, user.name, user.is_staff, user.is_superuser) == (
        "lea@staff.example",
        "Lea",
        True,
        False,
    )
    assert not user.has_usable_password()
    assert [group.name for group in user.groups.all()] == ["Team leads"]
    assert who(client) == user
    link = SocialAccount.objects.get()
    assert (link.user, link.uid, link.extra_data) == (user, "p-1", {})
    assert company.refused == []


def test_roles_follow_the_groups_at_each_log_in(client: Client, company: Provider) -> None:
    signed_on(client)
    user = User.objects.get()
    mine = Group.objects.create(name="Night shift")
    user.groups.add(mine)  # given here, and no role of the provider's
    company.person |= {"groups": ["bosses"], "email": "new@staff.example"}  # an address may change
    signed_on(Client())
    user.refresh_from_db()
    assert (user.is_superuser, user.email) == (True, "lea@staff.example")
    assert list(user.groups.all()) == [mine]
    company.person["groups"] = ["golf"]
    other = Client()
    assert b"None of your groups" in refused(other).content
    user.refresh_from_db()
    assert (user.is_superuser, list(user.groups.all())) == (False, [mine])
    assert SocialAccount.objects.count() == 1


@pytest.mark.parametrize("groups", [[], ["golf"], "golf", None, {"leads": 1}, [1, ["leads"]]])
def test_unknown_groups_bring_nobody_in(client: Client, company: Provider, groups: Any) -> None:
    company.person["groups"] = groups
    with nothing_changed():
        refused(client)
    assert not User.objects.exists()


def test_an_account_that_is_there_is_linked_by_its_confirmed_address(
    client: Client, company: Provider
) -> None:
    user = User.objects.create_user("lea@staff.example", "secret", name="Lea here")
    signed_on(client)
    assert who(client) == user
    assert User.objects.get().name == "Lea here"
    company.person |= {"sub": "p-2"}  # somebody else was given the address
    assert b"another sign-on" in refused(Client()).content
    assert SocialAccount.objects.get().uid == "p-1"


def factor(user: User) -> Authenticator:
    return Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": encrypt(SEED)}
    )


def logged_in(email: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": email, "password": PASSWORD})


def test_whoever_had_the_address_before_is_out(
    client: Client, company: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody wrote a boss's address into an account whose password they know, before the boss came for the first time."""
    taken = User.objects.create_user("lea@staff.example", PASSWORD, name="Olaf", is_staff=True)
    inside, answer = logged_in(taken.email)
    assert answer.status_code == 302
    assert who(inside) == taken
    token = account_token_make(user=taken)
    PushDevice.objects.create(
        user=taken, endpoint="https://push.services.example/o", offers=False, busy=False
    )
    factor(taken)
    waiting, answer = logged_in(taken.email)  # for the second factor
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    EmailAddress.objects.create(user=taken, email="lea@staff.example")
    EmailAddress.objects.create(user=taken, email="olaf@mine.example", verified=True, primary=True)
    company.person["groups"] = ["bosses"]
    assert signed_on(client).status_code == 302
    taken.refresh_from_db()
    assert who(client) == taken
    assert (taken.is_superuser, taken.has_usable_password()) == (True, False)
    # Everything that let somebody else in.
    assert who(inside) is None
    assert who(logged_in(taken.email)[0]) is None
    assert account_token_of(token) is None
    waiting.post(
        "/accounts/2fa/authenticate/", {"code": format_hotp_value(hotp_value(SEED, int(time.time()) // 30))}
    )
    assert who(waiting) is None
    assert not Authenticator.objects.exists()
    assert not PushDevice.objects.exists()
    Client().post("/accounts/password/reset/", {"email": "olaf@mine.example"})
    assert not [one for one in mail.outbox if "password/reset/key" in str(one.body)]
    assert f"account {taken.pk} is linked; its password" in caplog.text
    Client().post(
        "/accounts/password/reset/", {"email": "lea@staff.example"}
    )  # who reads that mailbox may have one again
    assert [one.to for one in mail.outbox if "password/reset/key" in str(one.body)] == [["lea@staff.example"]]
    # The next time nothing is taken: what they have set up since is theirs.
    factor(taken)
    again = Client()
    assert signed_on(again)["Location"] == "/accounts/2fa/authenticate/"
    assert Authenticator.objects.count() == 1


def test_the_browser_that_was_logged_in_by_password_goes_on(client: Client, company: Provider) -> None:
    user = User.objects.create_user("lea@staff.example", PASSWORD, is_staff=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    signed_on(client)
    assert who(client) == user
    assert client.get("/admin/").status_code == 200


def test_an_agent_who_has_confirmed_the_address_keeps_password_and_tokens(
    client: Client, world: World, company: Provider, settings: Any
) -> None:
    settings.SSO_AGENTS = True
    anna = world.agent("Anna").user
    token = account_token_make(user=anna)
    EmailAddress.objects.create(user=anna, email=anna.email, verified=True, primary=True)
    company.person |= {"email": anna.email, "groups": []}
    signed_on(client)
    assert who(client) == anna
    anna.refresh_from_db()
    assert anna.check_password(PASSWORD)
    assert account_token_of(token) is not None


def test_who_is_refused_is_given_nothing(client: Client, world: World, company: Provider) -> None:
    """An agent's account with the address of a boss; one that is switched off."""
    anna = world.agent("Anna").user
    company.person |= {"email": anna.email, "groups": ["bosses", "leads"]}
    with nothing_changed():
        refused(client)
    off = User.objects.create_user("off@staff.example", PASSWORD, is_active=False)
    company.person |= {"email": off.email}
    with nothing_changed():
        refused(client)
    signed_on_before = User.objects.create_user("on@staff.example", is_active=False)
    SocialAccount.objects.create(user=signed_on_before, provider="sso", uid="p-1", extra_data={})
    with nothing_changed():
        refused(client)
    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.parametrize("verified", [False, None, "true", 0])
def test_an_address_that_is_not_confirmed_takes_over_nobody(
    client: Client, company: Provider, verified: Any
) -> None:
    User.objects.create_superuser("lea@staff.example", "secret")
    company.person["email_verified"] = verified
    with nothing_changed():
        refused(client)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "of another log-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": ["standby", "other"], "azp": "other"},
        {"iss": "https://login.elsewhere.example"},
        {"exp": 1_700_000_000},
        {"iat": 4_000_000_000},
        {"sub": None},
    ],
    ids=str,
)
def test_a_wrong_identity_token_is_refused(client: Client, company: Provider, wrong: dict[str, Any]) -> None:
    company.wrong = wrong
    with nothing_changed():
        refused(client)
    assert not User.objects.exists()


def test_a_forged_signature_is_refused(client: Client, company: Provider) -> None:
    company.forged = True
    refused(client)
    company.forged, company.algorithm = False, "none"
    refused(Client())
    assert not User.objects.exists()


def test_a_code_without_its_state_or_of_another_browser(client: Client, company: Provider) -> None:
    there = back(asked(Client()))
    assert client.get(there).status_code == 403
    assert client.get("/accounts/oidc/sso/login/callback/?code=code-1").status_code == 403
    assert who(client) is None


def test_agents_only_where_that_is_wanted(
    client: Client, world: World, company: Provider, settings: Any
) -> None:
    anna = world.agent("Anna").user
    company.person |= {"email": anna.email, "groups": []}
    with nothing_changed():
        refused(client)
    settings.SSO_AGENTS = True
    signed_on(client)
    assert who(client) == anna
    anna.refresh_from_db()
    assert not anna.is_staff


def test_one_that_is_switched_off_stays_so(client: Client, company: Provider) -> None:
    User.objects.create_user("lea@staff.example", "secret", is_active=False)
    refused(client)
    assert not SocialAccount.objects.exists()


def test_nobody_who_is_logged_in_is_linked_by_a_visit(client: Client, company: Provider) -> None:
    client.force_login(User.objects.create_superuser("boss@staff.example", "secret"))
    there = str(client.post("/accounts/oidc/sso/login/?process=connect")["Location"])
    assert client.get(back(there)).status_code == 403
    assert not SocialAccount.objects.exists()
