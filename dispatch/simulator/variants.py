"""Ours without each of its parts in turn, and with what else was tried: the rows of docs/adr/0013."""

from dataclasses import replace
from typing import Any

from dispatch.matching import Weights
from dispatch.rules.steps import Step
from dispatch.simulator.case import POOL
from dispatch.simulator.policies import OURS, Policy


def _weights(name: str, **changes: Any) -> Policy:
    return replace(OURS, name=name, weights=replace(OURS.weights, **changes))


def _means(name: str, policy: Policy = OURS, **changes: Any) -> Policy:
    return replace(policy, name=name, means=replace(policy.means, **changes))


ONE_AT_A_TIME = _weights("one offer at a time", max_parallel=1)
ABLATION = (
    replace(OURS, name="first weights", weights=Weights()),
    _means("no next-up", next_up=False),
    ONE_AT_A_TIME,
    _means("neither", ONE_AT_A_TIME, next_up=False),
    _weights("without fit", fit=0.0),
    _weights("without wait", wait=0.0),
    _weights("without fair share", fairness=0.0),
    _weights("without load", load=0.0),
    _weights("without scarcity", scarcity=0.0),
    _means("a quarter auto-accepts", auto_share=0.25),
    _means("5 % to newcomers first", exploration_percent=5),
    _means("without reserve", _weights("at once", reserve=0.0), reserve_seconds=0.0),
    _means("reserve for parallel offers only", reserve_seconds=0.0),
    _weights("fair share 27", fairness=27.0),
    _means(
        "level 3 first, 25 s",
        _weights("best first", fit=8.0, fairness=90.0),
        steps=(Step(0, POOL, 3), Step(25, POOL)),
    ),
    *(
        _means(
            f"{share:.0%} auto-accept, level 3 first for {after} s, fair share {fairness:.0f}",
            _weights("one at a time", fairness=fairness, max_parallel=1),
            auto_share=share,
            steps=(Step(0, POOL, 3), Step(after, POOL)),
        )
        for share, after, fairness in (
            (0.5, 20, 50.0),
            (0.5, 15, 40.0),
            (0.5, 15, 60.0),
            (0.5, 12, 50.0),
            (0.67, 12, 60.0),
        )
    ),
)
