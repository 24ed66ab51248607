"""A stored run replays to the same pairs, is small, and says so when it is damaged."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.matching import AgentRow, TicketRow, build, solve
from dispatch.matching.explain import explain_absence, reasons
from dispatch.matching.snapshot import MAGIC, VERSION, ReplayDiffers, SnapshotUnreadable, pack, replay, unpack
from tests.dispatch.matching.people import ALICE, BOB, CHARLIE, LOGIN, REFUND, problems


@settings(max_examples=120, deadline=None)
@given(problems(most_tickets=10, most_agents=10, equal_units=False, pending=2))
def test_unpacked_solves_to_the_same_pairs(problem):
    solution = solve(problem)
    data = pack(problem, solution)
    again, stored = unpack(data)
    assert stored == solution.ids
    replayed = replay(data)
    assert replayed.ids == solution.ids
    assert replayed.value.tobytes() == solution.value.tobytes()
    assert reasons(replayed) == reasons(solution)
    assert pack(again, solve(again)) == data
    for ticket, agent in ((t, a) for t in problem.tickets.id.tolist() for a in problem.agents.id.tolist()):
        assert explain_absence(again, ticket, agent) == explain_absence(problem, ticket, agent)


def test_acceptance_by_pair_is_kept():
    problem = build(
        [TicketRow(id=1, waited_seconds=1), TicketRow(id=2, waited_seconds=2)], [ALICE, BOB, CHARLIE]
    )
    problem = replace(problem, agents=replace(problem.agents, accept=np.linspace(0.2, 0.9, 6).reshape(2, 3)))
    again, _ = unpack(pack(problem, solve(problem)))
    assert again.agents.accept.tolist() == problem.agents.accept.tolist()


def test_acceptance_by_topic_is_kept_a_row_a_topic():
    problem = crowd(40, 30, 6)
    by_topic = np.linspace(0.2, 0.9, 90, dtype=np.float32).reshape(3, 30)
    problem = replace(
        problem,
        tickets=replace(problem.tickets, accept_row=np.arange(40) % 3),
        agents=replace(problem.agents, accept=by_topic),
    )
    solution = solve(problem)
    data = pack(problem, solution)
    again, _ = unpack(data)
    assert again.tickets.accept_row.tolist() == problem.tickets.accept_row.tolist()
    assert again.agents.accept.tolist() == (by_topic * solution.scores.agent_able).tolist()
    replayed = replay(data)
    assert replayed.value.tobytes() == solution.value.tobytes()
    assert pack(again, solve(again)) == data


def crowd(tickets, agents, skills, seed=0):
    draw = np.random.default_rng(seed)
    return build(
        [
            TicketRow(
                id=int(draw.integers(10**6)) * 1000 + i,
                waited_seconds=float(draw.exponential(40)),
                target_seconds=float(draw.choice([20.0, 60.0])),
                max_wait_seconds=120.0,
                required={int(draw.integers(skills)): int(draw.integers(1, 4))},
                language=int(draw.integers(2)),
                excluded=[int(draw.integers(agents))],
            )
            for i in range(tickets)
        ],
        [
            AgentRow(
                id=j,
                skills={int(s): int(draw.integers(1, 6)) for s in draw.choice(skills, 6, replace=False)},
                languages=3,
                load=float(draw.random()),
                idle_seconds=float(draw.exponential(60)),
                share=float(draw.normal(12, 2)),
                accept=float(draw.random()),
            )
            for j in range(agents)
        ],
    )


def test_twenty_by_fifty_takes_less_than_five_kilobytes():
    problem = crowd(20, 50, 15)
    data = pack(problem, solve(problem))
    assert len(data) < 3000
    replay(data)


def test_figures_of_people_who_could_take_nothing_are_left_out_and_their_facts_kept():
    bob = replace(BOB, share=11.5, load=0.5, accept=0.5)
    problem = build([TicketRow(id=100, waited_seconds=5, required={LOGIN: 1})], [ALICE, bob])
    again, _ = unpack(pack(problem, solve(problem)))
    assert again.agents.share.tolist() == [1.0, 0.0]
    assert again.agents.accept.tolist() == [1.0, 0.0]
    assert again.fair_share == problem.fair_share == 6.25
    assert again.agents.levels.tolist() == problem.agents.levels.tolist()


def test_other_pairs_are_an_error():
    problem = build([TicketRow(id=100, waited_seconds=5, required={REFUND: 1})], [ALICE, BOB, CHARLIE])
    solution = solve(problem)
    forged = replace(solution, agent=solution.agent[::-1].copy())
    with pytest.raises(ReplayDiffers):
        replay(pack(problem, forged))


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: MAGIC + bytes([VERSION]) + tail))
def test_rubbish_is_refused(data):
    with pytest.raises(SnapshotUnreadable):
        unpack(data)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_damage_is_refused_or_harmless(data):
    """Each bit flip is noticed: zlib carries a checksum of what it packed."""
    problem = crowd(3, 10, 8)
    good = pack(problem, solve(problem))
    at, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    bad = good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
    with contextlib.suppress(SnapshotUnreadable):
        assert unpack(bad)[1] == unpack(good)[1]
    with pytest.raises(SnapshotUnreadable):
        unpack(good[: data.draw(st.integers(0, len(good) - 1))])
    with pytest.raises(SnapshotUnreadable):
        unpack(good + b"more")


def test_a_large_run_goes_all_the_way_without_a_matrix_of_all_pairs():
    problem = crowd(250, 300, 15)
    solution = solve(problem)
    told = reasons(solution)
    assert len(told) == len(solution.ids) > 200
    replayed = replay(pack(problem, solution))
    assert replayed.value.tobytes() == solution.value.tobytes()
    assert explain_absence(problem, solution.ids[0][0], solution.ids[0][1], solution=solution) == [
        "It was offered to you."
    ]
    for scores in (solution.scores, replayed.scores):
        assert not {"value", "eligible"} & vars(scores).keys()
    # What is by kind says the same as what is by pair.
    eligible = solution.scores.eligible
    assert (solution.scores.ticket_able == eligible.any(axis=1)).all()
    assert (solution.scores.agent_able == eligible.any(axis=0)).all()
    assert all((solution.scores.eligible_row(i) == eligible[i]).all() for i in range(250))
    assert solution.scores.value[solution.ticket, solution.agent].tobytes() == solution.value.tobytes()
    assert [one["terms"]["value"] for one in told] == solution.value.tolist()


# Written by the program when 2 was the version: crowd(4, 5, 6), and its pairs with their values.
OF_VERSION_2 = base64.b64decode(
    "U0JNAngBY2FgYGAFYjYgBgEWCAVnI/gf7CFSMJrDAZX/ACr/wN4YDC7DaYg6iPpbWtoODDs3ddfFrLHZXLS+zohLVRwijyBr5peu"
    "uXF7R7BoSptpwOH2ZWFL3zCl+HgauwTksTsAAUIlKssPCPDJxwEBPnmYaZJAAGODaUZGRgZGJmZkMUZmRkTQACWA0syE/MWAYgKy"
    "aVA20BAUQ7EoAQmlgACaHDYxZhBAU4eNC/Qe0INZttmyDPsFFCsZfqw5/5DBztbOjsHDMo6N4c6iE7cYJh99F8vg5OTozBCy8vlr"
    "BrH8Fb4Mkd7lVQyOQMDw3nnVUgYD2Qn7GLaXitQx2NnZ2zOysAJ9w8zEysrMygI0n4mFhYWRCUQyAwlQeLGA0h0VwQcwsAcDJkbU"
    "wAZajxISAIGOVBU="
)
PAIRS_OF_VERSION_2 = [(632270002, 1), (175267001, 2), (850624000, 4), (394149003, 3)]
VALUES_OF_VERSION_2 = [4.883437371160038, 2.755492147469976, 4.4723048284510964, 2.555095325112223]


def test_a_run_of_version_2_replays_to_the_bit():
    problem, stored = unpack(OF_VERSION_2)
    assert stored == PAIRS_OF_VERSION_2
    assert not problem.tickets.newcomers_first.any()
    assert not problem.agents.new.any()
    again = replay(OF_VERSION_2)
    assert again.value.tolist() == VALUES_OF_VERSION_2
    assert unpack(pack(problem, again))[1] == stored


# The same of version 3, with newcomers: crowd(4, 5, 6), its first and third ticket for them, its second and third person new.
OF_VERSION_3 = base64.b64decode(
    "U0JNA3gBY2FgYGAFYjYgBgEWCAVnI/gf7CFSMJrDAZX/ACr/wN4YDC7DaYg6iPpbWtoODDs3ddfFrLHZXLS+zohLVRwijyBr5peuuXF7R7Bo"
    "SptpwOH2ZWFL3zCl+HgauwTksTsAAUIlKssPCPDJxwEBPnmYaZJAAGODaUZGRgZGJmZkMUZmRkTQACWA0syE/MWAYgKyaVA20BAUQ7EoAQml"
    "gACaHDYxZhBAU4eNC/Qe0INZttmyDPsFFCsZfqw5/5DBztbOjsHDMo6N4c6iE7cYJh99F8vg5OTozBCy8vlrBrH8Fb4Mkd7lVQyOQMDw3nnV"
    "UgYD2Qn7GLaXitQx2NnZ2zOysAJ9w8zEysrMygI0n4mFhYWRCUQyAwlQeLGA0h0VwQcwsAcDJkbUwGZkQYs+BkZgnAExAHaRVBk="
)
PAIRS_OF_VERSION_3 = [(632270002, 1), (175267001, 4), (850624000, 2), (394149003, 3)]
VALUES_OF_VERSION_3 = [8.983437371160036, 4.653526712313832, 6.359260498519747, 2.555095325112223]


def test_a_run_of_version_3_replays_to_the_bit():
    problem, stored = unpack(OF_VERSION_3)
    assert stored == PAIRS_OF_VERSION_3
    assert problem.agents.new.tolist() == [False, True, True, False, False]
    assert not problem.agents.booked.any()
    assert problem.weights.booked == 0
    again = replay(OF_VERSION_3)
    assert again.value.tolist() == VALUES_OF_VERSION_3
    assert unpack(pack(problem, again))[1] == stored


# The same of version 5, its first ticket reserved; and then with acceptance by pair, 0.2 to 0.9 in 20 steps.
OF_VERSION_5 = base64.b64decode(
    "U0JNBXgBY2FgYGAFYjYgBgEWCAVnI/gf7CFSMJrDAZX/ACr/wN4YDC7DaYg6iPpbWtoODDs3ddfFrLHZXLS+zohLVRwijyBr5peuuXF7R7BoSp"
    "tpwOH2ZWFL3zCl+HgauwTksTsAAUIlKssPCPDJxwEBPnmYaZJAAGODaUZGRgZGJmZkMUZmRkTQACWA0syE/MWAYgKyaVA20BAUQ7EoAQmlgACa"
    "HDYxZhBAU4eNC/Qe0INZttmyDPsFFCsZfqw5/5DBztbOjsHDMo6N4c6iE7cYJh99F8vg5OTozBCy8vlrBrH8Fb4Mkd7lVQyOQMDw3nnVUgYD2Q"
    "n7GLaXitQx2NnZ2zOysAJ9w8zEysrMygI0n4mFhYWRCUQyAwlQeLGA0h0VwQcwsAcDJkbUwAZaT0xI4HTNBXtGoNysmSBw0x4ABDBZ1A=="
)
OF_VERSION_5_BY_PAIR = base64.b64decode(
    "U0JNBXgBY2FgYGAFYjYgZgRiFiCGARAbwf9gDxGH0RwOqPwHUPkH9sZgcBlOQ9RB1N/S0nZg2Lmpuy5mjc3movV1Rlyq4hB5BFkzv3TNjds7gk"
    "VT2kwDDrcvC1v6hinFx9PYJSCP3QEIECpRWX5AgE8+DgjwycNMkwQCGBtMMzIyMjAyMSOLMTIzIoIGKAGUZibkLwYUE5BNg7KBhqAYikUJSCgF"
    "BNDksIkxgwCaOmxcoPeAHsyyzZZl2C+gWMnwY835hwx2tnZ2DB6WcWwMdxaduMUw+ei7WAYnJ0dnhpCVz18ziOWv8GWI9C6vYnAEAoa9YX5uDG"
    "Z6av0M7cz1vxk+571KY2hT+HuLYUqhnyjDp8TztgxSnd/TGIp65m1kuP7qLweDlIquOYNXcEwagx0QgAh7BnsgABOMLKzAkGBmYmVlZmUBuo2J"
    "hYWFkQlEMgMJUFizgNIsFcEHMAA5wN6eiRE1ooDWExOKOF1zwR6UsWbNBIGb9gDLXG23"
)
VALUES_OF_VERSION_5 = [4.883437371160038, 2.755492147469976, 4.4723048284510964, 2.555095325112223]
VALUES_OF_VERSION_5_BY_PAIR = [5.494464134613716, 3.366113001605556, 2.654563301550236, 3.2894177688222808]


@pytest.mark.parametrize(
    ("data", "values", "rows"),
    [(OF_VERSION_5, VALUES_OF_VERSION_5, (5,)), (OF_VERSION_5_BY_PAIR, VALUES_OF_VERSION_5_BY_PAIR, (4, 5))],
)
def test_a_run_of_version_5_replays_to_the_bit(data, values, rows):
    problem, stored = unpack(data)
    assert stored == PAIRS_OF_VERSION_2
    assert problem.tickets.reserved.tolist() == [True, False, False, False]  # the third is overdue
    assert problem.agents.accept.shape == rows
    again = replay(data)
    assert again.value.tolist() == values
    assert unpack(pack(problem, again))[1] == stored


def test_a_version_that_is_not_known_is_refused():
    for version in (1, VERSION + 1):
        with pytest.raises(SnapshotUnreadable, match="this program reads 2, 3, 4"):
            unpack(MAGIC + bytes([version]) + OF_VERSION_2[4:])
