"""Who may change groups and accounts gives nobody more rights than they have, themselves included."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.core import mail
from django.test import Client

from agents.models import User
from tests.cast import PASSWORD
from tests.dispatch.backoffice.scene import Scene
from tests.dispatch.backoffice.test_roles import address

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(scene: Scene) -> Client:
    return scene.clients["admin"]


def right(app: str, codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def group(name: str, *rights: Permission) -> Group:
    made = Group.objects.create(name=name)
    made.permissions.set(rights)
    return made


def has(one: Group) -> set[str]:
    return set(one.permissions.values_list("codename", flat=True))


def test_an_admin_gives_their_own_group_nothing(scene: Scene, ada: Client) -> None:
    """The way to be a superuser: a confirmed address beside a superuser's account, and a new password to it."""
    boss = User.objects.create_superuser("boss@standby.example", PASSWORD)
    more = [right("account", "add_emailaddress"), right("mfa", "delete_authenticator")]
    for name in ("Admins", "Team leads"):
        role = Group.objects.get(name=name)
        before = has(role)
        sent = {
            "name": name,
            "permissions": [*role.permissions.values_list("pk", flat=True), *(one.pk for one in more)],
        }
        assert ada.post(address(Group, "change", role.pk), sent).status_code == 403
        assert ada.post(address(Group, "delete", role.pk), {"post": "yes"}).status_code == 403
        assert has(Group.objects.get(name=name)) == before
    assert ada.get("/admin/account/emailaddress/add/").status_code == 404
    sent = {"user": boss.pk, "email": "ada@staff.example", "verified": "on"}
    assert ada.post("/admin/account/emailaddress/add/", sent).status_code == 404
    assert not EmailAddress.objects.exists()


def test_a_new_group_has_what_its_maker_has(scene: Scene, ada: Client) -> None:
    mine, foreign = right("tickets", "change_topic"), right("mfa", "view_authenticator")
    refused = ada.post(address(Group, "add"), {"name": "Night", "permissions": [mine.pk, foreign.pk]})
    assert refused.status_code == 200
    assert "permissions" in refused.context["adminform"].form.errors
    assert not Group.objects.filter(name="Night").exists()
    assert ada.post(address(Group, "add"), {"name": "Night", "permissions": [mine.pk]}).status_code == 302
    made = Group.objects.get(name="Night")
    assert has(made) == {"change_topic"}
    # Theirs to change, as long as they are not in it.
    other = right("tickets", "view_topic")
    sent = {"name": "Night", "permissions": [mine.pk, other.pk]}
    assert ada.post(address(Group, "change", made.pk), sent).status_code == 302
    assert has(made) == {"change_topic", "view_topic"}
    sent["permissions"] = [mine.pk, other.pk, foreign.pk]
    assert ada.post(address(Group, "change", made.pk), sent).status_code == 200
    User.objects.get(name="Ada").groups.add(made)
    assert ada.post(address(Group, "change", made.pk), {"name": "Mine"}).status_code == 403
    assert has(made) == {"change_topic", "view_topic"}


def test_a_group_that_may_do_more_is_not_theirs(scene: Scene, ada: Client) -> None:
    office = group("Office", right("tickets", "view_topic"), right("mfa", "view_authenticator"))
    plain = group("Plain", right("tickets", "view_topic"))
    assert ada.get(address(Group, "change", office.pk)).status_code == 200
    assert ada.post(address(Group, "change", office.pk), {"name": "Office"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [office.pk, plain.pk], "post": "yes"}
    assert ada.post(address(Group, "changelist"), chosen).status_code == 403
    assert Group.objects.filter(name__in=("Office", "Plain")).count() == 2
    assert ada.post(address(Group, "delete", plain.pk), {"post": "yes"}).status_code == 302
    assert list(Group.objects.filter(name__in=("Office", "Plain"))) == [office]
    # Nor is anybody put into it; roles are given, those too that bring a wish or a bound that an admin has not.
    kurt = User.objects.get(name="Kurt")

    def form(*groups: Group) -> dict[str, Any]:
        names = {"email": kurt.email, "name": "Kurt", "language": "en", "is_active": "on", "is_staff": "on"}
        return {**names, "groups": [one.pk for one in groups]}

    refused = ada.post(address(User, "change", kurt.pk), form(office))
    assert refused.status_code == 200
    assert "groups" in refused.context["adminform"].form.errors
    for role in (
        "Team leads",
        "Pool admins",
        "Admins",
        "Auditors",
    ):  # one after the other: none locks its giver out
        given = Group.objects.get(name=role)
        assert ada.post(address(User, "change", kurt.pk), form(given)).status_code == 302, role
        assert list(kurt.groups.all()) == [given]


def test_an_account_with_more_rights_is_not_theirs_while_it_is_switched_off(
    scene: Scene, ada: Client
) -> None:
    olga = User.objects.create_user(
        "olga@staff.example", PASSWORD, name="Olga", is_staff=True, is_active=False
    )
    olga.groups.add(group("Office", right("mfa", "delete_authenticator")))
    sent = {"email": "mine@staff.example", "name": "Olga", "language": "en", "is_active": "on"}
    assert ada.post(address(User, "change", olga.pk), sent).status_code == 403
    passwords = {"usable_password": "true", "password1": "a battery staple", "password2": "a battery staple"}
    there = f"/admin/agents/user/{olga.pk}/password/"
    assert ada.post(there, passwords).status_code == 403
    olga.refresh_from_db()
    assert (olga.email, olga.is_active, olga.check_password(PASSWORD)) == ("olga@staff.example", False, True)


def test_a_superuser_changes_any_group(scene: Scene, client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss@standby.example", PASSWORD))
    role, factor = Group.objects.get(name="Auditors"), right("mfa", "view_authenticator")
    sent = {"name": "Auditors", "permissions": [factor.pk]}
    assert client.post(address(Group, "change", role.pk), sent).status_code == 302
    assert has(role) == {"view_authenticator"}
    assert client.post(address(Group, "delete", role.pk), {"post": "yes"}).status_code == 302
    assert not Group.objects.filter(name="Auditors").exists()


def test_who_is_given_another_address_has_it_alone(scene: Scene, ada: Client, client: Client) -> None:
    kurt = User.objects.get(name="Kurt")
    EmailAddress.objects.create(user=kurt, email=kurt.email, verified=True, primary=True)
    sent = {"email": "kurt@new.example", "name": "Kurt", "language": "en", "is_active": "on"}
    assert ada.post(address(User, "change", kurt.pk), sent).status_code == 302
    assert not EmailAddress.objects.exists()
    client.post("/accounts/password/reset/", {"email": "kurt@staff.example"})
    assert not [one for one in _mails() if "password/reset/key" in one]
    client.post("/accounts/password/reset/", {"email": "kurt@new.example"})
    assert len([one for one in _mails() if "password/reset/key" in one]) == 1


def test_nobody_calls_an_address_their_own(scene: Scene) -> None:
    olaf, client = User.objects.get(name="Olaf"), scene.clients["pool_admin"]
    for sent in (
        {"action_add": "", "email": "boss@staff.example"},
        {"action_primary": "", "email": olaf.email},
    ):
        assert client.post("/accounts/email/", sent).status_code == 404
    assert client.get("/accounts/email/").status_code == 404
    assert not EmailAddress.objects.exists()


def _mails() -> list[str]:
    return [str(one.body) for one in mail.outbox]
