"""The rules of offers, each by itself."""

from hypothesis import given
from hypothesis import strategies as st

from dispatch.models import OfferState
from dispatch.rules.offers import (
    AGAIN_SECONDS,
    EFFECTS,
    FOLLOWS,
    Effect,
    State,
    answerable,
    asks_nobody_else,
    deadline,
    excluded,
    in_parallel,
    may_be_asked,
)

AGENTS = st.integers(1, 6)


def test_the_states_are_those_of_the_database():
    assert [state.value for state in State] == OfferState.values


def test_an_end_is_an_end():
    assert set(FOLLOWS) == set(State)
    assert FOLLOWS[State.ACCEPTED] == {State.COMPLETED, State.RELEASED}
    assert all(not FOLLOWS[state] for state in State if state not in (State.PENDING, State.ACCEPTED))
    assert State.PENDING not in set().union(*FOLLOWS.values())


def test_only_a_missed_offer_has_an_effect_on_the_agent():
    assert {state for state, effect in EFFECTS.items() if effect.pauses} == {State.EXPIRED}
    assert EFFECTS[State.RESCINDED] == Effect()


def test_the_deadline_itself_is_too_late():
    assert answerable(19.9, deadline(0.0, 20.0))
    assert not answerable(20.0, deadline(0.0, 20.0))


def test_who_said_no_comes_last_and_never_within_a_minute():
    assert excluded({1: 0.0}, {1, 2}, 1000.0) == {1}
    assert excluded({1: 0.0}, {1}, AGAIN_SECONDS - 0.1) == {1}
    assert excluded({1: 0.0}, {1}, AGAIN_SECONDS) == set()


@given(
    answered=st.dictionaries(AGENTS, st.floats(0, 200)), here=st.frozensets(AGENTS), now=st.floats(200, 400)
)
def test_nobody_is_excluded_who_did_not_say_no(answered, here, now):
    assert excluded(answered, here, now) <= answered.keys()


def test_one_question_at_a_time():
    assert may_be_asked(online=True, open_offers=0)
    assert not may_be_asked(online=True, open_offers=1)
    assert not may_be_asked(online=False, open_offers=0)


def test_who_accepts_automatically_is_the_only_one_asked():
    assert asks_nobody_else({3}, [1, 3, 2]) == [3]
    assert asks_nobody_else(set(), [1, 2]) == [1, 2]


def test_a_parallel_offer_goes_to_somebody_idle():
    assert in_parallel(1, idle=False)
    assert in_parallel(2, idle=True)
    assert not in_parallel(2, idle=False)
