"""No page of the admin shows what logs somebody in, to a superuser neither."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.test import Client

from agents.models import User
from tests.cast import World

pytestmark = pytest.mark.django_db

SEED = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def boss(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss@standby.example", "secret"))
    return client


def test_a_second_factor_is_seen_and_deleted_and_its_secret_is_on_no_page(boss: Client, world: World) -> None:
    anna = world.agent("Anna").user
    made = Authenticator.objects.create(user=anna, type=Authenticator.Type.TOTP, data={"secret": SEED})
    pages = [f"/admin/mfa/authenticator/{rest}" for rest in ("", f"{made.pk}/change/", f"{made.pk}/delete/")]
    for page in pages:
        answer = boss.get(page)
        assert answer.status_code == 200
        assert SEED not in answer.content.decode()
    shown = boss.get(pages[1]).content.decode()
    assert "Anna" in shown
    assert 'name="data"' not in shown
    assert "secret" not in shown
    # Nor is one put in its place.
    assert boss.get("/admin/mfa/authenticator/add/").status_code == 403
    forged = {"user": anna.pk, "type": "totp", "data": '{"secret": "mine"}'}
    assert boss.post("/admin/mfa/authenticator/add/", forged).status_code == 403
    assert boss.post(pages[1], forged).status_code == 403
    assert Authenticator.objects.get().data == {"secret": SEED}
    for asked in ("data__icontains=JBSW", "data__secret__startswith=J"):  # nor guessed letter by letter
        assert boss.get(f"{pages[0]}?{asked}").status_code == 400
    assert boss.post(pages[2], {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


def test_tokens_and_clients_of_single_sign_on_have_no_page(boss: Client, world: World) -> None:
    assert admin.site._registry.keys() & {SocialToken, SocialApp} == set()
    account = SocialAccount.objects.create(user=world.agent("Anna").user, provider="sso", uid="u-1")
    SocialToken.objects.create(account=account, token="tok-4711", token_secret="sec-4711")
    for page in ("socialtoken/", "socialtoken/add/", "socialtoken/1/change/", "socialapp/", "socialapp/add/"):
        assert boss.get(f"/admin/socialaccount/{page}").status_code == 404
    shown = boss.get(f"/admin/socialaccount/socialaccount/{account.pk}/change/").content.decode()
    assert "4711" not in shown
