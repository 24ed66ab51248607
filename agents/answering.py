"""How long an agent has to answer an offer: what their own setting adds to the seconds of the route."""

from agents.errors import BadExtraSeconds
from agents.models import Agent

MOST_SECONDS = 120  # the customer waits meanwhile


def extra_seconds_choose(*, agent_id: int, seconds: int) -> int:
    """So many seconds (0–120) more for each offer that is made from now on; open ones keep their deadline. Outermost.

    For people who read, hear or move more slowly; nobody asks why, and matching does not know of it. Doing it twice changes
    nothing. Returns them. Raises BadExtraSeconds.
    """
    if not 0 <= seconds <= MOST_SECONDS:
        raise BadExtraSeconds
    Agent.objects.filter(pk=agent_id).update(extra_seconds=seconds)
    return seconds
