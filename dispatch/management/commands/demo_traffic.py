"""manage.py demo_traffic: simulated customers and agents, so that a newcomer sees the place alive and takes part."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dispatch.simulated.running import add_base_url, stopped_by_signals


class Command(BaseCommand):
    help = "Let simulated customers and agents live through the public interfaces, until Ctrl-C or SIGTERM."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_base_url(parser)
        parser.add_argument("--rate", type=float, default=6.0, help="tickets a minute (6)")
        parser.add_argument("--agents", type=int, default=12, help="simulated agents online (12)")
        parser.add_argument(
            "--speed", type=float, default=1.0, help="people think and act so many times faster (1)"
        )
        parser.add_argument("--minutes", type=float, help="end by itself after this time")
        parser.add_argument("--seed", type=int, help="the same chance again; times still differ")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        from dispatch.simulated.api import Refused, Unreachable  # noqa: PLC0415  needs the extra `trial`
        from dispatch.simulated.town import Town, live  # noqa: PLC0415  the same

        town = Town(
            base_url=options["base_url"],
            rate=options["rate"],
            agents=options["agents"],
            speed=options["speed"],
            seed=options["seed"],
            minutes=options["minutes"],
        )

        async def run() -> None:
            stop = asyncio.Event()
            with stopped_by_signals(stop):
                await live(town, self.say, stop)

        try:
            self.say(f"{town.rate:g} tickets a minute, {town.agents} agents, at {town.base_url}")
            asyncio.run(run())
        except (Refused, Unreachable) as error:
            raise CommandError(f"{town.base_url} does not answer as it should: {error}") from error

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
