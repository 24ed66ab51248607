"""What a ticket can be about, as the form and the services see it: the active topics, kept for some seconds.

A topic that an admin switches off is refused after tickets.kept.KEPT_SECONDS at the latest, a new one is taken at once.
"""

from tickets import kept
from tickets.models import Topic
from tickets.statements import fetch


def active() -> list[Topic]:
    """The topics that are offered, in their order. Not to be changed: all threads see these objects. One query if not kept."""
    return list(_by_key().values())


def find(key: str) -> Topic | None:
    """The active topic with this key. No query if it is kept, otherwise one: it may be a new one."""
    found = _by_key().get(key)
    if found is None:
        kept.forget("topics")
        found = _by_key().get(key)
    return found


def _by_key() -> dict[str, Topic]:
    return kept.keep(
        "topics",
        lambda: {topic.key: topic for topic in fetch(Topic, "WHERE active ORDER BY position, key", [])},
    )
