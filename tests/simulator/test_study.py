"""The figures of a study, its JSON's form, its report; and the files it can be made of."""

import io
import json
import re
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from dispatch.simulator.case import Case, Kind, reference, world_of
from dispatch.simulator.inputs import InvalidArrivals, case_of_arrivals, read_arrivals
from dispatch.simulator.loop import Play
from dispatch.simulator.measure import FIGURES, Interval, figures_of, gini
from dispatch.simulator.policies import LONGEST_IDLE, OURS
from dispatch.simulator.report import as_html
from dispatch.simulator.study import as_json, as_text, reference_cases, study

TINY = Case(
    name="tiny",
    kinds=[Kind({0: 1}), Kind({1: 1})],
    agents=4,
    skills=2,
    skills_each=1,
    load=0.8,
    warm_up=300.0,
    measured=3000.0,
)
POLICIES = (LONGEST_IDLE, OURS)


@pytest.fixture(scope="module")
def tiny():
    return study("tiny", [TINY], POLICIES, [1, 2, 3])


def test_the_form_of_the_json(tiny):
    found = json.loads(json.dumps(as_json(tiny), allow_nan=False))
    assert list(found) == ["form", "case", "seeds", "figures", "cases"]
    assert (found["form"], found["case"], found["seeds"]) == (2, "tiny", [1, 2, 3])
    assert found["figures"] == [
        "tickets",
        "wait_mean",
        "wait_p50",
        "wait_p95",
        "within_target",
        "abandoned",
        "fit",
        "offers",
        "rescinded",
        "expired",
        "gini",
        "utilisation",
        "solve_ms",
    ]
    [case] = found["cases"]
    assert list(case) == ["load", "speed", "agents", "warm_up", "measured", "policies"]
    idle, ours = case["policies"]
    assert list(ours) == ["policy", "weights", "means", "figures", "less_than"]
    assert (idle["policy"], idle["weights"]) == ("longest idle", None)
    assert ours["weights"]["max_parallel"] == OURS.weights.max_parallel
    assert ours["means"] == {
        "next_up": True,
        "auto_share": 0.0,
        "steps": None,
        "exploration_percent": 0,
        "reserve_seconds": 16.0,
    }
    assert list(ours["figures"]) == found["figures"]
    assert list(ours["figures"]["wait_mean"]) == ["mean", "low", "high"]
    assert idle["figures"]["solve_ms"] == {"mean": None, "low": None, "high": None}
    assert list(ours["less_than"]) == ["longest idle"]
    assert list(ours["less_than"]["longest idle"]) == ["wait_mean", "wait_p95"]


def test_a_study_is_the_same_twice(tiny):
    again = study("tiny", [TINY], POLICIES, [1, 2, 3])
    for one, other in zip(tiny.cells, again.cells, strict=True):
        assert [replace(run, solve_ms=0.0) for run in one.runs] == [
            replace(run, solve_ms=0.0) for run in other.runs
        ]


def test_all_policies_meet_the_same_tickets(tiny):
    idle, ours = tiny.cells
    assert [run.tickets for run in idle.runs] == [run.tickets for run in ours.runs]


def test_the_report_needs_nothing_else(tiny):
    page = as_html(tiny)
    assert page.count("<svg ") == 1
    assert page.count("<tr>") == 1 + len(POLICIES) or page.count("<tr") == 1 + len(POLICIES)
    assert not re.search(r"<(script|img|link)|src=", page)
    assert "nan" not in page
    assert page == as_html(tiny)


def test_the_text_has_a_line_a_policy(tiny):
    lines = as_text(tiny).splitlines()
    assert [line.split("  ")[1] for line in lines[2:]] == ["longest idle", "assignment"]


def test_the_reference_case():
    cases = reference_cases()
    assert [(case.load, case.speed) for case in cases] == [
        (load, speed) for speed in (0.1, 0.0) for load in (0.85, 0.90, 0.95)
    ]
    assert (reference().agents, len(reference().kinds)) == (200, 12)
    # 300 s of handling, and 8 s for an answer of which 4 of 5 are a yes.
    assert reference(0.95).rate == pytest.approx(0.95 * 200 / 310)


def test_the_reference_case_is_won():
    """A quarter of it, one seed, with room for chance; all ten figures are measured by `manage.py simulate` (ADR 37)."""
    case = replace(reference(0.95), warm_up=600.0, measured=1200.0)
    ours, idle = (figures_of(Play(world_of(case, 1), policy).run()) for policy in (OURS, LONGEST_IDLE))
    assert ours.wait_mean < 0.85 * idle.wait_mean
    assert ours.wait_p95 < idle.wait_p95
    assert ours.fit > 0.83 > idle.fit
    assert ours.offers < 2.0


def test_gini_by_hand():
    assert gini([1.0, 1.0, 1.0]) == 0.0
    assert gini([0.0, 0.0, 3.0]) == pytest.approx(2 / 3)
    assert gini([1.0, 3.0]) == pytest.approx(0.25)
    assert gini([0.0, 0.0]) == 0.0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_gini_is_a_share_and_has_no_unit(values):
    assert -1e-9 <= gini(values) < 1
    assert gini([2 * value for value in values]) == pytest.approx(gini(values))


def test_an_interval_by_hand():
    # Student's t of 2 degrees at 97.5 %: 4.3027; deviation 1, of 3.
    found = Interval.of([1.0, 2.0, 3.0])
    assert (found.mean, found.high - found.mean) == pytest.approx((2.0, 4.302653 / 3**0.5))
    assert 2.0 in found


def test_arrivals_of_a_file():
    case = case_of_arrivals(
        read_arrivals(
            [
                "at,topic,handling\n",
                "2026-11-02T09:00:10+00:00,refund,60\n",
                "2026-11-02T09:00:00+00:00,login,\n",
            ]
        ),
        agents=2,
    )
    assert [kind.name for kind in case.kinds] == ["login", "refund"]
    assert (case.coming.at, case.coming.kind, case.coming.handling) == ([0.0, 10.0], [0, 1], [300.0, 60.0])


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["time\n", "3\n"], "line 1: there is no column"),
        (["at\n", "3\n", "soon\n"], "line 3"),
        (["at,handling\n", "3,-1\n"], "line 2: handling must be above 0"),
        (["at\n", "nan\n"], "line 2: nan is no time"),
        (["at\n"], "no ticket"),
    ],
)
def test_a_bad_file_is_named_by_its_line(lines, why):
    with pytest.raises(InvalidArrivals, match=why):
        read_arrivals(lines)


def test_the_command_plays_a_file(tmp_path):
    (tmp_path / "day.csv").write_text("at,topic\n" + "".join(f"{9 * i},{'ab'[i % 2]}\n" for i in range(30)))
    out = io.StringIO()
    call_command(
        "simulate",
        arrivals=tmp_path / "day.csv",
        agents=20,
        seeds=2,
        json=True,
        html=tmp_path / "report.html",
        stdout=out,
        stderr=io.StringIO(),
    )
    [case] = json.loads(out.getvalue())["cases"]
    assert [policy["figures"]["tickets"]["mean"] for policy in case["policies"]] == [30.0] * 5
    assert set(case["policies"][0]["figures"]) == set(FIGURES)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


def test_the_command_names_what_it_cannot_read(tmp_path):
    (tmp_path / "bad.csv").write_text("when\n1\n")
    with pytest.raises(CommandError, match="no column"):
        call_command("simulate", arrivals=tmp_path / "bad.csv")
    with pytest.raises(CommandError, match="more than nothing"):
        call_command("simulate", seeds=0)
