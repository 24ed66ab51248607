"""What each role may do with each page of the admin: the table is the promise, and every registered page is in it."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from agents.models import Pool, User
from dispatch.backoffice.roles import ROLES, roles_write
from tests.cast import World
from tests.dispatch.backoffice.scene import Scene

pytestmark = pytest.mark.django_db

ORDER = ("admin", "pool_admin", "team_lead", "auditor")
# v: list and view, a: add, c: change, d: delete. What is of other pools is in test_own_pools.py.
TABLE = {
    #                             admin     pool      lead      auditor
    "agents.agent":              ("vac" , "vc"  , "v"   , "v"   ),
    "agents.apitoken":           ("va"  , ""    , "v"   , "v"   ),
    "agents.appeal":             ("v"   , ""    , "v"   , "v"   ),
    "agents.application":        ("v"   , ""    , "v"   , "v"   ),
    "agents.attempt":            ("v"   , ""    , "v"   , "v"   ),
    "agents.dataexport":         ("v"   , ""    , "v"   , "v"   ),
    "agents.decision":           ("v"   , ""    , "v"   , "v"   ),
    "agents.inquiry":            ("v"   , ""    , "v"   , "v"   ),
    "agents.learningunit":       ("vacd", ""    , "v"   , "v"   ),
    "agents.lease":              ("v"   , "v"   , "v"   , "v"   ),
    "agents.leaving":            ("v"   , ""    , "v"   , "v"   ),
    "agents.ledgerentry":        ("v"   , ""    , "v"   , "v"   ),
    "agents.letter":             ("v"   , ""    , "v"   , "v"   ),
    "agents.notice":             ("v"   , ""    , "v"   , "v"   ),
    "agents.payout":             ("v"   , ""    , ""    , "v"   ),
    "agents.payoutaccount":      ("v"   , ""    , ""    , "v"   ),
    "agents.payoutrun":          ("v"   , ""    , ""    , "v"   ),
    "agents.pool":               ("vacd", "vc"  , "v"   , "v"   ),
    "agents.question":           ("vacd", ""    , "v"   , "v"   ),
    "agents.quiz":               ("vacd", ""    , "v"   , "v"   ),
    "agents.shift":              ("v"   , "v"   , "v"   , "v"   ),
    "agents.skill":              ("vacd", "v"   , "v"   , "v"   ),
    "agents.user":               ("vac" , ""    , "v"   , "v"   ),
    "auth.group":                ("va"  , ""    , ""    , "v"   ),  # a role; others: test_groups.py
    "dispatch.alert":            ("v"   , ""    , "v"   , "v"   ),
    "dispatch.alertrule":        ("vacd", ""    , "v"   , "v"   ),
    "dispatch.change":           ("v"   , ""    , "v"   , "v"   ),
    "dispatch.contest":          ("v"   , ""    , "v"   , "v"   ),
    "dispatch.escalation":       ("v"   , ""    , "v"   , "v"   ),
    "dispatch.feed":             ("v"   , ""    , "v"   , "v"   ),
    "dispatch.feedevent":        ("v"   , ""    , "v"   , "v"   ),
    "dispatch.forecast":         ("v"   , ""    , "v"   , "v"   ),
    "dispatch.leadaction":       ("v"   , ""    , "v"   , "v"   ),
    "dispatch.misuse":           ("v"   , ""    , "v"   , "v"   ),
    "dispatch.neededhour":       ("vacd", "vac" , "v"   , "v"   ),
    "dispatch.offer":            ("v"   , "v"   , "v"   , "v"   ),
    "dispatch.policy":           ("vac" , "vac" , "v"   , "v"   ),
    "dispatch.poolstanding":     ("v"   , ""    , "v"   , "v"   ),
    "dispatch.practice":         ("v"   , ""    , "v"   , "v"   ),
    "dispatch.practicescript":   ("vacd", ""    , "v"   , "v"   ),
    "dispatch.promisedanswer":   ("v"   , ""    , "v"   , "v"   ),
    "dispatch.promiseday":       ("v"   , ""    , "v"   , "v"   ),
    "dispatch.pulse":            ("v"   , ""    , "v"   , "v"   ),
    "dispatch.rate":             ("vacd", "v"   , "v"   , "v"   ),
    "dispatch.reveal":           ("v"   , ""    , "v"   , "v"   ),
    "dispatch.review":           ("v"   , ""    , "v"   , "v"   ),
    "dispatch.route":            ("vacd", "vc"  , "v"   , "v"   ),
    "dispatch.run":              ("v"   , ""    , "v"   , "v"   ),
    "dispatch.simulation":       ("v"   , ""    , "v"   , "v"   ),
    "dispatch.standing":         ("v"   , ""    , "v"   , "v"   ),
    "dispatch.transfer":         ("v"   , ""    , "v"   , "v"   ),
    "mfa.authenticator":         (""    , ""    , ""    , ""    ),
    "dispatch.webhookdelivery":  ("v"   , ""    , "v"   , "v"   ),
    "dispatch.webhookendpoint":  ("vacd", ""    , "v"   , "v"   ),
    "socialaccount.socialaccount": (""    , ""    , ""    , ""    ),
    "tickets.article":           ("vacd", ""    , "v"   , "v"   ),
    "tickets.assistantanswer":   ("v"   , ""    , "v"   , "v"   ),
    "tickets.assistantrule":     ("vacd", ""    , "v"   , "v"   ),
    "tickets.attachment":        ("v"   , ""    , "v"   , "v"   ),
    "tickets.awaymail":          ("v"   , ""    , "v"   , "v"   ),
    "tickets.block":             ("vacd", ""    , "v"   , "v"   ),
    "tickets.calendar":          ("vacd", ""    , "v"   , "v"   ),
    "tickets.calibration":       ("v"   , ""    , "v"   , "v"   ),
    "tickets.cannedreply":       ("vacd", "vacd", "v"   , "v"   ),
    "tickets.customer":          ("v"   , ""    , "v"   , "v"   ),
    "tickets.linkrequest":       ("v"   , ""    , "v"   , "v"   ),
    "tickets.mailin":            ("v"   , ""    , "v"   , "v"   ),
    "tickets.message":           ("v"   , "v"   , "v"   , "v"   ),
    "tickets.rating":            ("v"   , "v"   , "v"   , "v"   ),
    "tickets.ticket":            ("v"   , "v"   , "v"   , "v"   ),
    "tickets.ticketevent":       ("v"   , "v"   , "v"   , "v"   ),
    "tickets.topic":             ("vacd", "v"   , "v"   , "v"   ),
    "tickets.triagelabel":       ("v"   , ""    , "v"   , "v"   ),
    "tickets.triagemodel":       ("v"   , ""    , "v"   , "v"   ),
}  # fmt: skip
# Action → the roles to which it is offered.
ACTIONS = {
    "agents.agent": {
        "admit": {"admin", "team_lead"},
        "readmit": {"admin", "team_lead"},
        "suspend": {"admin", "team_lead"},
        "add_to_pool": {"admin", "pool_admin"},
        "move_to_pool": {"admin", "pool_admin"},
        "take_out_of_pool": {"admin", "pool_admin"},
        "export": {"admin", "pool_admin"},
    },
    "agents.apitoken": {"revoke": {"admin"}},
    "agents.application": {"admit": {"admin", "team_lead"}, "reject": {"admin", "team_lead"}},
    "agents.appeal": {"answer": {"admin", "team_lead"}},
    "agents.inquiry": {"answer": {"admin", "team_lead"}},
    "agents.shift": {"force_offline": {"admin", "pool_admin"}},
    "dispatch.neededhour": {"again_next_week": {"admin", "pool_admin"}},
    "dispatch.webhookendpoint": {name: {"admin"} for name in ("start", "stop", "test", "rotate")},
    "dispatch.webhookdelivery": {"again": {"admin"}},
    "tickets.article": {"approve": {"admin"}, "withdraw": {"admin"}},
    "tickets.mailin": {"let_in": {"admin"}, "drop": {"admin"}},
    "tickets.topic": {"assistant_resume": {"admin"}},
    "tickets.triagemodel": {"train_anew": {"admin"}},
}
IMPORTS = {"admin", "pool_admin"}  # agents; nothing else can be brought in


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def autocompleted_by() -> dict[Any, Any]:
    """Model → a field by which its autocompletion is asked for."""
    found = {}
    for source in admin.site._registry:
        for field in source._meta.get_fields():
            if field.concrete and field.remote_field and field.remote_field.model in admin.site._registry:
                found[field.remote_field.model] = field
    return found


def offered(page: Any) -> set[str]:
    form = page.context.get("action_form")
    return (
        {name for name, _words in form.fields["action"].choices if name} - {"delete_selected"}
        if form
        else set()
    )


def test_every_page_is_for_whom_the_table_says(scene: Scene, world: World) -> None:
    registered = {model._meta.label_lower: model for model in admin.site._registry}
    assert registered.keys() == TABLE.keys()
    wrong = []

    def expect(what: str, is_so: Any, should: Any) -> None:
        if is_so != should:
            wrong.append(f"{what}: {is_so}, not {should}")

    sources = autocompleted_by()
    for place, role in enumerate(ORDER):
        client = scene.clients[role]
        for label, model in registered.items():
            rights, who = TABLE[label][place], f"{role} {label}"
            sees = 200 if "v" in rights else 403
            page = client.get(address(model, "changelist"))
            expect(f"{who} list", page.status_code, sees)
            may = {name for name, roles in ACTIONS.get(label, {}).items() if role in roles}
            expect(
                f"{who} actions",
                offered(page) if sees == 200 and page.context["cl"].result_count else may,
                may,
            )
            expect(f"{who} add", client.get(address(model, "add")).status_code, 200 if "a" in rights else 403)
            rows = page.context["cl"].queryset if sees == 200 else model._base_manager.all()
            if row := rows.order_by("pk").first():
                expect(f"{who} view", client.get(address(model, "change", row.pk)).status_code, sees)
                # Without a field: an error where it is asked for, else nothing that matters to anybody else.
                changed = client.post(address(model, "change", row.pk), {}).status_code
                expect(f"{who} change", changed in (200, 302), "c" in rights)
                expect(f"{who} change", changed != 403, "c" in rights)
                deleting = client.get(address(model, "delete", row.pk)).status_code
                expect(f"{who} delete", deleting, 200 if "d" in rights else 403)
            if (field := sources.get(model)) and admin.site._registry[model].search_fields:
                found = client.get(
                    reverse("admin:autocomplete"),
                    {
                        "app_label": field.model._meta.app_label,
                        "model_name": field.model._meta.model_name,
                        "field_name": field.name,
                    },
                )
                expect(f"{who} autocompletion", found.status_code, sees)
        brought = client.get(reverse("admin:agents_agent_import")).status_code
        expect(f"{role} import", brought, 200 if role in IMPORTS else 403)
    assert wrong == []


def test_an_action_that_is_not_offered_does_nothing(scene: Scene) -> None:
    """An auditor who posts what the list of an admin posts."""
    shift = scene.of["ours.shift"]
    data = {"action": "force_offline", "_selected_action": [shift.pk], "decided": "yes", "reason": "x"}
    for role in ("auditor", "team_lead"):
        scene.clients[role].post(reverse("admin:agents_shift_changelist"), data)
        shift.refresh_from_db()
        assert shift.ended_at is None
    exported = scene.clients["auditor"].post(
        reverse("admin:agents_agent_changelist"),
        {"action": "export", "_selected_action": [scene.of["ours.agent"].pk]},
    )
    assert "text/csv" not in exported["Content-Type"]


def test_nobody_gives_more_rights_than_they_have(scene: Scene, client: Client) -> None:
    ada = User.objects.get(name="Ada")
    boss = User.objects.create_superuser("boss@standby.example", "secret")
    fields = {"email": ada.email, "name": "Ada", "language": "en", "is_superuser": "on", "is_staff": "on"}
    answer = scene.clients["admin"].post(address(User, "change", ada.pk), fields)
    assert answer.status_code == 302
    ada.refresh_from_db()
    assert not ada.is_superuser
    assert [group.name for group in ada.groups.all()] == ["Admins"]  # nor can they change their own
    assert scene.clients["admin"].post(address(User, "change", boss.pk), fields).status_code == 403
    for page in ("auth_user_password_change",):
        assert scene.clients["admin"].get(reverse(f"admin:{page}", args=[boss.pk])).status_code == 403
    kurt = User.objects.get(name="Kurt")
    group = Group.objects.get(name="Team leads")
    fields = {"email": kurt.email, "name": "Kurt", "language": "en", "is_active": "on", "groups": [group.pk]}
    assert scene.clients["admin"].post(address(User, "change", kurt.pk), fields).status_code == 302
    assert [one.name for one in kurt.groups.all()] == ["Team leads"]
    # Who may change accounts and not groups gives none.
    kurt.groups.clear()
    clerk = User.objects.create_user("clerk@staff.example", is_staff=True)
    clerk.user_permissions.add(
        *Permission.objects.filter(
            codename__in=("view_user", "change_user"), content_type__app_label="agents"
        )
    )
    client.force_login(clerk)
    assert client.post(address(User, "change", kurt.pk), fields).status_code == 302
    assert not kurt.groups.exists()
    assert client.post(address(User, "change", ada.pk), fields).status_code == 403  # she has more


def test_roles_are_written_once_and_anew() -> None:
    Group.objects.filter(name__in=[role.group for role in ROLES.values()]).delete()
    first = roles_write()
    assert all(given > 0 and taken == 0 for given, taken in first.values())
    group = Group.objects.get(name="Auditors")
    group.permissions.add(Permission.objects.get(codename="change_pool"))
    assert roles_write() == {"admin": (0, 0), "pool_admin": (0, 0), "team_lead": (0, 0), "auditor": (0, 1)}
    assert not group.permissions.exclude(codename__startswith="view_").exists()


def test_the_command_gives_a_role(world: World) -> None:
    user = User.objects.create_user("olaf@staff.example")
    call_command("roles", "--give", "Olaf@staff.example", "pool_admin", "--pool", "first", verbosity=0)
    user.refresh_from_db()
    assert (user.is_staff, [group.name for group in user.groups.all()]) == (True, ["Pool admins"])
    assert list(user.administers.all()) == list(Pool.objects.all())
    for wrong in (("nobody@staff.example", "auditor"), ("olaf@staff.example", "king")):
        with pytest.raises(CommandError):
            call_command("roles", "--give", *wrong)
    with pytest.raises(CommandError):
        call_command("roles", "--give", "olaf@staff.example", "pool_admin", "--pool", "third")
