"""How many are asked about one ticket at once: as many as the policy allows, and fewer when too many are asked in vain.

Asking several shortens the wait, because people take seconds to answer; but whoever loses was interrupted for nothing. So the
share of offers that another was faster at is measured, and a bound of the policy steers by it.
"""

from __future__ import annotations

FEW = 20  # ended offers in the window; fewer say nothing
EASED = 0.8  # of the bound; below it one more may be asked again


def parallel_next(now: int, most: int, ended: int, rescinded: int, bound: float) -> int:
    """The number for the next minute, 1 to `most`: one less while the share is above the bound, one more well below it.

    `ended` offers of a recent window, of which `rescinded` went to somebody faster; `bound` is a share, 0 to 1.
    """
    now = min(max(now, 1), most)
    if ended < FEW:
        return now
    share = rescinded / ended
    if share > bound:
        return max(now - 1, 1)
    return min(now + 1, most) if share < EASED * bound else now
