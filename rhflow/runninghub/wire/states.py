"""Tasks as the service tells of them, as data: every spelling on record, no surprise exceptions.

Reading order: a task id means that a task exists, whatever else the reply says; then the codes of the envelope; then
``status``. Ids have 19 digits and are text here; as numbers they are read whole, never through a float. What is not
understood stays in ``raw``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from rhflow.core.errors import RhflowError
from rhflow.core.values import Money
from rhflow.runninghub.wire.envelope import error_in, flat, members_of, parsed, unreadable
from rhflow.runninghub.wire.errors import ApiError, failed_task
from rhflow.runninghub.wire.members import amount_of, first, text_of

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
_DESCRIBED = frozenset(
    """taskId task_id status taskStatus errorCode errorMessage results usage failedReason clientId promptTips
    parentTaskId taskUsageList code msg message errorMessages data netWssUrl webhookUrl""".split()
)
"""Two of them are credentials and kept nowhere: who has the address of a socket or of a callback may use it."""
_STATE_CODES: Mapping[str, Status] = {"804": "RUNNING", "805": "FAILED", "813": "QUEUED"}


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
        """What is paid: money, coins, or both; None when the service names no price."""
        known = [part for part in (self.money, self.third_party) if part is not None]
        told = [Money(sum(known, Decimal(0)), self.currency)] if known else []
        told += [] if self.coins is None else [Money(self.coins, "coins")]
        if not told:
            return None
        first, *also = [part for part in told if part.amount] or told[:1]
        return replace(first, also=tuple(also))


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

    @property
    def unknown(self) -> dict[str, Any]:
        """The members of the reply that nobody has described: a run keeps them, for those who can read them."""
        return {name: value for name, value in self.raw.items() if name not in _DESCRIBED}

    def failure(self) -> RhflowError | None:
        """Return what to raise when the task ended without success, else None."""
        if self.status not in ("FAILED", "CANCEL"):
            return None
        return failed_task(self.task_id, self.status, error=self.error, reason=self.failed_reason)


def read_submitted(body: bytes, *, http_status: int = 200) -> Submitted | ApiError:
    """Read the reply to a submit. Raises UnreadableError for a success of unknown form."""
    reply = members_of(body, http_status)
    if task_id := _task_id(reply):
        status = _status(reply) or "CREATE"
        return Submitted(task_id, status, tuple(_results(reply)), raw=reply)
    return _error(reply, http_status) or unreadable("it names neither a task nor a reason", http_status)


def read_task_state(
    body: bytes, *, task_id: str = "", http_status: int = 200, currency: str = "CNY"
) -> TaskState | ApiError:
    """Read the reply to a query; ``task_id`` is what was asked for. An ApiError says that the query failed.

    A final status stands, whatever else the reply says. A status that is not final together with a permanent reason
    is a failed task, together with any other reason a failed query. Raises UnreadableError for a reply about another
    task.
    """
    reply = members_of(body, http_status)
    error = _error(reply, http_status)
    if error and not 200 <= http_status < 300:
        return error
    status = _status(reply) or (_STATE_CODES.get(error.code) if error else _implied(reply))
    if status is None:
        return error or unreadable("it has no task status", http_status)
    if error and status not in ENDED and error.row.klass != "S":
        if error.row.klass != "P":
            return error
        status = "FAILED"
    found = _task_id(reply)
    if task_id and found and not _same_id(found, task_id):
        return unreadable("it is about another task", http_status)
    return TaskState(
        task_id=task_id or found,
        status=status,
        results=tuple(_results(reply)),
        error=error if status == "FAILED" else None,
        usage=_usage(reply, currency),
        failed_reason=_failed_reason(reply),
        raw=reply,
    )


def _task_id(reply: Mapping[str, Any]) -> str:
    found = text_of(first(flat(reply), "taskId", "task_id")).strip()
    return "" if found == "0" else found


def _same_id(found: str, asked: str) -> bool:
    """Whether two ids are one, also where somebody on the way has rounded one of them to a double."""
    return found == asked or (found.isdecimal() and asked.isdecimal() and float(found) == float(asked))


def _status(reply: Mapping[str, Any]) -> Status | None:
    data = reply.get("data")
    found = data if isinstance(data, str) else first(flat(reply), "status", "taskStatus")
    return _STATUSES.get(found.strip().upper()) if isinstance(found, str) else None


def _implied(reply: Mapping[str, Any]) -> Status | None:
    """Return the status that the older query leaves unsaid: outputs when done, nothing yet while running."""
    if "code" not in reply or "data" not in reply:
        return None
    return "SUCCESS" if isinstance(reply["data"], list) else "RUNNING" if reply["data"] is None else None


def _error(reply: Mapping[str, Any], http_status: int) -> ApiError | None:
    return error_in(reply, http_status, done=_status(reply) == "SUCCESS")


def _items(reply: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    data = reply.get("data")
    listed = data if isinstance(data, list) else flat(reply).get("results")
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
    found = flat(reply).get("usage")
    source = found if isinstance(found, dict) else next(_items(reply), {})
    money, coins = amount_of(source.get("consumeMoney")), amount_of(source.get("consumeCoins"))
    third_party, seconds = amount_of(source.get("thirdPartyConsumeMoney")), amount_of(source.get("taskCostTime"))
    if money is coins is third_party is seconds is None:
        return None
    return Usage(money, coins, third_party, None if seconds is None else float(seconds), currency)


def _failed_reason(reply: Mapping[str, Any]) -> Mapping[str, Any] | str | None:
    """Return why a workflow failed: an object, also where it comes as JSON text; an empty one is none."""
    members = flat(reply)
    found = _object_of(members.get("failedReason"))
    if isinstance(found, dict):
        return found or _rejected_node(members)
    return text_of(found) or _rejected_node(members)


def _object_of(found: Any) -> Any:
    if isinstance(found, str) and found.lstrip().startswith("{"):
        try:
            return parsed(found)
        except (ValueError, RecursionError):
            pass  # then it is shown as the text it is
    return found


def _rejected_node(members: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the first node is that the service would not run, and why: such a task fails without a reason."""
    tips = _object_of(members.get("promptTips"))
    rejected = tips.get("node_errors") if isinstance(tips, dict) else None
    for node, found in rejected.items() if isinstance(rejected, dict) else ():
        errors = found.get("errors") if isinstance(found, dict) else None
        why = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        words = ": ".join(filter(None, (text_of(why.get("message")), text_of(why.get("details")))))
        if words:
            return {"node_id": node, "node_name": text_of(found.get("class_type")), "exception_message": words}
    return None
