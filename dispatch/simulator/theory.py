"""Closed forms that the simulator is held against. μ = 1 ÷ mean handling; all rates per second."""

from __future__ import annotations

import numpy as np


def erlang_c(servers: int, rate: float, handling_mean: float) -> tuple[float, float]:
    """(probability to wait, mean wait in seconds over all) in M/M/c.

    C = B ÷ (1 − ρ (1 − B)) with Erlang's loss formula B by its recursion, W = C ÷ (cμ − λ). Raises ValueError at ρ ≥ 1.
    Source: Gross and Harris, Fundamentals of Queueing Theory, 4th edition, 2.3.
    """
    offered = rate * handling_mean
    if offered >= servers:
        raise ValueError(f"{servers} servers cannot serve {offered} erlangs")
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    busy = offered / servers
    waits = blocked / (1 - busy * (1 - blocked))
    return waits, waits * handling_mean / (servers - offered)


def erlang_a(servers: int, rate: float, handling_mean: float, patience_mean: float) -> float:
    """Share of customers who leave in M/M/c+M.

    A birth-death chain: births λ, deaths min(n, c) μ + (n − c)⁺ θ; the share is θ · E[queue] ÷ λ. Summed until the states
    weigh nothing. Source: Palm (1957); Garnett, Mandelbaum, Reiman, "Designing a Call Center with Impatient Customers", 2002.
    """
    mu, theta = 1 / handling_mean, 1 / patience_mean
    most = int(servers + 50 + 20 * rate * patience_mean)
    n = np.arange(1, most + 1)
    deaths = np.minimum(n, servers) * mu + np.maximum(n - servers, 0) * theta
    log_weight = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(deaths))])
    weight = np.exp(log_weight - log_weight.max())
    queue = np.maximum(np.arange(most + 1) - servers, 0)
    return float(theta * (queue * weight).sum() / weight.sum() / rate)
