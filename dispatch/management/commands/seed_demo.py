"""manage.py seed_demo: the example data of a trial. Prints who can log in, and where."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dispatch import promise
from dispatch.demo.brand import DOMAIN, PASSWORD
from dispatch.demo.learning import APPLICANTS, applicants
from dispatch.demo.past import make_past
from dispatch.demo.people import ADMIN, AGENTS, LEAD, NEWCOMERS, Person
from dispatch.demo.rights import make_rights
from dispatch.demo.seed import seed
from dispatch.demo.triage import learn_topics


class Command(BaseCommand):
    help = "Fill a trial with the example shop service, its people and a little past. Again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-past", action="store_true", help="leave out the tickets that have been")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        if not settings.TRIAL:
            raise CommandError(
                "seed_demo makes accounts with a password that everybody knows, so it runs in a trial only. "
                "If this installation is one, and nobody else can reach it, set STANDBY_TRIAL=1."
            )
        seed()
        learn_topics()
        past = not options["no_past"]
        applicants(past=past)
        if past:
            make_past()
            make_rights()
        promise.days_write()
        self.stdout.write(table())


def table() -> str:
    """Who can log in, and where."""
    url = settings.BASE_URL
    rows = [
        ("admin", f"{ADMIN[0]}@{DOMAIN}", f"{url}/admin/"),
        ("team lead", f"{LEAD[0]}@{DOMAIN}", f"{url}/lead/runs"),
        *((f"agent, {_speaks(person)}", person.email, f"{url}/console/") for person in NEWCOMERS),
        *(
            (f"applicant, {step}", f"{login}@{DOMAIN}", f"{url}/learn/")
            for login, _name, _languages, _skills, step in APPLICANTS
            if step != "unconfirmed"
        ),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [f"  {role:<{widths[0]}}  {email:<{widths[1]}}  {where}" for role, email, where in rows]
    return "\n".join(
        [
            f"{settings.BRAND}: write as a customer at {url}/, log in as one of these at {url}/accounts/login/",
            *lines,
            f"  The password of all is: {PASSWORD}",
            f"  The other {len(AGENTS) - len(NEWCOMERS)} agents are played by `manage.py demo_traffic`.",
        ]
    )


def _speaks(person: Person) -> str:
    return " and ".join({"de": "German", "en": "English"}[language] for language in person.languages)
