"""What an installation has is requirements.txt: product and settings ask for nothing that only developers have."""

import re
import subprocess
import sys
from importlib import metadata

import pytest

from config.stack import PROJECT

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "DATABASE_URL": "postgres:///none",
    "REDIS_URL": "unix:///none",
    "SECRET_KEY": "x",
}
# Each module that is hidden cannot be imported; that of a package which is not installed looks the same.
PROGRAM = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    sys.modules[name] = None
import django
django.setup()
from django.conf import settings
print("django_migration_linter" in settings.INSTALLED_APPS)
for package in ("config", "tickets", "agents", "dispatch"):
    for one in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if ".migrations" in one.name:
            continue
        try:
            importlib.import_module(one.name)
        except ModuleNotFoundError as error:
            print(one.name, error.name)
"""


def locked(file: str) -> set[str]:
    """Names of the packages in a lock file, as pip compares them."""
    found = re.findall(r"^([A-Za-z0-9][\w.-]*)(?:\[[^]]*])?==", (PROJECT / file).read_text(), re.MULTILINE)
    return {normal(name) for name in found}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def of_developers() -> list[str]:
    """Modules that are there by requirements-dev.txt alone."""
    only = locked("requirements-dev.txt") - locked("requirements.txt")
    return [
        module
        for module, packages in metadata.packages_distributions().items()
        if {normal(name) for name in packages} <= only
    ]


def run(hidden: list[str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *hidden],
        cwd=PROJECT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_everything_but_simulated_people_runs_without_what_developers_have() -> None:
    hidden = of_developers()
    assert {"django_migration_linter", "pytest", "httpx"} <= set(hidden)
    linter, *missing = run(hidden)
    assert linter == "False"
    # Simulated people are the demo's.
    assert {name.rpartition(".")[0] for name, _of in map(str.split, missing)} == {"dispatch.simulated"}


def test_where_the_linter_is_installed_it_is_an_app() -> None:
    assert run([]) == ["True"]


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-observe.txt"])
def test_a_lock_file_is_part_of_the_larger_one(file: str) -> None:
    assert locked(file) <= locked("requirements-dev.txt")
