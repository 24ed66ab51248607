"""Whose reveals are so many that a person should ask. Pure: no judgement, and nothing follows by itself."""

from collections.abc import Mapping

FEWEST = 10  # reveals; fewer are nothing unusual, whatever the others do
TIMES = 3.0  # as often a ticket as everybody else together


def unusual(counts: Mapping[int, tuple[int, int]]) -> set[int]:
    """Who, of person → (reveals, tickets they worked on in the same time).

    Somebody with many who had no ticket at all is among them (a team lead who looks at others' tickets); alone against nobody,
    nobody is.
    """
    found = set()
    for who, (reveals, tickets) in counts.items():
        others = [pair for other, pair in counts.items() if other != who]
        if reveals < FEWEST or not others:
            continue
        usual = sum(one for one, _tickets in others) / max(sum(each for _one, each in others), 1)
        if reveals / max(tickets, 1) > TIMES * usual:
            found.add(who)
    return found
