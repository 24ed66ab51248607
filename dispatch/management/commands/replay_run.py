"""Solve stored runs again: the same input must give the same pairs."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dispatch import decisions
from dispatch.models import Run


class Command(BaseCommand):
    """Ends with an error when a run gives other pairs than it did, or cannot be read."""

    help = "Solve stored runs again from what they saw, and compare the pairs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", nargs="*", type=int, help="numbers of runs")
        parser.add_argument(
            "--last", type=int, default=0, metavar="N", help="the last N runs of which the sight is kept"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        wanted, last = options["run"], options["last"]
        if bool(wanted) == (last > 0):
            raise CommandError("Say which runs: their numbers, or --last N.")
        runs = Run.objects.select_related("pool").order_by("pk")
        if wanted:
            runs = runs.filter(pk__in=wanted)
            if missing := sorted(set(wanted) - set(runs.values_list("pk", flat=True))):
                raise CommandError(f"No such run: {', '.join(map(str, missing))}.")
        else:
            kept = Run.objects.exclude(snapshot=b"").order_by("-pk").values("pk")[:last]
            runs = runs.filter(pk__in=kept)
        bad = 0
        for run in runs.iterator(chunk_size=100):
            found = decisions.replay(run)
            bad += found.verdict != "same"
            if found.solution is None:
                self.stderr.write(f"run {run}: {found.verdict}: {found.detail}")
            elif wanted or options["verbosity"] > 1:
                self.stdout.write(f"run {run}: the same {len(found.solution.ids)} pairs")
                for pair in decisions.pairs_of(found, "en"):
                    self.stdout.write(
                        f"  ticket {pair.ticket_id} → agent {pair.agent_id}, {pair.reason['terms']['value']:.3f} points"
                    )
        total = len(wanted) if wanted else runs.count()
        if bad:
            raise CommandError(f"{bad} of {total} runs did not give the same pairs again.")
        self.stdout.write(f"{total} runs gave the same pairs again.")
