"""manage.py simulate: policies against each other on the same simulated tickets, people and answers."""

import json
from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dispatch.simulator.case import Case
from dispatch.simulator.inputs import InvalidArrivals, case_of_arrivals, read_arrivals
from dispatch.simulator.policies import BASELINES, LONGEST_IDLE, OURS, Policy
from dispatch.simulator.study import LOADS, as_json, as_text, reference_cases, study
from dispatch.simulator.variants import ABLATION
from dispatch.yesterday import NothingLogged, case_of_day

NAMED = {policy.name: policy for policy in (*BASELINES, OURS)}


class Command(BaseCommand):
    help = "Play policies against each other: the product's matching and rules under a simulated clock."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--case", choices=["reference"], default="reference", help="a case by name (reference)"
        )
        source.add_argument(
            "--arrivals", type=Path, metavar="FILE.csv", help="at[,topic][,handling] instead of the model"
        )
        source.add_argument(
            "--day", type=_day, metavar="YYYY-MM-DD", help="a day of this installation; or: yesterday"
        )
        parser.add_argument("--pool", type=int, help="with --day: the pool's id; needed if there are several")
        parser.add_argument("--agents", type=int, default=200, help="with --arrivals: people (200)")
        parser.add_argument("--seeds", type=int, default=20, help="worlds to play (20)")
        parser.add_argument("--loads", type=float, nargs="+", default=list(LOADS), help="of a case by name")
        parser.add_argument(
            "--policies", nargs="+", metavar="NAME", choices=list(NAMED), help="only these, instead of all"
        )
        parser.add_argument("--ablation", action="store_true", help="ours without each of its parts")
        parser.add_argument(
            "--json", action="store_true", help="print every figure as JSON, and nothing else"
        )
        parser.add_argument(
            "--html", type=Path, metavar="FILE.html", help="write a report with plots to this file"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if options["seeds"] < 1 or options["agents"] < 1 or min(options["loads"]) <= 0:
            raise CommandError("--seeds, --agents and --loads want more than nothing")
        name, cases = _cases(options)
        policies: list[Policy] = [NAMED[name] for name in options["policies"] or NAMED]
        if options["ablation"]:
            policies = [LONGEST_IDLE, OURS, *ABLATION]
        seeds = range(1, options["seeds"] + 1)
        done = study(name, cases, policies, seeds, said=self.stderr.write)
        if options["html"]:
            from dispatch.simulator.report import as_html  # noqa: PLC0415  the plots take a second to import

            options["html"].write_text(as_html(done), encoding="utf-8")
        self.stdout.write(json.dumps(as_json(done), indent=1) if options["json"] else as_text(done))


def _day(text: str) -> date:
    return timezone.localdate() - timedelta(days=1) if text == "yesterday" else date.fromisoformat(text)


def _cases(options: dict[str, Any]) -> tuple[str, list[Case]]:
    try:
        if options["day"]:
            return str(options["day"]), [case_of_day(options["day"], options["pool"])]
        if options["arrivals"]:
            with options["arrivals"].open(encoding="utf-8", newline="") as lines:
                return options["arrivals"].name, [
                    case_of_arrivals(read_arrivals(lines), agents=options["agents"])
                ]
    except (OSError, UnicodeDecodeError, InvalidArrivals, NothingLogged) as error:
        raise CommandError(str(error)) from error
    return options["case"], reference_cases(options["loads"])
