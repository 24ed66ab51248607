"""The web process: Uvicorn on a listening socket that its supervisor made.

    python -m config.web DESCRIPTOR

Why not uvicorn's own command: with the socket made beforehand, a taken port is known before anything is started, several
processes share one port, and visitors wait instead of being refused while one of them is started again.
"""

import gc
import os
import socket
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import uvicorn

GRACE = 3  # seconds for open requests at the end; sockets are closed at once and come back elsewhere


def main() -> None:
    listener = socket.socket(
        fileno=int(sys.argv[1])
    )  # the family is read from the descriptor, so TCP_NODELAY is set
    config = uvicorn.Config(
        "config.asgi:application",
        ws="websockets-sansio",
        lifespan="off",
        ws_per_message_deflate=False,  # frames are small; compressing each cost more than sending it, and 100 KB a socket
        ws_ping_interval=60,  # seconds; clients beat every 5, so pings only find those that went without a word
        access_log=False,
        timeout_graceful_shutdown=GRACE,
    )
    config.load()
    # What was imported lives as long as the process: the collector need not walk through it while customers wait.
    gc.collect()
    gc.freeze()
    # A full collection walks through all that thousands of open sockets hold, while everybody waits: seldom, then.
    gc.set_threshold(50_000, 20, 20)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
