"""The service's JSON as data, and nothing else: both envelopes, every spelling on record, no surprise exceptions.

Reading order: a task id means that a task exists, whatever else the reply says; then ``code`` (0, or 200 on uploads,
is success); then ``errorCode`` and ``errorMessage``; then ``status``. Ids have 19 digits and are text here; as numbers
they are read whole, never through a float. What is not understood stays in ``raw``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, NoReturn

from rhflow.core.errors import RhflowError
from rhflow.core.values import Money
from rhflow.runninghub.errors import ApiError, UnreadableError, failed_task
from rhflow.runninghub.members import amount_of, count_of, first, number, text_of

Status = Literal["CREATE", "QUEUED", "RUNNING", "SUCCESS", "FAILED", "CANCEL"]
ENDED: frozenset[Status] = frozenset({"SUCCESS", "FAILED", "CANCEL"})

_STATUSES: Mapping[str, Status] = {
    "CREATE": "CREATE",
    "QUEUED": "QUEUED",
    "RUNNING": "RUNNING",
    "SUCCESS": "SUCCESS",
    "FAILED": "FAILED",
    "CANCEL": "CANCEL",
    "CANCELLED": "CANCEL",
    "CANCELED": "CANCEL",
}
_STATE_CODES: Mapping[str, Status] = {"804": "RUNNING", "805": "FAILED", "813": "QUEUED"}
_FINE_CODES = ("0", "200")
_FINE_WORDS = ("", "success", "ok")


@dataclass(frozen=True, slots=True)
class Result:
    """One output: a file by ``url`` or a ``text``; ``output_type`` is a file name extension, lower case."""

    url: str | None
    text: str | None
    output_type: str = ""
    node_id: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a task took: money for machine time, coins, money for a hosted model; ``seconds`` of machine time."""

    money: Decimal | None = None
    coins: Decimal | None = None
    third_party: Decimal | None = None
    seconds: float | None = None
    currency: str = "CNY"

    @property
    def cost(self) -> Money | None:
        """The price in money where there is one, else in coins; None when the service names no price."""
        known = [part for part in (self.money, self.third_party) if part is not None]
        paid = sum(known, Decimal(0))
        if self.coins and not paid:
            return Money(self.coins, "coins")
        if known:
            return Money(paid, self.currency)
        return None if self.coins is None else Money(self.coins, "coins")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A task that exists. ``status`` is ``CREATE`` where the reply names none; a quick task may be done already."""

    task_id: str
    status: Status
    results: tuple[Result, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task as of one query; ``error`` and ``failed_reason`` (an object or a text) say why it failed."""

    task_id: str
    status: Status
    results: tuple[Result, ...] = ()
    error: ApiError | None = None
    usage: Usage | None = None
    failed_reason: Mapping[str, Any] | str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the task."""
        return self.status in ENDED

    def failure(self) -> RhflowError | None:
        """Return what to raise when the task ended without success, else None."""
        if self.status not in ("FAILED", "CANCEL"):
            return None
        return failed_task(self.task_id, self.status, error=self.error, reason=self.failed_reason)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file on the site: ``url`` for hosted models (about a day), ``file_name`` for workflow nodes; size in bytes."""

    url: str | None
    file_name: str | None
    size: int | None
    media_type: str


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The account's room: how many tasks may run at once, and how many do. ``limit`` is None where it is not told."""

    key_type: str
    limit: int | None
    running: int
    queued: int
    total: int
    instances: int | None = None


def read_submitted(body: bytes, *, http_status: int = 200) -> Submitted | ApiError:
    """Read the reply to a submit. Raises UnreadableError for a success of unknown form."""
    reply = _object(body, http_status)
    if task_id := _task_id(reply):
        status = _status(reply) or "CREATE"
        return Submitted(task_id, status, tuple(_results(reply)), raw=reply)
    return _error(reply, http_status) or _unreadable("it names neither a task nor a reason", http_status)


def read_task_state(
    body: bytes, *, task_id: str = "", http_status: int = 200, currency: str = "CNY"
) -> TaskState | ApiError:
    """Read the reply to a query; ``task_id`` is what was asked for. An ApiError says that the query failed.

    A final status stands, whatever else the reply says. A status that is not final together with a permanent reason
    is a failed task, together with any other reason a failed query. Raises UnreadableError for a reply about another
    task.
    """
    reply = _object(body, http_status)
    error = _error(reply, http_status)
    if error and not 200 <= http_status < 300:
        return error
    status = _status(reply) or (_STATE_CODES.get(error.code) if error else _implied(reply))
    if status is None:
        return error or _unreadable("it has no task status", http_status)
    if error and status not in ENDED and error.row.klass != "S":
        if error.row.klass != "P":
            return error
        status = "FAILED"
    found = _task_id(reply)
    if task_id and found and not _same_id(found, task_id):
        return _unreadable("it is about another task", http_status)
    return TaskState(
        task_id=task_id or found,
        status=status,
        results=tuple(_results(reply)),
        error=error if status == "FAILED" else None,
        usage=_usage(reply, currency),
        failed_reason=_failed_reason(reply),
        raw=reply,
    )


