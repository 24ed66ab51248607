"""The pure matching core: arrays in, pairs out, reasons beside them. Imports no Django; needs numpy, scipy and OR-Tools
only."""

from dispatch.matching.checks import InvalidProblem
from dispatch.matching.problem import (
    ANY_LANGUAGE,
    Agents,
    Needs,
    Pairs,
    Problem,
    Tickets,
)
from dispatch.matching.rows import AgentRow, TicketRow, build
from dispatch.matching.score import Scores, Terms, score, terms
from dispatch.matching.solve import Solution, solve
from dispatch.matching.weights import Weights

__all__ = [
    "ANY_LANGUAGE",
    "AgentRow",
    "Agents",
    "InvalidProblem",
    "Needs",
    "Pairs",
    "Problem",
    "Scores",
    "Solution",
    "Terms",
    "TicketRow",
    "Tickets",
    "Weights",
    "build",
    "score",
    "solve",
    "terms",
]
