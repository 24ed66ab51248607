"""Pages of the API's lists: newest first, by cursor. No count, and a row that is added moves nothing."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

MOST = 200  # rows a page


class NewestFirst(CursorPagination):
    """`limit` rows (50, at most MOST) after `cursor`, which comes from `next` and `previous` of another page."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = MOST

    def get_page_size(self, request: Request) -> int:
        """DRF takes what it cannot read for its default; a client would not see that it is not heard."""
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        if text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= MOST:
            return int(text)
        raise ValidationError({"limit": [_("A number from 1 to %(most)d.") % {"most": MOST}]})

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        # DRF puts whatever the cursor says into the query.
        if cursor is not None and cursor.position is not None:
            text = str(cursor.position)
            if not (text.isascii() and text.isdecimal()):
                raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for one in found:
            if one["name"] == "limit":
                one["schema"] = {"type": "integer", "minimum": 1, "maximum": MOST, "default": self.page_size}
        return found
