"""A shift is ended by somebody else, without the reason and the record that go with it (dispatch/leading.py)."""

from agents.models import Shift
from dispatch import presence
from tickets import timeline


def force_offline(*, shift_id: int) -> bool:
    """False when it had ended already."""
    with timeline.command():
        shift = Shift.objects.select_related("agent").get(pk=shift_id)
        return shift.ended_at is None and presence.shift_force(agent_id=shift.agent_id)
