"""What the service said, as problems for the user: our words first, its own words kept in ``fields``.

Nothing here ever sees the API key: replies are cleared of it before they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rhflow.core.errors import (
    Problem,
    RefusedError,
    RhflowError,
    StepError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from rhflow.runninghub.wire.codes import CODES, ApiCode, find_code

SubmitVerdict = Literal["accepted", "not_sent", "busy", "key_refused", "refused", "maybe_sent"]

_LONGEST_TEXT = 500
_VERBS = {"N": "refuses", "P": "rejects", "T": "cannot serve", "A": "cannot serve", "S": "cannot serve"}
_NETWORK_WORDS = {
    "ConnectError": "no connection",
    "ConnectTimeout": "no connection in time",
    "PoolTimeout": "no free connection in time",
    "ReadTimeout": "no answer in time",
    "WriteTimeout": "the request could not be sent in time",
    "ReadError": "the connection broke before the answer",
    "WriteError": "the connection broke while sending",
    "RemoteProtocolError": "the connection broke before the answer",
    "ProxyError": "the proxy gives no connection",
    "UnsupportedProtocol": "the address is neither http nor https",
    "InvalidURL": "the address is not a valid URL",
}


@dataclass(frozen=True, slots=True)
class ApiError:
    """A failure as the service reported it: ``code`` as text (empty when there is none), its own words, HTTP status."""

    code: str
    message: str
    http_status: int = 200

    @property
    def row(self) -> ApiCode:
        """What is known of this failure."""
        return find_code(self.code, self.message, http_status=self.http_status)


class UnreadableError(StepError):
    """A reply that has no form known of this service."""

    def __init__(self, what: str, *, http_status: int = 200) -> None:
        self.http_status = http_status
        hint = "try again; if it stays, something between here and the service answers in its place"
        fields = {} if http_status == 200 else {"http": str(http_status)}
        super().__init__(Problem("api-unreadable", f"the reply cannot be read: {what}", hint=hint, fields=fields))


class PromptRejectedError(StepError):
    """ComfyUI will not run a graph; nothing was created."""


class SimulatorError(UsageError):
    """A simulator answered a live run; nothing it gives may be taken for real."""

    def __init__(self, base_url: str, *, hint: str = "add `--simulate`, or set the address of the real site") -> None:
        super().__init__(
            Problem(
                "simulator-answered",
                f"`{base_url}` is a simulator, but this run is live",
                hint=hint,
            )
        )


class SubmitFailed(Exception):  # noqa: N818 -- an outcome for the caller to act on; ``error`` is what the user sees
    """One submit that gave no task id: the verdict decides what may follow, ``error`` is what to raise in the end.

    ``retry_after`` is what the service asks to wait, in seconds.
    """

    def __init__(self, verdict: SubmitVerdict, error: RhflowError, *, retry_after: float | None = None) -> None:
        super().__init__(f"{verdict}: {error}")
        self.verdict = verdict
        self.error = error
        self.retry_after = retry_after


def tidy(text: str) -> str:
    """Return a foreign text fit for one line of a terminal: no control characters, no line breaks, cut to length."""
    visible = "".join(letter if letter.isprintable() else " " for letter in text)
    folded = " ".join(visible.split())
    return folded if len(folded) <= _LONGEST_TEXT else folded[: _LONGEST_TEXT - 1] + "…"


def service_error(error: ApiError, what: str) -> RhflowError:
    """Return the error for a refused request; ``what`` was asked, as in "the upload of `a.png`"."""
    row = error.row
    message = f"the service {_VERBS[row.klass]} {what}: {_meaning(error)}"
    return _family(row)(_problem(row, message, _said(error)))


def impossible(endpoint: str, cause: Exception) -> StepError:
    """Return the error for a request that cannot even be written down."""
    text = f"the request to `{endpoint}` cannot be made: {tidy(str(cause))}"
    return StepError(Problem("request-impossible", text, hint="check the endpoint and the step's `with`"))


_CHECK_SITE = "check the network and the site's address"


def unreachable(what: str, cause: Exception, hint: str = _CHECK_SITE) -> StepError:
    """Return the error for a request that never got an answer."""
    return StepError(
        Problem(
            "api-unreachable",
            f"no answer to {what}: {network_words(cause)}",
            hint=hint,
            fields={"network": tidy(f"{type(cause).__name__}: {cause}")},
        )
    )


def unknown_outcome(endpoint: str, cause: ApiError | Exception) -> UnknownOutcomeError:
    """Return the error for a paid request of which nobody knows whether it was accepted."""
    why = _meaning(cause) if isinstance(cause, ApiError) else network_words(cause)
    return UnknownOutcomeError(
        Problem(
            "submit-unknown",
            f"`{endpoint}` may have been accepted and charged: {why}",
            hint="look for the task on the RunningHub site, then settle it with `rhflow resume`",
            fields=_traces(cause),
        )
    )


def unknown_creation(what: str, cause: ApiError | Exception) -> UnknownOutcomeError:
    """Return the error for a request that makes something, of which nobody knows whether it did."""
    why = _meaning(cause) if isinstance(cause, ApiError) else network_words(cause)
    message = f"{what} may have been made all the same: {why}"
    hint = "look whether it is there before you ask again"
    return UnknownOutcomeError(Problem("creation-unknown", message, hint=hint, fields=_traces(cause)))


def _traces(cause: ApiError | Exception) -> Mapping[str, str]:
    """Return what is known of a failure besides the words for it."""
    if isinstance(cause, ApiError):
        return _said(cause)
    if isinstance(cause, RhflowError):
        return cause.problems[0].fields
    return {"network": tidy(f"{type(cause).__name__}: {cause}")}


def failed_task(
    task_id: str, status: str, *, error: ApiError | None, reason: Mapping[str, Any] | str | None
) -> RhflowError:
    """Return the error for a task that ended without success: a TransientError where a new one may fare better."""
    if status == "CANCEL":
        hint = "it was cancelled outside this run; run again for a new task"
        return StepError(Problem("task-cancelled", f"task `{task_id}` was cancelled", hint=hint))
    why = error or ApiError("1000", "")
    said = (_said(error) if error else {}) | _reason_fields(reason)
    what = said.get("exception") or _meaning(why)
    at = f" at node {said['node']}" if "node" in said else ""
    family = TransientError if why.row.klass in "TA" else _family(why.row)
    return family(_problem(why.row, f"task `{task_id}` failed{at}: {what}", said))


def network_words(cause: Exception) -> str:
    """Return in plain words what went wrong on the way."""
    if isinstance(cause, RhflowError):
        return cause.problems[0].message
    return _NETWORK_WORDS.get(type(cause).__name__) or tidy(str(cause)) or type(cause).__name__


def _meaning(error: ApiError) -> str:
    """Return what a failure means, with its code where the table has no row for it."""
    row = error.row
    return f"{row.meaning} (code `{tidy(error.code)}`)" if error.code and row.code not in CODES else row.meaning


def _family(row: ApiCode) -> type[RhflowError]:
    return RefusedError if row.klass == "N" else StepError


def _problem(row: ApiCode, message: str, said: Mapping[str, str]) -> Problem:
    code = "api-minus-1" if row.code == "-1" else f"api-{row.code}"
    return Problem(code, message, hint=row.advice, fields=said)


def _said(error: ApiError) -> dict[str, str]:
    """Return the service's own words as fields of a problem."""
    http = "" if error.http_status == 200 else str(error.http_status)
    said = {"code": error.code, "service": tidy(error.message), "http": http}
    return {name: text for name, text in said.items() if text}


def _reason_fields(reason: Mapping[str, Any] | str | None) -> dict[str, str]:
    """Return where and why a workflow failed, as far as the service tells."""
    if reason is None or isinstance(reason, str):
        return {"exception": tidy(reason)} if reason else {}
    kind, text = reason.get("exception_type"), reason.get("exception_message")
    said = {"exception": tidy(": ".join(str(part) for part in (kind, text) if part)), "node": _node_words(reason)}
    return {name: value for name, value in said.items() if value}


def _node_words(reason: Mapping[str, Any]) -> str:
    """Return the node by its id, as recipes name it, and by what it is."""
    node, name = (tidy(str(reason.get(each) or "")) for each in ("node_id", "node_name"))
    return f"`{node}` (`{name}`)" if node and name else f"`{node or name}`" if node or name else ""
