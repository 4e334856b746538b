"""From a row of the catalogue file to the nouns of the core.

A row leaves out what is at its default, so that the file stays small and a change shows as a small diff. Prices are
written as text because a JSON number would pass through a binary float on its way to ``Decimal``.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from rhflow.core.kinds import Field, Implied, Model, Price

Row: TypeAlias = Mapping[str, Any]


def field_from(row: Row) -> Field:
    """Return the input that ``row`` describes; the members of a row are those of ``Field``."""
    members = dict(row)
    for name in ("enum", "formats"):
        if name in members:
            members[name] = tuple(members[name])
    if "item" in members:
        members["item"] = tuple(members["item"].items())
    return Field(**members)


def price_from(row: Row | None, as_of: str = "") -> Price | None:
    """Return the list price that ``row`` describes, or None where none is known; ``as_of`` serves rows without."""
    if row is None:
        return None
    fixed, lowest = row.get("fixed"), row.get("lowest")
    return Price(
        unit=row["unit"],
        currency=row.get("currency", "CNY"),
        fixed=None if fixed is None else Decimal(fixed),
        rules=tuple((rule["when"], Decimal(rule["price"])) for rule in row.get("rules", ())),
        lowest=None if lowest is None else Decimal(lowest),
        floor=row.get("floor", False),
        as_of=row.get("as_of", as_of),
    )


def model_from(row: Row, as_of: str = "") -> Model:
    """Return the model that ``row`` describes."""
    return Model(
        id=row["id"],
        title=row["title"],
        endpoint=row["endpoint"],
        tasks=tuple(row["tasks"]),
        output=row["output"],
        fields=tuple(field_from(each) for each in row["fields"]),
        price=price_from(row.get("price"), as_of),
        status=row["status"],
        callable=row.get("callable", True),
        note=row.get("note"),
        vendor=row["vendor"],
        successor=row.get("successor"),
        spread={alias: tuple(names) for alias, names in row.get("spread", {}).items()},
        any_of=tuple(tuple(group) for group in row.get("any_of", ())),
        implied=tuple(Implied(**each) for each in row.get("implied", ())),
    )


def display_names(row: Row) -> tuple[str, ...]:
    """Return every name under which the service lists the model, the title first."""
    return (row["title"], *row.get("names", ()))
