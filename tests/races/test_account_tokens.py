"""A token that is made with a password does not outlive the change of that password."""

import threading
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from agents.errors import SignInOver
from agents.models import AccountToken, User
from agents.tokens import MOST, account_token_make
from tests.cast import World
from tests.races.conftest import together, waiting_for_locks
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def made_while_it_changes(user: User) -> Any:
    """Make a token for who has shown the old password, while the change is written and not yet committed."""
    old = User.objects.get(pk=user.pk)
    written, outcome = threading.Event(), []

    def change() -> None:
        with transaction.atomic():
            user.set_password("another pass phrase")
            user.save()
            written.set()
            until(lambda: outcome or waiting_for_locks(), "the race: the token is neither made nor waits")

    def make() -> None:
        assert written.wait(10)
        try:
            outcome.append(account_token_make(user=old))
        except SignInOver as error:
            outcome.append(error)

    assert together(change, make) == [None, None]
    return outcome[0]


def test_no_token_by_a_password_that_is_being_changed(racers: World) -> None:
    anna = racers.agent("Anna")
    assert isinstance(made_while_it_changes(anna.user), SignInOver)
    assert AccountToken.objects.count() == 0


def test_control_without_the_lock_it_outlives_the_change(
    racers: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = racers.agent("Anna")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_how: self)
    assert isinstance(made_while_it_changes(anna.user), str)
    assert AccountToken.objects.count() == 1


def test_nor_by_one_that_was_changed_or_when_disabled_since(racers: World) -> None:
    anna = racers.agent("Anna")
    old = User.objects.get(pk=anna.user_id)
    anna.user.set_password("another pass phrase")
    anna.user.save()
    with pytest.raises(SignInOver):
        account_token_make(user=old)
    now = User.objects.get(pk=anna.user_id)
    User.objects.update(is_active=False)
    with pytest.raises(SignInOver):
        account_token_make(user=now)
    assert AccountToken.objects.count() == 0


def test_two_at_once_are_not_one_too_many(racers: World) -> None:
    anna = racers.agent("Anna")
    for _ in range(MOST - 1):
        account_token_make(user=anna.user)
    made = together(*[lambda: account_token_make(user=anna.user)] * 3)
    assert all(isinstance(one, str) for one in made)
    assert AccountToken.objects.count() == MOST
