"""Whether the process of this container lives, for Docker's HEALTHCHECK and Kubernetes' probes. Imports nothing heavy.

    python -m config.probe web [live|web|ready]    asks it over HTTP
    python -m config.probe worker [SECONDS]        looks how old the file PULSE_FILE is that a worker or beat touches (60)

Ends with 0 when it does, else with 1 and a sentence.
"""

import http.client
import os
import sys
import time
from pathlib import Path

SECONDS = 60.0


def main() -> int:
    kind, *words = sys.argv[1:] or ["web"]
    problem = web(*words) if kind == "web" else worker(*words)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


def web(question: str = "live") -> str:
    """What is wrong with the web process, or nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
    try:
        connection.request("GET", f"/healthz/{question}")
        answer = connection.getresponse()
        return (
            "" if answer.status == 200 else f"{answer.status}: {answer.read(2000).decode(errors='replace')}"
        )
    except OSError as error:
        return f"no answer: {error}"
    finally:
        connection.close()


def worker(seconds: str = str(SECONDS)) -> str:
    """What is wrong with a worker or beat, or nothing."""
    file = os.environ.get("PULSE_FILE", "")
    if not file:
        return "PULSE_FILE is not set"
    try:
        age = time.time() - Path(file).stat().st_mtime
    except OSError as error:
        return f"{file}: {error.strerror}"
    return "" if age <= float(seconds) else f"{file} was touched {age:.0f} s ago"


if __name__ == "__main__":
    sys.exit(main())
