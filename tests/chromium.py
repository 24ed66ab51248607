"""Finding the machine's Chromium.

python -m tests.chromium                  prints its path, or says what to do and ends with 1
python -m tests.chromium whole | shell    the same of the whole browser, or the headless shell

The headless shell is the same engine without a browser's windows, profiles and extensions: a page of a new visitor costs a
seventh of the processor time (0.15 s beside 1.1). It knows no notifications, for which the whole browser is taken.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


class NoChromium(Exception):
    """There is none that runs; the message says what to do."""


def find(*, whole: bool = False, shell: bool = False) -> Path:
    """The Chromium that CHROMIUM names, else the first one found that runs, a headless shell before others.

    `whole`: no shell. `shell`: nothing else. Raises NoChromium.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if _runs(named):
            return Path(named)
        raise NoChromium(f"CHROMIUM={named} does not run")
    shells = () if whole else map(shutil.which, SHELLS)
    others = () if shell else (*map(shutil.which, NAMES), *PLACES)
    for candidate in (*shells, *others):
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
        print(find(whole="whole" in sys.argv[1:], shell="shell" in sys.argv[1:]))
    except NoChromium as problem:
        sys.exit(f"standby: {problem}")
