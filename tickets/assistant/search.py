"""Which article answers a question: full text and trigrams of PostgreSQL, one raw score, and what that is worth.

A question's words are weighed by how few articles have them. What is in a title or wording counts more than what is in a text,
and a wording that looks like the question (trigrams, so typos too) counts most.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from tickets import kept
from tickets.assistant.calibrate import Curve, score
from tickets.assistant.words import tongue
from tickets.models import ArticleState, Calibration

CONFIGS = {"en": "english", "de": "german"}
READ = 600  # characters of a question that are searched: more are another question
MARGIN = 0.25  # how much it counts that a second article is nearly as good

# Chosen by a search over the labelled questions of the demo; they add up to 1.
HEAD, WHOLE, ALIKE = 0.5, 0.2, 0.3
TELLING = 8.0  # of a question whose words weigh so much in all, half of what they say is believed: few words say little

_FIND = """
    WITH live AS (
        SELECT * FROM tickets_article
        WHERE state = %(approved)s AND language = %(language)s AND (valid_until IS NULL OR valid_until >= %(today)s)),
    asked AS (
        SELECT lexeme, to_tsquery('simple', quote_literal(lexeme)) AS anywhere,
               to_tsquery('simple', quote_literal(lexeme) || ':A') AS ahead
        FROM unnest(to_tsvector(%(config)s::regconfig, %(text)s))),
    weighed AS (
        SELECT asked.*, ln(1 + (SELECT count(*) FROM live)
                             / (0.5 + (SELECT count(*) FROM live WHERE live.search @@ asked.anywhere))) AS weight
        FROM asked),
    candidate AS (
        SELECT live.* FROM live
        WHERE live.search @@ (SELECT to_tsquery('simple', string_agg(quote_literal(lexeme), ' | ')) FROM asked)
           OR %(text)s <%% live.wordings),
    scored AS (
        SELECT c.*, coalesce(w.ahead, 0) AS ahead, coalesce(w.anywhere, 0) AS anywhere,
               w.told, (SELECT max(similarity(line, %(text)s))
                FROM unnest(string_to_array(c.title || E'\\n' || c.wordings, E'\\n')) AS line) AS alike
        FROM candidate c CROSS JOIN LATERAL (
            SELECT sum(weight) FILTER (WHERE c.search @@ weighed.ahead) / sum(weight) AS ahead,
                   sum(weight) FILTER (WHERE c.search @@ weighed.anywhere) / sum(weight) AS anywhere,
                   coalesce(sum(weight) / (sum(weight) + %(telling)s), 0) AS told
            FROM weighed) w),
    ranked AS (
        SELECT *, told * (%(head)s * ahead + %(whole)s * anywhere) + %(alike)s * alike AS raw FROM scored)
    SELECT id, slug, title, body, version, topic_id, raw FROM ranked ORDER BY raw DESC, id LIMIT 2
"""


@dataclass(frozen=True)
class Found:
    """The best article, and its raw score, 0 to 1."""

    id: int
    slug: str
    title: str
    body: str
    version: int
    topic_id: int | None
    raw: float


def find(text: str, language: str) -> Found | None:
    """The article that fits best, of those that are approved and valid; None when no word of it is in any. One query."""
    here = tongue(language)
    with connection.cursor() as cursor:
        cursor.execute(
            _FIND,
            {
                "text": text[:READ],
                "language": here,
                "config": CONFIGS[here],
                "approved": ArticleState.APPROVED,
                "today": timezone.localdate(),
                "head": HEAD,
                "whole": WHOLE,
                "alike": ALIKE,
                "telling": TELLING,
            },
        )
        rows = cursor.fetchall()
    if not rows:
        return None
    key, slug, title, body, version, topic_id, best = rows[0]
    second = float(rows[1][6]) if len(rows) > 1 else 0.0
    return Found(key, slug, title, body, version, topic_id, raw=max(float(best) - MARGIN * second, 0.0))


def score_of(raw: float, language: str) -> float:
    """The calibrated score, 0 to 1: of answers as good as this, so many are right. 0 without a calibration."""
    return score(curves().get(tongue(language), ()), raw)


def curves() -> dict[str, Curve]:
    """The newest curve of each language. One query when not kept."""
    return kept.keep("calibrations", _load)


def _load() -> dict[str, Curve]:
    newest = Calibration.objects.order_by("language", "-id").distinct("language")
    return {row.language: _points(row.curve) for row in newest}


def _points(curve: Sequence[Sequence[float]]) -> Curve:
    return [(float(raw), float(precision)) for raw, precision in curve]
