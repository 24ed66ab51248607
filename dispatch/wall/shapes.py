"""What the wallboard shows, as it is read once and drawn for all who look (dispatch/wall/figures.py, frames.py)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dispatch.models import Alert
from dispatch.wall import halves


@dataclass
class Line:
    """What waits and how it went today, of a topic, pool or skill. `names`: by language; of no topic there is none."""

    names: Mapping[str, str]
    waiting: int = 0
    longest: float | None = None  # seconds since the oldest began to wait
    past: float | None = (
        None  # share of the target that the oldest has waited, in open hours; 1: it has passed
    )
    online: int = 0  # people who are, of a pool
    kept: int = 0  # waits of today
    missed: int = 0

    @property
    def name(self) -> str:
        """In the reader's language."""
        return self.names.get(get_language() or "en") or self.names.get("en") or _("General")

    @property
    def share(self) -> float | None:
        """Service level of today."""
        known = self.kept + self.missed
        return self.kept / known if known else None


class Waits(NamedTuple):
    """A ticket that waits, to be opened."""

    public_id: str
    number: str
    topic: Line
    seconds: float
    nobody: bool  # that could take it is online


@dataclass
class People:
    """Everybody with an open shift, each in one of these; and who has left today."""

    online: int = 0  # with time for more
    busy: int = 0  # load at capacity
    wrap_up: int = 0
    paused: int = 0
    finishing: int = 0
    lost: int = 0  # the connection; grace time runs
    offline: int = 0  # today, after having been there
    units: int = 0  # of those online, busy, or in wrap-up
    units_taken: int = 0

    @property
    def occupancy(self) -> float | None:
        return self.units_taken / self.units if self.units else None

    @property
    def there(self) -> int:
        return self.online + self.busy + self.wrap_up


@dataclass
class Span:
    """Figures of a stretch of half hours, as HalfHour has them."""

    asked: int = 0
    kept: int = 0
    missed: int = 0
    left: int = 0
    pending: int = 0
    abandoned: int = 0
    unended: int = 0
    estimates: int = 0
    offers: int = 0
    accepted: int = 0
    declined: int = 0
    expired: int = 0
    rescinded: int = 0
    withdrawn: int = 0
    opened: int = 0
    reopened: int = 0
    resolved: int = 0
    assisted: int = 0
    ratings: int = 0
    stars: int = 0
    longest: float = 0.0
    early: float = 0.0
    off: float = 0.0

    def __iadd__(self, other: "Span") -> "Span":
        for name in halves.SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest = max(self.longest, other.longest)
        return self

    @property
    def service_level(self) -> float | None:
        """Waits of which it is known whether a person came within the topic's target, in open hours: the share that kept it."""
        return _share(self.kept, self.kept + self.missed)

    @property
    def known(self) -> int:
        """Waits of which it is known whether a person came in time."""
        return self.kept + self.missed

    @property
    def ended(self) -> int:
        """Offers that have come to an end, whichever."""
        return self.accepted + self.declined + self.expired + self.rescinded + self.withdrawn

    @property
    def accepted_share(self) -> float | None:
        return _share(self.accepted, self.ended)

    @property
    def declined_share(self) -> float | None:
        return _share(self.declined, self.ended)

    @property
    def expired_share(self) -> float | None:
        return _share(self.expired, self.ended)

    @property
    def rescinded_share(self) -> float | None:
        return _share(self.rescinded, self.ended)

    @property
    def abandoned_share(self) -> float | None:
        return _share(self.abandoned, self.asked)

    @property
    def assistant_share(self) -> float | None:
        """Of tickets that were resolved, those that no person was needed for."""
        return _share(self.assisted, self.assisted + self.resolved)

    @property
    def rating(self) -> float | None:
        return _share(self.stars, self.ratings)

    @property
    def estimate_off(self) -> float | None:
        """Seconds between the wait that customers were told first, and the true one, on average."""
        return _share(self.off, self.estimates)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


@dataclass
class Half:
    """Half an hour of a chart."""

    begins_at: datetime
    span: Span


@dataclass
class Board:
    """All that the wallboard shows. `at`: by the database's clock."""

    at: datetime
    counted_at: datetime | None
    old: bool  # half hours were not counted of late
    waiting: int
    flagged: int  # of these: nobody who could take them is online
    longest: float | None
    offers_open: int
    chats: int
    aside: int  # held, and put aside until a time
    people: People
    topics: list[Line]
    pools: list[Line]
    skills: list[Line]
    waits: list[Waits]
    today: Span
    day: Span  # the last 24 hours
    halves: list[Half]
    midnight: datetime  # at which today began
    silent: list[str]  # kinds of processes that nobody has heard of (dispatch/pulse.py)
    promised: float | None  # share of the promise kept in the days that are published
    alerts: list[Alert]
    looked: float = field(default_factory=time.monotonic, compare=False)
    # (language, whether with buttons, with links) → part → HTML: drawn once, for all who look (dispatch/wall/frames.py)
    drawn: dict[tuple[str, bool, bool], dict[str, str]] = field(default_factory=dict, compare=False)

    @property
    def seq(self) -> int:
        """Number of this state in the stream: milliseconds, so that it grows whichever process has looked."""
        return int(self.at.timestamp() * 1000)
