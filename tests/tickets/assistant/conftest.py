"""The demo's articles and calibration, once a module: 62 articles and 332 searches take seconds."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from dispatch.demo import articles as demo
from dispatch.demo.brand import TOPICS
from tickets import kept
from tickets.models import Topic


@pytest.fixture(scope="module")
def written(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In the database for all tests of a module, and gone after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        for position, spec in enumerate(TOPICS):
            Topic.objects.create(key=spec.key, name_en=spec.name_en, name_de=spec.name_de, position=position)
        demo.help_articles(None)
        with django_db_blocker.block():
            yield
        transaction.set_rollback(True)


@pytest.fixture
def help_desk(written: None, db: None) -> None:
    """Articles and a switched-on assistant; nobody is asked to answer, the test does so itself."""
    kept.forget()
