"""Files are shown to a virus scanner, if the operator has named one (SCAN_COMMAND): any program that reads a file from stdin.

It fails closed: what the scanner does not call clean is not let in, whatever the reason.
"""

import logging
import os
import signal
import subprocess
from enum import Enum

from django.conf import settings

logger = logging.getLogger(__name__)

SECONDS = 20.0  # a file of 5 MB takes clamd less than one
CLEAN, INFECTED = 0, 1  # exit codes, as clamdscan has them
# Nothing else of our environment: there are secrets in it.
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


class Verdict(Enum):
    CLEAN = "clean"
    INFECTED = "infected"
    UNKNOWN = "unknown"  # the scanner is away, slow, or said something else


def scan(content: bytes) -> Verdict:
    """What the scanner says of a file; clean when there is none. Waits for SECONDS at most: never call it on the event loop."""
    if not settings.SCAN_COMMAND:
        return Verdict.CLEAN
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    try:
        running = subprocess.Popen(  # noqa: S603  what the operator has set
            settings.SCAN_COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # so that what it has started ends with it
        )
    except OSError as error:
        logger.error("the virus scanner cannot be started (%s): a file was refused", type(error).__name__)
        return Verdict.UNKNOWN
    try:
        running.communicate(content, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        logger.error("the virus scanner took longer than %s s: a file was refused", SECONDS)
        return Verdict.UNKNOWN
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
    if running.returncode == CLEAN:
        return Verdict.CLEAN
    if running.returncode == INFECTED:
        logger.warning(
            "the virus scanner found something in a file of %s bytes: it was refused", len(content)
        )
        return Verdict.INFECTED
    logger.error("the virus scanner ended with %s: a file was refused", running.returncode)
    return Verdict.UNKNOWN
