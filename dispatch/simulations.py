"""Simulations that team leads ask for: asked, played by a worker of their own, cancelled, and never left hanging.

They play for minutes on one core, so they have a process apart from everything that customers and agents wait for
(config/stack.py), one at a time, and an end: SECONDS.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import override

from agents.models import Pool
from dispatch import routes
from dispatch.errors import SimulationUnderWay
from dispatch.models import Policy as PolicyRow
from dispatch.models import Simulation, SimulationState
from dispatch.simulator.case import Case, reference
from dispatch.simulator.inputs import InvalidArrivals, case_of_arrivals, read_arrivals
from dispatch.simulator.policies import BASELINES, OURS, Means, Policy
from dispatch.simulator.study import as_json, study
from dispatch.yesterday import NothingLogged, case_of_day

SECONDS = 900.0  # one may play so long
TICKETS = 25_000  # of one world
POOL = "pool:"  # before the key of a pool whose current policy is played
NAMED = {policy.name: policy for policy in (*BASELINES, OURS)}


class _Stopped(Exception):
    """It was cancelled, or is no longer ours."""


class _TooLong(Exception):
    """Its time is over."""


def simulation_start(*, user_id: int, inputs: Mapping[str, Any], arrivals: str = "") -> Simulation:
    """Ask for one. Outermost. `inputs` as SimulationForm cleans them. Raises SimulationUnderWay: one at a time a person."""
    try:
        with transaction.atomic(durable=True):
            return Simulation.objects.create(
                asked_by_id=user_id,
                inputs=dict(inputs),
                arrivals=arrivals,
                plays=inputs["seeds"] * len(inputs["policies"]),
            )
    except IntegrityError as error:
        if "simulation_one_live_a_person" not in str(error):
            raise
        raise SimulationUnderWay from None


def simulation_cancel(*, simulation_id: int, user_id: int) -> bool:
    """Stop one of the person's own. Outermost. False when it has ended, or is somebody else's. Safe to do twice."""
    return bool(
        Simulation.objects.filter(pk=simulation_id, asked_by_id=user_id, state__in=Simulation.LIVE).update(
            state=SimulationState.CANCELLED, ended_at=Now()
        )
    )


def simulation_play(*, simulation_id: int) -> None:
    """Play it, if it waits. Outermost; a message that comes twice does nothing more."""
    mine = Simulation.objects.filter(pk=simulation_id)
    if not mine.filter(state=SimulationState.WAITING).update(state=SimulationState.RUNNING, began_at=Now()):
        return
    simulation = mine.select_related("asked_by").get()
    with override(simulation.asked_by.language):  # what is stored is read by them
        _play(simulation, mine.filter(state=SimulationState.RUNNING))


def _play(simulation: Simulation, running: QuerySet[Simulation]) -> None:
    end = time.monotonic() + SECONDS

    def played() -> None:
        if not running.update(played=F("played") + 1):
            raise _Stopped
        if time.monotonic() > end:
            raise _TooLong

    try:
        case = case_of(simulation.inputs, simulation.arrivals)
        seeds = range(1, simulation.inputs["seeds"] + 1)
        done = study(
            simulation.title, [case], policies_of(simulation.inputs["policies"]), seeds, played=played
        )
        from dispatch.simulator.report import as_html, svg  # noqa: PLC0415  the plots take a second to import

        words = dict(policy_choices()) | _plot_words()
        plots = [svg(one, cells, words, _case_title(one)) for one, cells in done.cases()]
        running.update(
            state=SimulationState.DONE,
            ended_at=Now(),
            result=as_json(done),
            plots=plots,
            report=as_html(done),
        )
    except _Stopped:
        return
    except (InvalidArrivals, NothingLogged, ValueError) as error:
        _fail(running, str(error))
    except _TooLong:
        _fail(
            running,
            _("It would have taken longer than %(minutes)s minutes: fewer worlds, hours or people, please.")
            % {"minutes": round(SECONDS / 60)},
        )
    except Exception:
        _fail(running, _("It broke. The worker’s log says why."))
        raise


def _fail(running: QuerySet[Simulation], words: str) -> None:
    running.update(state=SimulationState.FAILED, ended_at=Now(), error=words[:300])


def stale_fail() -> int:
    """Those whose worker died have ended: nobody plays them any more. Safe twice. Returns how many."""
    late = Now() - timedelta(seconds=SECONDS + 60)
    return Simulation.objects.filter(state=SimulationState.RUNNING, began_at__lt=late).update(
        state=SimulationState.FAILED, ended_at=Now(), error=_("It was interrupted. Please start it again.")
    )


def waiting() -> list[int]:
    """Those that wait, oldest first: their message may be lost."""
    return list(
        Simulation.objects.filter(state=SimulationState.WAITING).order_by("pk").values_list("pk", flat=True)
    )


# --- What is played ---------------------------------------------------------------------------------------------------


def case_of(inputs: Mapping[str, Any], arrivals: str) -> Case:
    """The case that a form's inputs describe. Raises InvalidArrivals, NothingLogged, ValueError with words for the reader."""
    if inputs["source"] == "file":
        case = case_of_arrivals(
            read_arrivals(arrivals.splitlines()),
            agents=inputs["people"],
            handling_mean=inputs["handling_minutes"] * 60.0,
        )
    elif inputs["source"] == "day":
        case = case_of_day(date.fromisoformat(inputs["day"]), Pool.objects.get(key=inputs["pool"]).pk)
    else:
        patience = inputs["patience_minutes"]
        case = replace(
            reference(inputs["load"] / 100, faster=inputs["faster"]),
            name="model",
            agents=inputs["people"],
            handling_mean=inputs["handling_minutes"] * 60.0,
            accept=inputs["accept"] / 100,
            answer_mean=float(inputs["answer_seconds"]),
            patience_mean=patience * 60.0 if patience else float("inf"),
            measured=inputs["hours"] * 3600.0,
        )
    tickets = len(case.coming.at) if case.coming else case.rate * case.horizon
    if tickets > TICKETS:
        raise ValueError(
            _("That would be %(tickets)s tickets; %(most)s can be played. Fewer hours or people, please.")
            % {"tickets": round(tickets), "most": TICKETS}
        )
    return case


