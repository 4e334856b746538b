"""Single members of the service's JSON, read as what they mean: ids, prices and counts come as text or number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


def number(text: str) -> int | float | None:
    """Return a number with a point or exponent: a whole one keeps all its digits, one beyond all bounds is None."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    if exact.adjusted() < 40 and exact == exact.to_integral_value():
        return int(exact)
    near = float(exact)
    return near if math.isfinite(near) else None


def first(members: Mapping[str, Any], *names: str) -> Any:
    """Return the first member of these names that is neither null nor an empty text."""
    return next((value for name in names if (value := members.get(name)) not in (None, "")), None)


def text_of(value: Any) -> str:
    """Return a text or number as text; anything else is empty."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def amount_of(value: Any) -> Decimal | None:
    """Return a price or duration, or None where there is none to be had."""
    try:
        amount = Decimal(text_of(value).strip())
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 and abs(amount.adjusted()) < 20 else None


def count_of(value: Any) -> int | None:
    """Return a count, or None where there is none to be had."""
    amount = amount_of(value)
    return None if amount is None else int(amount)
