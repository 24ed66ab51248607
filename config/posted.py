"""Forms without files, as browsers send them when they could have had files, read at once.

A form that takes files is sent as multipart/form-data, files or not. Django reads it as a stream that may be large: a fifth of
all that is done for a customer's form. What is small, whole and plain is taken apart here; anything else (files, other headers,
other encodings, too many fields) is read by Django, as it is.
"""

import io
import re
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

SMALL = 64 * 1024  # bytes

_TYPE = re.compile(r"multipart/form-data; ?boundary=([\w'()+,./:=?-]{1,70})", re.ASCII)
_HEAD = re.compile(
    rb'Content-Disposition: form-data; name="([\w-]+)"'
    # what a browser says of a file that was not chosen; Django takes it for a field
    rb'(?:; filename=""\r\nContent-Type: application/octet-stream)?',
    re.ASCII,
)


class Request(WSGIRequest):
    def parse_file_upload(self, META: Any, post_data: Any) -> tuple[QueryDict, MultiValueDict[str, Any]]:  # noqa: N803
        length = META.get("CONTENT_LENGTH") or ""
        if not length.isdigit() or int(length) > SMALL or self.encoding not in (None, "utf-8"):
            return super().parse_file_upload(META, post_data)
        body = post_data.read()
        fields = fields_of(body, META.get("CONTENT_TYPE", ""))
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        if fields is None or len(body) != int(length) or (most is not None and len(fields) > most):
            return super().parse_file_upload(META, io.BytesIO(body))
        post = QueryDict(mutable=True)
        lists: dict[str, Any] = {}
        for name, value in fields:
            lists.setdefault(name, []).append(value)
        # As appendlist() does it, which looks twenty times whether it may, and whether these are texts.
        dict.update(post, lists)
        post._mutable = False
        return post, MultiValueDict()


class Handler(WSGIHandler):
    request_class = Request


def fields_of(body: bytes, content_type: str) -> list[tuple[str, str]] | None:
    """Names and values of a form that has only such; None when it is not as plain as that. Pure."""
    kind = _TYPE.fullmatch(content_type)
    if kind is None:
        return None
    mark = b"--" + kind[1].encode()
    first, last = mark + b"\r\n", b"\r\n" + mark + b"--\r\n"
    if not body.startswith(first) or not body.endswith(last) or len(body) < len(first) + len(last):
        return None
    fields = []
    for part in body[len(first) : -len(last)].split(b"\r\n" + first):
        head, end, value = part.partition(b"\r\n\r\n")
        told = _HEAD.fullmatch(head)
        if told is None or not end or mark in value:
            return None
        fields.append((told[1].decode(), value.decode(errors="replace")))
    return fields
