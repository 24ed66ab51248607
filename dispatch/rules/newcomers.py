"""Who is new, and which tickets go to newcomers first: else those who are known better would always be asked before them.

Which tickets these are follows from their number, so that a run that is solved again finds the same.
"""

from __future__ import annotations

from typing import Any

FEW = 20  # answered offers in the window of standings; who has fewer is new
GOLDEN = 2654435769  # 2³² ÷ the golden ratio: its multiples spread over a circle as evenly as there is (Knuth, TAOCP 3, 6.4)
CIRCLE = 2**32


def is_new(answered: Any) -> Any:
    """Whether somebody with so many answered offers of late is new; numbers or arrays of them."""
    return answered < FEW


def newcomers_first(ticket_id: Any, percent: int) -> Any:
    """Whether a ticket goes to newcomers first, of which `percent` in a hundred do; numbers or arrays of them.

    Of numbers in a row the chosen ones are nowhere far apart: at 5 % there are 13, 21 or 34 from one to the next.
    """
    return ticket_id * GOLDEN % CIRCLE * 100 < percent * CIRCLE
