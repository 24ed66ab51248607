"""Agents in and out as a file, and members by their addresses: nothing half done, and wrong lines said by their number."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from agents.models import Agent, AgentStatus
from dispatch.models import Change
from tests.dispatch.backoffice.scene import Scene
from tests.dispatch.backoffice.test_roles import address
from tests.untouched import nothing_changed

pytestmark = pytest.mark.django_db

IMPORT = "/admin/agents/agent/import/"


def sent(client: Client, *lines: str, **more: Any) -> Any:
    content = "\n".join(lines).encode()
    return client.post(IMPORT, {"file": SimpleUploadedFile("agents.csv", content, "text/csv"), **more})


def profile(agent: Agent) -> tuple[list[str], list[str], dict[str, int]]:
    agent = Agent.objects.get(pk=agent.pk)
    skills = {one.skill.key: one.level for one in agent.agent_skills.select_related("skill")}
    return agent.languages, sorted(pool.key for pool in agent.pools.all()), skills


def test_a_file_is_shown_first_and_then_changes(scene: Scene) -> None:
    ada, anna, zoe = scene.clients["admin"], scene.of["ours.agent"], scene.of["theirs.agent"]
    lines = (
        "email;languages;pools;skills",
        "ANNA@agents.example;de;first second;payments:5",
        "zoe@agents.example;en de;second;payments:3 cards:3",
        "",
    )
    with nothing_changed():
        page = sent(ada, *lines)
    assert page.status_code == 200
    assert [(line["line"], line["says"]) for line in page.context["changed"]] == [
        (
            2,
            [
                "pools: first → first second",
                "skills: cards:3 payments:3 → payments:5",
                "languages: en de → de",
            ],
        ),
    ]
    assert page.context["same"] == 1
    done = ada.post(IMPORT, {"content": page.context["content"], "sure": "yes"})
    assert done.status_code == 302
    assert profile(anna) == (["de"], ["first", "second"], {"payments": 5})
    assert profile(zoe) == (["en", "de"], ["second"], {"payments": 3, "cards": 3})
    noted = Change.objects.filter(by__name="Ada").values_list("table", "kind").order_by("table", "kind")
    assert list(noted) == [
        ("agents_agent", "UPDATE"), ("agents_agent_pools", "INSERT"),
        ("agents_agentskill", "DELETE"), ("agents_agentskill", "UPDATE"),
    ]  # fmt: skip
    # Nobody makes up what was confirmed, nor sends it as somebody whose pools are others.
    assert ada.post(IMPORT, {"content": page.context["content"] + "x", "sure": "yes"}).status_code == 302
    assert (
        scene.clients["auditor"].post(IMPORT, {"content": page.context["content"], "sure": "yes"}).status_code
        == 403
    )
    assert (
        scene.clients["pool_admin"]
        .post(IMPORT, {"content": page.context["content"], "sure": "yes"})
        .status_code
        == 400
    )


def test_wrong_lines_are_said_by_number_and_stop_all(scene: Scene) -> None:
    Agent.objects.filter(name="Nora").update(status=AgentStatus.SUSPENDED)
    lines = (
        "email,languages,pools,skills",
        "anna@agents.example,de,first,payments:5",
        "nobody@agents.example,de,first,",
        "zoe@agents.example,fr,third,payments:6 juggling:1",
        "anna@agents.example,de,first,payments:4",
        "nora@agents.example,de,first,payments:3",
        ",,,",
        "bea@agents.example,,first,payments:1 payments:2",
    )
    with nothing_changed():
        page = sent(scene.clients["admin"], *lines)
    assert page.status_code == 400
    assert {line["line"]: line["wrong"] for line in page.context["wrong"]} == {
        3: ["There is no agent with this address."],
        4: [
            "There is no pool “third”.",
            "The level of “payments” must be a number from 1 to 5.",
            "There is no skill “juggling”.",
            "There is no language “fr”.",
        ],
        5: ["This address is in the file twice."],
        6: ["Who is not admitted can be in no pool."],
        7: ["This line is empty."],
        8: ["“payments” is there twice.", "An agent speaks one language at least."],
    }
    assert "content" not in page.context or not page.context["content"]


NO_FILES = (
    b"", b"email\n", b"name,pools\nAnna,first", b"email,salary\na,b", b"email,pools,pools\na,b,c", b"\xff\xfe\x00",
    b"email,name\na@b.example,A", b'email,pools\n"a@b.example,first', b"email,pools\na@b.example", b"x" * 1_000_001,
)  # fmt: skip


def test_what_is_no_such_file_is_refused(scene: Scene) -> None:
    with nothing_changed():
        for content in NO_FILES:
            file = SimpleUploadedFile("a.csv", content, "text/csv")
            answer = scene.clients["admin"].post(IMPORT, {"file": file})
            assert answer.status_code in (200, 400)
            assert answer.context["form"].errors["file"], content[:20]


def test_a_pool_admin_brings_in_what_is_theirs(scene: Scene) -> None:
    olaf, bea, nora = scene.clients["pool_admin"], scene.world.agents["Bea"], scene.world.agents["Nora"]
    with nothing_changed():
        page = sent(
            olaf,
            "email;languages;pools",
            "zoe@agents.example;de;first",  # of another pool: no word that she is there
            "bea@agents.example;de;first",
            "anna@agents.example;en de;first second",
        )
    assert {line["line"]: line["wrong"] for line in page.context["wrong"]} == {
        2: ["There is no agent with this address."],
        3: ["They also work elsewhere: skills and languages are not yours to change."],
        4: ["There is no pool “second”."],
    }
    page = sent(olaf, "email;pools", "bea@agents.example;", "nora@agents.example;first")
    assert olaf.post(IMPORT, {"content": page.context["content"], "sure": "yes"}).status_code == 302
    assert (profile(bea)[1], profile(nora)[1]) == (["second"], ["first"])


def test_an_export_has_what_an_import_reads(scene: Scene) -> None:
    anna, bea, zoe = (scene.world.agents[name] for name in ("Anna", "Bea", "Zoe"))
    Agent.objects.filter(pk=anna.pk).update(name="=cmd|' /C calc'!A0")
    chosen = {"action": "export", "_selected_action": [anna.pk, bea.pk, zoe.pk]}
    answer = scene.clients["pool_admin"].post(address(Agent, "changelist"), chosen)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "email,name,status,languages,pools,skills",
        "anna@agents.example,'=cmd|' /C calc'!A0,admitted,en de,first,cards:3 payments:3",
        "bea@agents.example,Bea,admitted,en de,first,cards:3 payments:3",
    ]
    assert LogEntry.objects.get().change_message == "Exported 2 agents."
    with nothing_changed():
        page = sent(scene.clients["pool_admin"], *answer.content.decode("utf-8-sig").splitlines())
    assert (page.context["changed"], page.context["wrong"], page.context["same"]) == ([], [], 2)


def test_members_by_their_addresses(scene: Scene) -> None:
    olaf, ada, pool = scene.clients["pool_admin"], scene.clients["admin"], scene.world.pool
    there = reverse("admin:agents_pool_add_members", args=[pool.pk])
    with nothing_changed():
        page = olaf.post(there, {"addresses": "nora@agents.example zoe@agents.example", "sure": "yes"})
    assert page.status_code == 400
    assert page.context["form"].errors["addresses"] == [
        "There is no agent with this address: zoe@agents.example"
    ]
    with nothing_changed():
        page = olaf.post(there, {"addresses": "Nora@agents.example, anna@agents.example"})
    assert page.context["says"] == ["They become members of First line:", "Anna", "Nora"]
    done = olaf.post(
        there, {"addresses": "nora@agents.example\nanna@agents.example", "sure": "yes"}, follow=True
    )
    assert [str(one) for one in done.context["messages"]] == ["1 agent: done.", "Anna: is a member already"]
    assert profile(scene.world.agents["Nora"])[1] == ["first"]
    Agent.objects.filter(name="Zoe").update(status=AgentStatus.SUSPENDED)
    done = ada.post(there, {"addresses": "zoe@agents.example", "sure": "yes"}, follow=True)
    assert "Zoe: is not admitted, so not a member either" in [str(one) for one in done.context["messages"]]
    assert profile(scene.world.agents["Zoe"])[1] == ["second"]
    # A move of several: those who are not there stay where they are.
    anna, zoe = scene.world.agents["Anna"], scene.world.agents["Zoe"]
    data = {"action": "move_to_pool", "_selected_action": [anna.pk, zoe.pk], "decided": "yes"}
    done = ada.post(
        address(Agent, "changelist"), data | {"pool": pool.pk, "to": scene.second.pk}, follow=True
    )
    assert [str(one) for one in done.context["messages"]] == ["1 agent: done.", "Zoe: is no member there"]
    assert (profile(anna)[1], profile(zoe)[1]) == (["second"], ["second"])


def test_ending_a_shift_asks_first(scene: Scene) -> None:
    shift = scene.of["ours.shift"]
    data = {"action": "force_offline", "_selected_action": [shift.pk]}
    with nothing_changed():
        page = scene.clients["pool_admin"].post(address(type(shift), "changelist"), data)
    assert "held tickets go back to the front of the queue" in page.content.decode()
    done = scene.clients["pool_admin"].post(
        address(type(shift), "changelist"), data | {"decided": "yes", "reason": "No answer"}, follow=True
    )
    assert [str(one) for one in done.context["messages"]] == ["1 shift was ended."]
    shift.refresh_from_db()
    assert shift.end_reason == "forced"
    done = scene.clients["pool_admin"].post(
        address(type(shift), "changelist"), data | {"decided": "yes", "reason": "Again"}, follow=True
    )
    assert f"{shift}: They are offline already." in [str(one) for one in done.context["messages"]]
