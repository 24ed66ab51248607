"""Whether what only grows is what it was when it was written: the audit chain is computed again, and each row held against it.

What this cannot find: somebody who writes the whole chain anew, or takes away its end with the rows that belong to it. For that
its head is kept elsewhere, and asked for again (`kept`).

The hashes are computed here by PostgreSQL's own functions and not by those of migration 0043: whoever can change rows in spite
of their triggers could have changed these.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

# The same as in migration 0043. Each question is one statement, and so of one moment: a row and its entry come with one commit.
_CHANGE = """encode(sha256(convert_to(l.salt || jsonb_build_array(
    r.id, r."table", r."row", r.kind, r.old, r.new, r.about, r.by_id, extract(epoch FROM r.at))::text, 'UTF8')), 'hex')"""
_ACT = """encode(sha256(convert_to(l.salt || jsonb_build_array(
    r.id, r.kind, r.by_id, r.ticket_id, r.agent_id, r.why, r.data, extract(epoch FROM r.at))::text, 'UTF8')), 'hex')"""
AUDITED = {"dispatch_change": _CHANGE, "dispatch_leadaction": _ACT}

_HEAD = """
    SELECT count(*), min(at), max(number), (SELECT hash FROM dispatch_auditlink ORDER BY number DESC LIMIT 1)
    FROM dispatch_auditlink
"""
_LINKS = """
    SELECT number, "table", "row" FROM (
        SELECT *, lag(hash, 1, '') OVER w AS hash_before, lag(number, 1, 0::bigint) OVER w AS number_before,
               first_value(number) OVER w AS beginning
        FROM dispatch_auditlink WHERE number >= %(least)s WINDOW w AS (ORDER BY number)) AS link
    WHERE NOT (number = beginning AND %(least)s > 1)  -- the one before it is not looked at
      AND (number <> number_before + 1 OR hash <> encode(sha256(convert_to(jsonb_build_array(
        hash_before, number, "table", "row", act, digest, extract(epoch FROM at))::text, 'UTF8')), 'hex'))
    ORDER BY number LIMIT 1
"""
_ROWS = """
    SELECT l.number, l.act, r.id FROM (
        SELECT DISTINCT ON ("row") * FROM dispatch_auditlink WHERE "table" = '{table}' ORDER BY "row", number DESC) AS l
    FULL JOIN {table} AS r ON r.id = l."row"
    WHERE (l.number IS NULL OR l.number >= %(least)s) AND CASE
        WHEN l.number IS NULL THEN %(least)s <= 1
        WHEN l.act = 'deleted' THEN r.id IS NOT NULL
        ELSE r.id IS NULL OR l.digest <> {digest} END
    ORDER BY l.number NULLS LAST, r.id LIMIT 1
"""


@dataclass(frozen=True)
class Audit:
    """What was found. `broken`: a sentence about the first thing that is wrong, or empty. `head`: "number:hash"."""

    entries: int
    since: datetime | None
    head: str
    broken: str = ""


def verify(*, newest: int | None = None, kept: str = "") -> Audit:
    """Compute the chain again, all of it or its `newest` links, and hold the audited rows against it. Five queries.

    `kept`: a head that was noted down earlier, "number:hash", which has to be in it still.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEAD)
        entries, since, last, hash_ = cursor.fetchone()
        least = max(last - newest, 1) if newest and last else 1
        found = _broken_link(cursor, least) or _broken_row(cursor, least) or _not_kept(cursor, kept)
    return Audit(entries=entries, since=since, head=f"{last or 0}:{hash_ or ''}", broken=found)


def _broken_link(cursor: Any, least: int) -> str:
    cursor.execute(_LINKS, {"least": least})
    found = cursor.fetchone()
    if found is None:
        return ""
    number, table, row = found
    return f"Entry {number} ({table} {row}) does not follow from the one before it: one of the two was changed or is missing."


def _broken_row(cursor: Any, least: int) -> str:
    """The first of the chain's order, whichever table it is of; rows without an entry come last."""
    wrong = []
    for table, digest in AUDITED.items():
        cursor.execute(_ROWS.format(table=table, digest=digest), {"least": least})
        wrong += [(number, table, act, row) for number, act, row in cursor.fetchall()]
    for number, table, act, row in sorted(wrong, key=lambda one: (one[0] is None, one[0] or 0, one[1])):
        if number is None:
            return f"{table} {row} has no entry: it was added without its trigger."
        if row is None:
            return f"Entry {number}: its row of {table} is gone, and nobody was erased."
        if act == "deleted":
            return f"Entry {number}: {table} {row} was deleted when somebody was erased, and is there again."
        return f"Entry {number}: {table} {row} is not what it was when it was written."
    return ""


def _not_kept(cursor: Any, kept: str) -> str:
    number, _colon, hash_ = kept.partition(":")
    if not kept:
        return ""
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return f"“{kept}” is no head: it is a number, a colon and a hash."
    cursor.execute("SELECT 1 FROM dispatch_auditlink WHERE number = %s AND hash = %s", [int(number), hash_])
    return (
        ""
        if cursor.fetchone()
        else f"Entry {number} has another hash than the one that was kept, or is missing."
    )
