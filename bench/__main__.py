"""python -m bench [ROW …] [--quick] [--rounds N] [--out FILE]

Rows: offer, intake, accept, sockets, match, triage, wall, admin; none named means all. Prints the table and writes
bench/results/latest.json (rows that were not measured stay as they are). `--quick` runs everything small, as a smoke
test, and writes only where --out says.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from bench import ground

# Row → module of bench.
ROWS = {
    "offer": "offer",
    "intake": "intake",
    "accept": "accept",
    "sockets": "sockets",
    "match": "matching",
    "triage": "triage",
    "wall": "wallboard",
    "admin": "backoffice",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[2])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; default all")
    parser.add_argument("--quick", action="store_true", help="a smoke run; its figures mean nothing")
    parser.add_argument("--rounds", type=int, default=None, help="default 3 (1 with --quick)")
    parser.add_argument("--out", type=Path, default=None, help="default bench/results/latest.json")
    wish = parser.parse_args()
    wanted = [name for name in ROWS if not wish.rows or any(one.split("_")[0] == name for one in wish.rows)]
    unknown = [one for one in wish.rows if one.split("_")[0] not in ROWS]
    if unknown or not wanted:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    plan = ground.Plan(quick=wish.quick, rounds=wish.rounds or (1 if wish.quick else 3))
    rows: list[ground.Row] = []
    with ground.servers() as servers:
        ground.say(servers.describe())
        for name in wanted:
            ground.say(name)
            rows += import_module(f"bench.{ROWS[name]}").measure(plan, servers)
    print(ground.table(rows))
    out = wish.out or (None if wish.quick else ground.RESULTS)
    if out is not None:
        ground.write(rows, out, keep=wish.out is None)
        ground.say(f"written to {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
