"""manage.py forecast: what will come, how the models compare, and a year of generated arrivals lived through."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from dispatch import forecasting, routes
from dispatch.forecast import extra
from dispatch.forecast.backtest import backtest
from dispatch.forecast.generated import Place, arrivals
from dispatch.forecast.replay import as_text, replay
from dispatch.forecasting import Key


class Command(BaseCommand):
    help = "Tickets to come, by pool and skill."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--make", action="store_true", help="make this morning's, if it is not made yet")
        what.add_argument(
            "--backtest", action="store_true", help="errors of all models on what came, computed now"
        )
        what.add_argument(
            "--replay", action="store_true", help="live through a year of generated arrivals, with a shock"
        )
        parser.add_argument("--seed", type=int, default=1, help="with --replay (1)")
        parser.add_argument(
            "--daily", type=float, default=Place.daily, help="with --replay: tickets of a weekday (300)"
        )
        parser.add_argument("--json", action="store_true", help="print JSON, and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if options["replay"]:
            self._replay(Place(daily=options["daily"]), options["seed"], as_json=options["json"])
        elif options["backtest"]:
            self._backtest(as_json=options["json"])
        else:
            if options["make"]:
                made = forecasting.forecasts_make()
                self.stderr.write(f"{made} forecasts made")
            self._print(as_json=options["json"])

    def _replay(self, place: Place, seed: int, *, as_json: bool) -> None:
        history, dates = arrivals(place, seed)
        played = replay(history, extra.models())
        if as_json:
            rows = [vars(one) for one in played.stretches(dates, place.shock_day)]
            self.stdout.write(json.dumps(rows, indent=1))
        else:
            self.stdout.write(as_text(played, dates, place.shock_day))

    def _backtest(self, *, as_json: bool) -> None:
        found: dict[str, dict[str, Any]] = {}
        for key, history in forecasting.histories_before(timezone.localdate()).items():
            judged = backtest(history, extra.models())
            errors = {name: error if error == error else None for name, error in judged.errors.items()}  # noqa: PLR0124
            found[_name(key)] = {
                "history_days": len(history),
                "judged_days": judged.days,
                "chosen": judged.model,
                "errors": errors,
            }
        if as_json:
            self.stdout.write(json.dumps(found, indent=1))
            return
        for name, one in found.items():
            self.stdout.write(
                f"{name}: {one['history_days']} days of history, {one['judged_days']} judged; {one['chosen']}"
            )
            for model, error in one["errors"].items():
                self.stdout.write(f"    {'–' if error is None else f'{error:.1%}':>7}  {model}")
        if not found:
            self.stdout.write("no full day of history yet")

    def _print(self, *, as_json: bool) -> None:
        moments = forecasting.half_hours(timezone.now(), 7 * 48)
        rows: dict[str, dict[str, Any]] = {}
        for key, outlook in forecasting.outlooks(routes.routes()).items():
            low, high = outlook.bounds(moments)
            rows[_name(key)] = {
                "model": outlook.model,
                "error": outlook.error,
                "baseline_error": outlook.baseline_error,
                "half_hours": [
                    {"begins": at.isoformat(), "tickets": tickets, "low": below, "high": above}
                    for at, tickets, below, above in zip(
                        moments, outlook.at(moments).tolist(), low.tolist(), high.tolist(), strict=True
                    )
                ],
            }
        if as_json:
            self.stdout.write(json.dumps(rows, indent=1))
            return
        for name, one in rows.items():
            self.stdout.write(f"{name}: {one['model']}")
            days: dict[str, float] = {}
            for half in one["half_hours"]:
                days[half["begins"][:10]] = days.get(half["begins"][:10], 0.0) + half["tickets"]
            for day, tickets in days.items():
                self.stdout.write(f"    {day}  {tickets:8.1f}")
        if not rows:
            self.stdout.write("nothing has come yet")


def _name(key: Key) -> str:
    return f"pool {key.pool_id}" + (f", skill {key.skill_id}" if key.skill_id is not None else "")
