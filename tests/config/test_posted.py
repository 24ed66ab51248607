"""Plain forms are read as Django reads them, and all others by Django itself."""

import io
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.wsgi import WSGIRequest
from hypothesis import given
from hypothesis import strategies as st

from config.posted import SMALL, Request, fields_of

MARK = "----WebKitFormBoundary7MA4YWxkTrZu0gW1"
TYPE = f"multipart/form-data; boundary={MARK}"


def part(name: str, value: bytes, more: str = "") -> bytes:
    return (
        f'--{MARK}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"
    )


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{MARK}--\r\n".encode()


def read(of: type[WSGIRequest], body: bytes, content_type: str = TYPE, **more: str) -> Any:
    request = of(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            **more,
        }
    )
    files = {name: [(one.name, one.read()) for one in those] for name, those in request.FILES.lists()}
    return dict(request.POST.lists()), files, request.POST._mutable


NO_FILE = '; filename=""\r\nContent-Type: application/octet-stream'
A_FILE = '; filename="a.txt"\r\nContent-Type: text/plain'


@given(
    st.lists(st.tuples(st.from_regex(r"[\w-]{1,8}", fullmatch=True), st.binary(max_size=60)), max_size=6),
    st.booleans(),
)
def test_a_form_without_files_is_what_django_reads(fields: list[tuple[str, bytes]], asked: bool) -> None:
    parts = [part(name, value) for name, value in fields]
    body = form(*parts, *[part("files", b"", NO_FILE)] * asked)
    assert read(Request, body) == read(WSGIRequest, body)


def test_the_plain_way_is_the_one_that_is_taken() -> None:
    body = form(part("text", "Grüße\r\n\r\n--".encode()), part("files", b"", NO_FILE), part("text", b"2"))
    assert fields_of(body, TYPE) == [("text", "Grüße\r\n\r\n--"), ("files", ""), ("text", "2")]


@pytest.mark.parametrize(
    "body",
    [
        form(part("text", b"Hello"), part("files", b"word", A_FILE)),
        form(part("text", b"SGVsbG8=", "\r\nContent-Transfer-Encoding: base64")),
        form(part("text", f"a\r\n--{MARK}b".encode())),
        form(part("t\u00e4xt", b"Hello")),
        form(part("text", b"Hello"))[:-2],  # without the last line's end
        form(part("text", b"Hello")) + b"what follows",
        b"before it\r\n" + form(part("text", b"Hello")),
        form(part("text", b"x" * SMALL)),
        form(),
    ],
)
def test_all_else_is_left_to_django(body: bytes) -> None:
    if len(body) <= SMALL:
        assert fields_of(body, TYPE) is None
    assert read(Request, body) == read(WSGIRequest, body)


def test_another_type_or_encoding_is_left_to_django() -> None:
    body = form(part("text", "Grüße".encode("latin-1")))
    for kind in (f'multipart/form-data; boundary="{MARK}"', f"{TYPE}; charset=latin-1"):
        assert fields_of(body, kind) is None
        assert read(Request, body, kind) == read(WSGIRequest, body, kind)


def test_too_many_fields_are_refused_as_ever() -> None:
    body = form(*[part("a", b"")] * (settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1))
    assert len(body) > SMALL or fields_of(body, TYPE) is not None
    with pytest.raises(TooManyFieldsSent):
        read(Request, body)
