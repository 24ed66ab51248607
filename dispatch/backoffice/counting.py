"""Pages of long lists without counting them to the end."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db import connection
from django.utils.functional import cached_property

COUNTED = 10_000  # rows: so many are counted exactly, a few milliseconds
DEEP = 1_000  # rows before a page, from which on it is worth finding its keys first


class BoundedPaginator(Paginator[Any]):
    """Counts up to COUNTED. What is more is estimated if the list is a whole table, else that many pages are offered.

    `whole` is set by who made it: nothing was searched or filtered for.
    """

    whole = False

    def page(self, number: Any) -> Page[Any]:
        """A deep one in two statements: what is skipped is not joined to what a row shows."""
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        if bottom < DEEP:
            return super().page(number)
        rows: Any = self.object_list
        keys = list(rows.values_list("pk", flat=True)[bottom : bottom + self.per_page])
        return Page(rows.filter(pk__in=keys), number, self)

    @cached_property
    def counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: COUNTED + 1].count())

    @property
    def more(self) -> bool:
        """Whether `count` is not exact."""
        return self.counted > COUNTED

    @cached_property
    def count(self) -> int:
        if not self.more:
            return self.counted
        return max(self._estimate() if self.whole else 0, self.counted)

    def _estimate(self) -> int:
        """What PostgreSQL's statistics say of the table; -1 if it has never looked."""
        rows: Any = self.object_list
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [rows.model._meta.db_table]
            )
            return int(cursor.fetchone()[0])
