"""Long lists of the service, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rhflow.runninghub.wire.envelope import object_in, objects_in
from rhflow.runninghub.wire.members import count_of, first

T = TypeVar("T")

LONGEST_PAGE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a long list: the page's number from 1, how many items there are in all, and whether more follow."""

    items: tuple[T, ...]
    number: int
    total: int
    more: bool


def page_of(data: Any, read: Callable[[Mapping[str, Any]], T], page: int, size: int) -> Page[T]:
    """Read page ``page`` of those with ``size`` records, each of its records by ``read``."""
    found = object_in(data, "page")
    items = tuple(read(each) for each in objects_in(first(found, "records", "items") or [], "records"))
    number = count_of(first(found, "current", "pageNumber")) or page
    total = count_of(first(found, "total", "totalCount"))
    pages = count_of(found.get("pages"))
    more = found.get("hasNext")
    if not isinstance(more, bool):
        more = number < pages if pages is not None else total is not None and number * size < total
    return Page(items, number, len(items) if total is None else total, more)
