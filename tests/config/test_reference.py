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
