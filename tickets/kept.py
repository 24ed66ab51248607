"""What admins have set, kept in this process for some seconds: read by every request and run, changed a few times a day."""

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

KEPT_SECONDS = 2.0

T = TypeVar("T")

_kept: dict[Any, tuple[float, Any]] = {}  # name → when it was loaded, by time.monotonic(), and what
_lock = threading.Lock()


def keep(name: Any, load: Callable[[], T]) -> T:
    """What `load` gave under this name at most KEPT_SECONDS ago, or gives now. `load` must not call keep().

    Of threads that find it too old at the same time, one loads, and the others take what it got.
    """
    held = _fresh(name)
    if held is None:
        with _lock:
            held = _fresh(name)
            if held is None:
                held = (time.monotonic(), load())
                _kept[name] = held
    return cast("T", held[1])


def forget(name: Any = None) -> None:
    """Load this anew at the next look, or, without a name, everything: for tests, and for who knows of a change."""
    if name is None:
        _kept.clear()
    else:
        _kept.pop(name, None)


def _fresh(name: Any) -> tuple[float, Any] | None:
    held = _kept.get(name)
    return held if held is not None and time.monotonic() - held[0] < KEPT_SECONDS else None
