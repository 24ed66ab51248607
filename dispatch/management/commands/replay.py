"""manage.py replay FILE.csv: real texts as load on a running installation; says whether anything was lost, doubled, unseen."""

import asyncio
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dispatch.demo.replay_agents import prepare
from dispatch.simulated.running import add_base_url


class Command(BaseCommand):
    help = "Post the texts of a CSV (text,category) as tickets through the public API while agents are online on sockets."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, metavar="FILE.csv", help="with a column “text”; others are not read"
        )
        add_base_url(parser)
        parser.add_argument("--rate", type=float, default=20.0, help="tickets a second (20)")
        parser.add_argument(
            "--count", type=int, default=1000, help="tickets (1000); the file goes round if it is shorter"
        )
        parser.add_argument("--agents", type=int, default=200, help="simulated agents online (200)")
        parser.add_argument(
            "--settle", type=float, default=30.0, help="seconds to wait when nothing moves any more (30)"
        )
        parser.add_argument(
            "--json", action="store_true", help="print the report as one line of JSON, and nothing else"
        )
        parser.add_argument(
            "--prepare",
            action="store_true",
            help="make the agents' accounts, replay-001@… and on; always done in a trial",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        from dispatch.simulated.api import Refused, Unreachable  # noqa: PLC0415  needs the extra `trial`
        from dispatch.simulated.replay import Replay, reach, read_texts, replay  # noqa: PLC0415  the same

        if options["rate"] <= 0 or options["count"] < 1 or options["agents"] < 1:
            raise CommandError("--rate, --count and --agents want more than nothing")
        if not (settings.TRIAL or options["prepare"]):
            raise CommandError(
                "replay needs agents of its own in all pools: say --prepare to have their accounts made"
            )
        try:
            texts = read_texts(options["file"], options["count"])
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise CommandError(str(error)) from error
        say = self._quiet if options["json"] else self.say
        url = options["base_url"].rstrip("/")
        try:
            asyncio.run(reach(url))
        except (Refused, Unreachable) as error:
            raise CommandError(f"{url} does not answer as it should: {error}") from error
        password = secrets.token_urlsafe(24)  # of this run only: these accounts serve nobody else
        agents = [(email, password) for email in prepare(options["agents"], password)]
        plan = Replay(url, texts, options["rate"], agents, options["settle"])
        try:
            report = asyncio.run(replay(plan, say))
        except* (Refused, Unreachable) as errors:
            raise CommandError(
                f"{plan.base_url} does not answer as it should: {errors.exceptions[0]}"
            ) from None
        self.say(report.as_json() if options["json"] else str(report))
        if not report.good:
            raise SystemExit(1)

    def _quiet(self, line: str) -> None:
        """Nothing but the report is to be printed."""

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
