"""manage.py roles: write the staff's roles as groups; give one to an account."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from agents.models import Pool, User
from dispatch.backoffice.roles import ROLES, roles_write


class Command(BaseCommand):
    help = "Write the roles of staff (docs/admin.md) as groups. Run it after each upgrade; twice is as once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--give", nargs=2, metavar=("EMAIL", "ROLE"), help=f"one of {', '.join(ROLES)}")
        parser.add_argument("--pool", nargs="+", default=[], metavar="KEY", help="with pool_admin: which")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002  Django's signature
        for key, (given, taken) in roles_write().items():
            self.stdout.write(f"{ROLES[key].group}: {given} rights given, {taken} taken")
        if options["give"]:
            email, key = options["give"]
            self._give(email, key, options["pool"])

    def _give(self, email: str, key: str, pools: list[str]) -> None:
        if key not in ROLES:
            raise CommandError(f"no role {key}: one of {', '.join(ROLES)}")
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError(f"no account {email}")
        found = list(Pool.objects.filter(key__in=pools))
        if missing := set(pools) - {pool.key for pool in found}:
            raise CommandError(f"no pool {', '.join(sorted(missing))}")
        user.groups.add(Group.objects.get(name=ROLES[key].group))
        User.objects.filter(pk=user.pk).update(is_staff=True)
        user.administers.add(*found)
        self.stdout.write(f"{user.email}: {ROLES[key].group} {' '.join(pool.key for pool in found)}".rstrip())
