"""One spelling for equal data, and the hash of it: what cache keys are made of."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rhflow.core.values import Artifact

_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def canonical(value: Any) -> Any:
    """Return ``value`` as plain JSON in which equal things look equal.

    Artifacts become their digest, whole floats become integers, tuples become lists. Raises ValueError for what has
    no canonical form: a key that cannot be computed is an error, never a silent miss.
    """
    match value:
        case str() | bool() | int() | None:
            return value
        case float():
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError(f"{value} has no canonical form")
            return int(value) if value.is_integer() else value
        case Artifact():
            return {"sha256": value.digest}
        case list() | tuple():
            return [canonical(each) for each in value]
        case dict():
            return {str(name): canonical(each) for name, each in value.items()}
        case _:
            raise ValueError(f"a {type(value).__name__} has no canonical form")


def encode(value: Any) -> str:
    """Return the canonical JSON text of ``value``: sorted members, no spaces."""
    return _encode(canonical(value))


def digest(tag: str, value: Any) -> str:
    """Return the SHA-256 (hex) of a tagged structure that is already canonical.

    The tag keeps records of different kinds apart.
    """
    return hashlib.sha256(f"{tag}\n{_encode(value)}".encode()).hexdigest()
