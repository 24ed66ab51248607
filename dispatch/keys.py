"""Keys of the console: which key does what, as each agent has chosen it. Kept with their account, so on every device."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from dispatch.errors import BadKeys
from dispatch.models import DeskKeys

# Action → its key and its words. Ctrl-K, Ctrl-Enter and Escape stay what they are everywhere.
ACTIONS: dict[str, tuple[str, Promise]] = {
    "accept": ("a", _("Accept the offer")),
    "decline": ("d", _("Decline the offer")),
    "reply": ("r", _("Write to the customer")),
    "note": ("n", _("Write an internal note")),
    "next": ("j", _("Next ticket")),
    "previous": ("k", _("Previous ticket")),
    "pass_on": ("p", _("Pass the ticket on")),
    "snooze": ("s", _("Put the ticket aside")),
    "wake": ("t", _("Take the ticket up again")),
    "misuse": ("x", _("End as spam or abuse")),
    "merge": ("m", _("Merge with another ticket of the customer")),
    "resolve": ("e", _("Resolve the ticket")),
    "undo": ("u", _("Undo “Send and resolve”")),
    "done": ("w", _("End the wrap-up")),
    "help": ("?", _("Show the keys")),
}


def of(agent: Agent) -> dict[str, str]:
    """Action → key; "" is none. One query."""
    chosen = DeskKeys.objects.filter(agent=agent).values_list("keys", flat=True).first() or {}
    taken = {key for action, key in chosen.items() if action in ACTIONS}
    # An action that is newer than their choice does not take a key away from another one.
    return {
        action: chosen.get(action, "" if key in taken else key) for action, (key, _words) in ACTIONS.items()
    }


def choose(*, agent: Agent, keys: Mapping[str, str]) -> dict[str, str]:
    """Set the keys of these actions; the others stay. Returns all. Doing it twice changes nothing.

    Raises BadKeys: an unknown action, more than one sign, a blank, or one key for two actions.
    """
    new = of(agent) | {action: key.strip().lower() for action, key in keys.items()}
    used = [key for key in new.values() if key]
    if set(new) != set(ACTIONS) or len(used) != len(set(used)):
        raise BadKeys
    if any(len(key) != 1 or not key.isprintable() or key.isspace() for key in used):
        raise BadKeys
    DeskKeys.objects.update_or_create(agent=agent, defaults={"keys": new})
    return new
