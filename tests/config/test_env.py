"""Typed reading of the environment: values, defaults, files, and errors that name the setting."""

from pathlib import Path

import pytest

from config import env


def test_text_prefers_the_value_over_the_file_and_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from the file\n")
    assert env.text("STANDBY_X", "default") == "default"
    monkeypatch.setenv("STANDBY_X_FILE", str(secret))
    assert env.text("STANDBY_X", "default") == "from the file"
    monkeypatch.setenv("STANDBY_X", "")
    assert env.text("STANDBY_X", "default") == ""


def test_a_missing_setting_names_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(env.BadSetting, match=r"^STANDBY_X is not set \(nor STANDBY_X_FILE\)$"):
        env.text("STANDBY_X")
    monkeypatch.setenv("STANDBY_X_FILE", str(tmp_path / "gone"))
    with pytest.raises(
        env.BadSetting, match=r"^STANDBY_X_FILE: .*gone cannot be read \(No such file or directory\)$"
    ):
        env.text("STANDBY_X")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        (" ON ", True),
        ("0", False),
        ("False", False),
        ("no", False),
        ("", False),
    ],
)
def test_flag(monkeypatch: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    monkeypatch.setenv("STANDBY_X", written)
    assert env.flag("STANDBY_X", not meant) is meant


def test_flag_default_and_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.flag("STANDBY_X", True) is True
    assert env.flag("STANDBY_X", False) is False
    monkeypatch.setenv("STANDBY_X", "maybe")
    with pytest.raises(env.BadSetting, match=r"^STANDBY_X wants yes or no, not 'maybe'$"):
        env.flag("STANDBY_X", True)


def test_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.number("STANDBY_X", 8000) == 8000
    monkeypatch.setenv("STANDBY_X", "80")
    assert env.number("STANDBY_X", 8000) == 80
    monkeypatch.setenv("STANDBY_X", "8o")
    with pytest.raises(env.BadSetting, match=r"^STANDBY_X wants a whole number, not '8o'$"):
        env.number("STANDBY_X", 8000)


def test_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.words("STANDBY_X", "a, b") == ["a", "b"]
    monkeypatch.setenv("STANDBY_X", " one,, two ,")
    assert env.words("STANDBY_X") == ["one", "two"]


def test_keys_are_checked_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    good = "dGhlIHRlc3RzJyBvd24ga2V5LCB3b3J0aCBub3RoaW4="
    monkeypatch.setenv("SOME_KEYS", f"{good}, {good}")
    assert env.keys("SOME_KEYS") == [good, good]
    monkeypatch.setenv("SOME_KEYS", "")
    assert env.keys("SOME_KEYS") == []
    for bad in ("short", "ü", good[:-4]):
        monkeypatch.setenv("SOME_KEYS", bad)
        with pytest.raises(env.BadSetting, match="SOME_KEYS"):
            env.keys("SOME_KEYS")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ""),
        ("https://models.example/v1/", "https://models.example/v1"),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
    ],
)
def test_an_address(monkeypatch: pytest.MonkeyPatch, written: str, meant: str) -> None:
    monkeypatch.setenv("STANDBY_X", written)
    assert env.address("STANDBY_X") == meant


@pytest.mark.parametrize(
    "written",
    ["models.example/v1", "ftp://models.example", "https://me:secret@models.example", "https:///v1"],
)
def test_what_is_no_address_names_the_setting_and_not_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("STANDBY_X", written)
    with pytest.raises(
        env.BadSetting, match=r"^STANDBY_X wants an address such as https://models\.example/v1$"
    ):
        env.address("STANDBY_X")


def test_choice_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.choice("STANDBY_X", ("json", "line"), "line") == "line"
    assert env.networks("STANDBY_X") == []
    monkeypatch.setenv("STANDBY_X", " JSON ")
    assert env.choice("STANDBY_X", ("json", "line"), "line") == "json"
    monkeypatch.setenv("STANDBY_X", "10.0.0.0/8, 192.0.2.1")
    assert env.networks("STANDBY_X") == ["10.0.0.0/8", "192.0.2.1"]
    with pytest.raises(env.BadSetting, match=r"^STANDBY_X wants one of json, line, not '10\."):
        env.choice("STANDBY_X", ("json", "line"), "line")
    monkeypatch.setenv("STANDBY_X", "10.0.0.1/8")
    with pytest.raises(env.BadSetting, match=r"^STANDBY_X wants networks like 10\.0\.0\.0/8: .*host bits"):
        env.networks("STANDBY_X")
