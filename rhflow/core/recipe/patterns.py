"""Regular expressions that recipes give, matched by RE2: its time grows with the text alone, whatever the expression.

Python's own ``re`` was rejected: ``(a+)+$`` takes it years for forty letters. RE2 knows no back references and no
look-around, and refuses what would take much memory.
"""

from __future__ import annotations

from functools import cache
from typing import Any


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of a text matches. Raises ValueError, in words, for what is no regular expression."""
    return _compiled(pattern).fullmatch(text) is not None


def check_pattern(pattern: str) -> None:
    """Raise ValueError, in words, for what is no regular expression."""
    _compiled(pattern)


@cache
def _compiled(pattern: str) -> Any:
    import re2  # imported late: few recipes have patterns

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0]
        raise ValueError(why.decode(errors="replace") if isinstance(why, bytes) else str(why)) from None
