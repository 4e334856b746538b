"""What every reply of the service is wrapped in, read the same way whatever it is about.

``code`` counts first (0, or 200 on uploads, is success), then ``errorCode`` and ``errorMessage``. A failure comes back
as an ``ApiError``, never as an exception; only what has no known form raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from rhflow.runninghub.wire.errors import ApiError, UnreadableError
from rhflow.runninghub.wire.members import first, number, text_of

T = TypeVar("T")

_FINE_CODES = ("0", "200")
_FINE_WORDS = ("", "success", "ok")


def unreadable(what: str, http_status: int = 200) -> NoReturn:
    """Raise UnreadableError for a reply of which ``what`` says what is odd about it."""
    raise UnreadableError(what, http_status=http_status)


def members_of(body: bytes, http_status: int) -> dict[str, Any]:
    """Return the reply as an object; an error page (not 2xx) may be anything and reads as an empty one."""
    try:
        found = parsed(body.decode("utf-8-sig", "replace"))
        if isinstance(found, dict):
            return found
        what = "it is not a JSON object"
    except (ValueError, RecursionError):
        what = "it is not JSON"
    return {} if not 200 <= http_status < 300 else unreadable(what, http_status)


def parsed(text: str) -> Any:
    """Return what a JSON text says, every digit of long numbers kept. Raises ValueError or RecursionError."""
    return json.loads(text, parse_float=number, parse_constant=lambda _: None)


def flat(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the reply and of its ``data``, if that is an object."""
    data = reply.get("data")
    return {**reply, **data} if isinstance(data, dict) else dict(reply)


def error_in(reply: Mapping[str, Any], http_status: int, *, done: bool = False) -> ApiError | None:
    """Return the failure that a reply reports; ``done``: its other members say that all is well."""
    codes = (text_of(reply.get(name)).strip() for name in ("code", "errorCode"))
    code = next((each for each in codes if each and each not in _FINE_CODES), "")
    words = text_of(first(reply, "errorMessage", "msg", "message"))
    if code or not 200 <= http_status < 300:
        return ApiError(code, words, http_status)
    told_fine = "code" in reply or done
    return None if told_fine or words.strip().casefold() in _FINE_WORDS else ApiError("", words, http_status)


Reader = Callable[[bytes, int], T | ApiError]
"""Reads a body with its HTTP status. Raises UnreadableError for a success of unknown form."""


def wrapped(read: Callable[[Any], T]) -> Reader[T]:
    """Return a reader of ``{code, msg, data}`` that gives ``data`` to ``read``."""

    def read_reply(body: bytes, http_status: int = 200) -> T | ApiError:
        reply = members_of(body, http_status)
        return error_in(reply, http_status) or read(reply.get("data"))

    return read_reply


def object_in(data: Any, what: str) -> dict[str, Any]:
    """Return ``data`` as an object. Raises UnreadableError; ``what`` should be there, as in "an account"."""
    return data if isinstance(data, dict) else unreadable(f"it has no {what}")


def objects_in(data: Any, what: str) -> list[dict[str, Any]]:
    """Return the objects of a list. Raises UnreadableError; ``what`` should be there, as in "list of keys"."""
    if not isinstance(data, list):
        unreadable(f"it has no {what}")
    return [each for each in data if isinstance(each, dict)]
