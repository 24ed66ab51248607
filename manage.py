#!/usr/bin/env python
"""Standby's command line. Any command finds or starts its own PostgreSQL and Redis first (config/embedded/)."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import embedded  # noqa: PLC0415  the servers' addresses must stand in the environment before settings load

    with embedded.servers_for_command(sys.argv):
        from django.core.management import execute_from_command_line  # noqa: PLC0415

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
