"""Finding the machine's Chromium.

python -m tests.chromium      prints its path, or says what to do and ends with 1
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


class NoChromium(Exception):
    """There is none that runs; the message says what to do."""


def find() -> Path:
    """The Chromium that CHROMIUM names, else the first one found that runs. Raises NoChromium."""
    named = os.environ.get("CHROMIUM")
    if named:
        if _runs(named):
            return Path(named)
        raise NoChromium(f"CHROMIUM={named} does not run")
    for candidate in (*(shutil.which(name) for name in NAMES), *PLACES):
        if candidate and _runs(candidate):
            return Path(candidate)
    raise NoChromium(
        "No Chromium found: install it (Debian: apt-get install chromium), or set CHROMIUM to the path of one"
    )


def _runs(program: str) -> bool:
    # Ubuntu has a chromium-browser that only says where to get the real one.
    try:
        return (
            subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    try:
        print(find())
    except NoChromium as problem:
        sys.exit(f"standby: {problem}")
