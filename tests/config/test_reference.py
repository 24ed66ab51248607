"""What is made from the code is up to date, and every setting is explained."""

from config import reference


def test_every_setting_has_words_and_all_pages_are_up_to_date() -> None:
    assert reference.complaints() == []
    old = [path.name for path, text in reference.pages() if not path.exists() or path.read_text() != text]
    assert old == [], "python -m config.reference"


def test_the_example_lists_every_setting() -> None:
    text = (reference.ROOT / ".env.example").read_text()
    listed = {
        line.lstrip("#").partition("=")[0]
        for line in text.splitlines()
        if "=" in line and not line.startswith("# ")
    }
    assert listed == set(reference.settings_read()) | set(reference.BESIDE)


def test_only_what_stops_the_start_is_called_needed() -> None:
    needed = [line for line in reference.settings_page().splitlines() if line.endswith("| **must be set** |")]
    assert [line.split("`")[1] for line in needed] == ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"]
    rows = dict(
        line.split("`")[1::2][:2] for line in reference.settings_page().splitlines() if "needed with" in line
    )
    assert rows == {"SSO_CLIENT_ID": "SSO_ISSUER", "SSO_CLIENT_SECRET": "SSO_ISSUER"}


def test_nothing_is_switched_on_by_who_copies_the_example() -> None:
    lines = reference.env_example().splitlines()
    assert [line.partition("=")[0] for line in lines if line and not line.startswith("#")] == [
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "BASE_URL",
        "ALLOWED_HOSTS",
        "EMAIL_BACKEND",
    ]


def test_no_setting_is_read_past_env() -> None:
    """Else it would have no _FILE and stand in no list: os.environ is for what libraries read."""
    allowed = set(reference.BESIDE) | {
        "DATABASE_URL",
        "REDIS_URL",
        "BASE_URL",
        "PORT",
        "DJANGO_SETTINGS_MODULE",
        "PATH",
    }
    found = set()
    for folder in ("config", "dispatch", "tickets", "agents"):
        for file in (reference.ROOT / folder).rglob("*.py"):
            found |= set(reference.read_past_env(file.read_text()))
    assert found <= allowed