def read_uploaded(body: bytes, *, media_type: str, http_status: int = 200) -> Uploaded | ApiError:
    """Read the reply to an upload; ``media_type`` is what was sent (the reply has only a family)."""
    reply = _object(body, http_status)
    data = _flat(reply)
    url, file_name = text_of(data.get("download_url")), text_of(data.get("fileName"))
    if error := _error(reply, http_status):
        return error
    if not url and not file_name:
        return _unreadable("it names no uploaded file", http_status)
    return Uploaded(url or None, file_name or None, count_of(data.get("size")), media_type)


def read_queue_status(body: bytes, *, http_status: int = 200) -> QueueStatus | ApiError:
    """Read how busy the account is; counts come as text."""
    reply = _object(body, http_status)
    if error := _error(reply, http_status):
        return error
    data = _flat(reply)
    running, queued = count_of(data.get("runningCount")), count_of(data.get("queuedCount"))
    limit, total = count_of(data.get("concurrentLimit")), count_of(data.get("totalCurrentTasks"))
    if running is None and limit is None:
        return _unreadable("it has no queue status", http_status)
    return QueueStatus(
        key_type=text_of(data.get("apiKeyType")),
        limit=limit,
        running=running or 0,
        queued=queued or 0,
        total=(running or 0) + (queued or 0) if total is None else total,
        instances=count_of(first(data, "instanceCount", "instanceCounts")),
    )


def _unreadable(what: str, http_status: int) -> NoReturn:
    raise UnreadableError(what, http_status=http_status)


def _object(body: bytes, http_status: int) -> dict[str, Any]:
    """Return the reply as an object; an error page (not 2xx) may be anything and reads as an empty one."""
    try:
        found = json.loads(body.decode("utf-8-sig", "replace"), parse_float=number, parse_constant=lambda _: None)
        if isinstance(found, dict):
            return found
        what = "it is not a JSON object"
    except (ValueError, RecursionError):
        what = "it is not JSON"
    return {} if not 200 <= http_status < 300 else _unreadable(what, http_status)


def _flat(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the reply and of its ``data``, if that is an object."""
    data = reply.get("data")
    return {**reply, **data} if isinstance(data, dict) else dict(reply)


def _task_id(reply: Mapping[str, Any]) -> str:
    found = text_of(first(_flat(reply), "taskId", "task_id")).strip()
    return "" if found == "0" else found


def _same_id(found: str, asked: str) -> bool:
    """Whether two ids are one, also where somebody on the way has rounded one of them to a double."""
    return found == asked or (found.isdecimal() and asked.isdecimal() and float(found) == float(asked))


def _status(reply: Mapping[str, Any]) -> Status | None:
    data = reply.get("data")
    found = data if isinstance(data, str) else first(_flat(reply), "status", "taskStatus")
    return _STATUSES.get(found.strip().upper()) if isinstance(found, str) else None


def _implied(reply: Mapping[str, Any]) -> Status | None:
    """Return the status that the older query leaves unsaid: outputs when done, nothing yet while running."""
    if "code" not in reply or "data" not in reply:
        return None
    return "SUCCESS" if isinstance(reply["data"], list) else "RUNNING" if reply["data"] is None else None


def _error(reply: Mapping[str, Any], http_status: int) -> ApiError | None:
    codes = (text_of(reply.get(name)).strip() for name in ("code", "errorCode"))
    code = next((each for each in codes if each and each not in _FINE_CODES), "")
    words = text_of(first(reply, "errorMessage", "msg", "message"))
    if code or not 200 <= http_status < 300:
        return ApiError(code, words, http_status)
    told_fine = "code" in reply or _status(reply) == "SUCCESS"
    return None if told_fine or words.strip().casefold() in _FINE_WORDS else ApiError("", words, http_status)


def _items(reply: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    data = reply.get("data")
    listed = data if isinstance(data, list) else _flat(reply).get("results")
    yield from (item for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()


def _results(reply: Mapping[str, Any]) -> Iterator[Result]:
    for item in _items(reply):
        url = text_of(first(item, "url", "outputUrl", "fileUrl"))
        text = text_of(first(item, "text", "content", "output"))
        kind = text_of(first(item, "outputType", "fileType")).strip().lstrip(".").lower()
        if url or text:
            yield Result(url or None, text or None, kind, text_of(item.get("nodeId")) or None)


def _usage(reply: Mapping[str, Any], currency: str) -> Usage | None:
    """Return what the task took; the older query repeats it on every output, so the first one tells."""
    found = _flat(reply).get("usage")
    source = found if isinstance(found, dict) else next(_items(reply), {})
    money, coins = amount_of(source.get("consumeMoney")), amount_of(source.get("consumeCoins"))
    third_party, seconds = amount_of(source.get("thirdPartyConsumeMoney")), amount_of(source.get("taskCostTime"))
    if money is coins is third_party is seconds is None:
        return None
    return Usage(money, coins, third_party, None if seconds is None else float(seconds), currency)


def _failed_reason(reply: Mapping[str, Any]) -> Mapping[str, Any] | str | None:
    """Return why a workflow failed: an object, also where it comes as JSON text; an empty one is none."""
    found = _flat(reply).get("failedReason")
    if isinstance(found, str) and found.lstrip().startswith("{"):
        try:
            found = json.loads(found, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            pass  # then it is shown as the text it is
    if isinstance(found, dict):
        return found or None
    return text_of(found) or None
