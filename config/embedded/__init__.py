"""Our own PostgreSQL and Redis, for a trial on one machine, for tests and for measuring.

    with running(Path(".standby")) as servers:
        psycopg2.connect(servers.database_url)

The rules, in one place:

- A **home** is a folder with data, logs and one lock. Whoever gets the lock starts the servers and stops them; everybody
  else attaches. No other party keeps servers alive, so nothing has to be counted and nothing can be forgotten.
- A command that started servers and ends while others are attached waits for them and says so; Ctrl-C cuts the wait. The
  demo does not wait: whoever stops it wants it stopped, and attached commands then fail with a lost connection.
- Servers die with the process that started them, whatever kills it (processes.py). Where the kernel cannot do that, the
  next start finds them by process id and start time and stops them.
- Unix sockets only, in a fresh folder that only their user may enter: no port to clash, nobody else gets in, so the
  database needs no password.
- PostgreSQL never runs as root; how it then reaches its files is told in postgres.py.

With DATABASE_URL and REDIS_URL set, nothing of this runs.
"""

from config.embedded.command import given, harmless_environment, servers_for_command
from config.embedded.home import Busy, Home, ServersFailed
from config.embedded.servers import Servers, reset, running, start

__all__ = [
    "Busy",
    "Home",
    "Servers",
    "ServersFailed",
    "given",
    "harmless_environment",
    "reset",
    "running",
    "servers_for_command",
    "start",
]
