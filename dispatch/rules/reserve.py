"""A ticket that has only just come waits some seconds for somebody whom it suits: the better match may come free in them."""

from __future__ import annotations


def is_reserved(waited: float, seconds: float, *, urgent: bool, promised: bool) -> bool:
    """Whether only who is worth the policy's reserve is asked: after so many seconds of waiting, for so many seconds.

    Never what is urgent, nor what waits for certain people anyway (`promised`: by name, or known to its customer).
    """
    return waited < seconds and not urgent and not promised