def policies_of(names: list[str]) -> list[Policy]:
    """Policies by the names that policy_choices() gave; those of a pool as they are now."""
    return [_of_pool(name.removeprefix(POOL)) if name.startswith(POOL) else NAMED[name] for name in names]


def _plot_words() -> dict[str, str]:
    """Headings of dispatch.simulator.report.PLOTS in the reader's language."""
    return {
        "Seconds from creation to accepted, mean": _("Seconds from creation to accepted, mean"),
        "… 95th percentile": _("… 95th percentile"),
        "Skill fit": _("Skill fit"),
        "Gini of work per online hour": _("Gini of work per online hour"),
        "Offers a ticket": _("Offers a ticket"),
        "Share of the online time that is work": _("Share of the online time that is work"),
    }


def _case_title(case: Case) -> str:
    return _("Load %(load)s, %(agents)s agents") % {"load": f"{case.load:.0%}", "agents": case.agents}


def _of_pool(key: str) -> Policy:
    pool = Pool.objects.get(key=key)
    spec = routes.policy(pool.pk)
    version = PolicyRow.objects.values_list("version", flat=True).get(pk=spec.id)
    return Policy(
        _("%(pool)s, version %(version)s") % {"pool": pool.name, "version": version},
        weights=spec.weights,
        means=Means(
            next_up=spec.next_up,
            exploration_percent=spec.exploration_percent,
            reserve_seconds=float(spec.reserve_seconds),
        ),
    )


def policy_choices() -> list[tuple[str, str]]:
    """(name, words) of all that can be played, in the reader's language. One query."""
    return [
        *(
            (f"{POOL}{pool.key}", _("Rules of “%(pool)s” now") % {"pool": pool.name})
            for pool in Pool.objects.all()
        ),
        ("assignment", _("Assignment, tuned for the reference case")),
        ("longest idle", _("Who is idle longest")),
        ("round robin", _("One after the other")),
        ("least loaded", _("Who has least to do")),
        ("greedy best skill", _("The best skill at once")),
    ]
