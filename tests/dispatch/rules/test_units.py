"""The rules of units: room for the next ticket, and what a silent customer costs."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.units import back, is_next_up, room_for, while_silent

UNITS = st.integers(1, 100)
WRAPPING = st.lists(UNITS, max_size=4).map(lambda units: list(enumerate(units)))


def test_what_fits_is_no_next_up():
    assert not is_next_up(30, 30)
    assert is_next_up(30, 29)


def test_as_many_wrap_ups_end_as_are_needed():
    assert room_for(30, 30, [(1, 30)]) == []
    assert room_for(30, 10, [(1, 10), (2, 10), (3, 30)]) == [1, 2]
    assert room_for(30, 0, [(1, 10)]) is None


@given(UNITS, st.integers(0, 100), WRAPPING)
def test_there_is_room_then_and_none_ended_in_vain(units, free, wrapping):
    held = dict(wrapping)
    ending = room_for(units, free, wrapping)
    if ending is None:
        assert free + sum(held.values()) < units
    else:
        assert free + sum(held[one] for one in ending) >= units
        assert ending == [one for one, _units in wrapping][: len(ending)]
        assert not ending or free + sum(held[one] for one in ending[:-1]) < units


@given(UNITS, UNITS)
def test_silence_never_costs_more(units, silent_units):
    assert while_silent(units, silent_units) == min(units, silent_units)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_what_comes_back_fits_and_leaves_the_next_ticket_its_room(spared, free, wrapping, next_up):
    given_back = back(spared, free, wrapping=wrapping, next_up=next_up)
    assert 0 <= given_back <= min(spared, free)
    if free + wrapping >= next_up:
        assert free - given_back + wrapping >= next_up
    if not next_up:
        assert given_back == min(spared, free)
