"""The service as five calls: submit, query, upload, download, queue status.

A submit is exactly one POST and ends in a task or in a ``SubmitFailed`` with a verdict; the caller journals before it
and decides after it. The other calls cost nothing and repeat themselves until they succeed or it is hopeless.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

import httpx

from rhflow.core.errors import RhflowError
from rhflow.runninghub import lanes
from rhflow.runninghub.clock import Clock
from rhflow.runninghub.connection import Connection
from rhflow.runninghub.errors import (
    ApiError,
    SimulatorError,
    SubmitFailed,
    SubmitVerdict,
    UnreadableError,
    impossible,
    service_error,
    unknown_outcome,
    unreachable,
)
from rhflow.runninghub.retry import Passing, classify_submit, may_pass, retry_after, retry_free
from rhflow.runninghub.transfer import Downloaded, FileForm, download
from rhflow.runninghub.wire import (
    QueueStatus,
    Submitted,
    TaskState,
    Uploaded,
    read_queue_status,
    read_submitted,
    read_task_state,
    read_uploaded,
)

T = TypeVar("T")

SIMULATOR_HEADER = "rhflow-simulator"
_JSON = {"Content-Type": "application/json"}


class RunningHub:
    """One account on one site. Use it with ``async with``; every method may be called many times at once.

    ``requests`` counts what was sent, by kind: ``submit``, ``query``, ``upload``, ``download``, ``queue``.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.connection = connection
        self.requests: Counter[str] = Counter()
        self._clock = clock or Clock()
        self._lanes = lanes.open_lanes(transport)
        self._bearer = lanes.Bearer(connection.key)

    async def __aenter__(self) -> RunningHub:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lanes.close()

    async def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Submitted:
        """Send one paid request, once, and return the task it made.

        ``endpoint`` is relative to ``/openapi/v2/`` (``run/workflow/<id>``, a model's path); with a leading slash it
        is a path of the site, and the older families (``/task/…``) get the key in the body as they expect it. Raises
        SubmitFailed, with ``UnknownOutcomeError`` inside when a task may exist. Cancelled in mid-air, the outcome is
        unknown too: that is what the journalled intent is for.
        """
        try:
            request = self._submit_request(endpoint, payload)
        except (httpx.InvalidURL, TypeError, ValueError) as error:
            raise SubmitFailed("refused", impossible(endpoint, error)) from error
        asked: float | None = None
        outcome: Submitted | ApiError | Exception
        try:
            response = await self._exchange("submit", self._lanes.submits, request)
            asked = retry_after(response.headers)
            outcome = read_submitted(self._body(response), http_status=response.status_code)
        except Exception as error:  # whatever it is, the request may have left
            outcome = error
        if isinstance(outcome, Submitted):
            return outcome
        verdict = classify_submit(outcome)
        failed = _submit_error(endpoint, outcome, verdict)
        cause = outcome if isinstance(outcome, Exception) and outcome is not failed else None
        raise SubmitFailed(verdict, failed, retry_after=asked) from cause

    async def query(self, task_id: str) -> TaskState:
        """Return the task as it is now. Raises when the service keeps failing, not when the task failed."""

        def read(body: bytes, status: int) -> TaskState | ApiError:
            return read_task_state(body, task_id=task_id, http_status=status, currency=self.connection.currency)

        def request() -> httpx.Request:
            return self._post("/openapi/v2/query", {"taskId": task_id}, timeout=lanes.QUERY)

        return await self._ask("query", f"the query of task `{task_id}`", request=request, read=read)

    async def queue_status(self) -> QueueStatus:
        """Return how many tasks the account may run at once, and how many it does."""

        def read(body: bytes, status: int) -> QueueStatus | ApiError:
            return read_queue_status(body, http_status=status)

        def request() -> httpx.Request:
            return self._build("GET", "/openapi/v2/queue/status", timeout=lanes.QUERY)

        return await self._ask("queue", "the queue status", request=request, read=read)

    async def upload(self, path: Path, name: str, media_type: str) -> Uploaded:
        """Send the file at ``path`` under ``name``, streamed from disk. Raises StepError when it cannot be read."""
        form = FileForm.of(path, name, media_type=media_type)

        def read(body: bytes, status: int) -> Uploaded | ApiError:
            return read_uploaded(body, media_type=media_type, http_status=status)

        def request() -> httpx.Request:
            return self._build(
                "POST",
                "/openapi/v2/media/upload/binary",
                timeout=lanes.UPLOAD,
                headers=form.headers,
                content=form.stream(),
            )

        return await self._ask("upload", f"the upload of `{name}`", request=request, read=read)

    async def download(self, url: str, sink: Path | BinaryIO) -> Downloaded:
        """Fetch a result into a path, or an open binary file from its present position; without the key.

        A broken transfer goes on where it broke when the host can tell that the file is the same, else starts anew.
        On failure a path is removed. Raises StepError when the file cannot be had, StoreError when it cannot be kept.
        """

        def count() -> None:
            self.requests["download"] += 1

        return await download(self._lanes.files, url, sink, clock=self._clock, count=count)

    async def _ask(
        self,
        kind: str,
        what: str,
        *,
        request: Callable[[], httpx.Request],
        read: Callable[[bytes, int], T | ApiError],
    ) -> T:
        """Make a free request, again and again as far as it helps."""
        by = self._lanes.files if kind == "upload" else self._lanes.api

        async def attempt() -> T:
            try:
                response = await self._exchange(kind, by, request())
                answer = read(self._body(response), response.status_code)
            except UnreadableError as error:
                raise Passing(error) from None
            except (httpx.HTTPError, OSError) as error:
                failed = unreachable(what, error)
                raise (Passing(failed) if may_pass(error) else failed) from error
            if not isinstance(answer, ApiError):
                return answer
            refused = service_error(answer, what)
            raise Passing(refused, asked=retry_after(response.headers)) if may_pass(answer) else refused

        return await retry_free(attempt, clock=self._clock)

    async def _exchange(self, kind: str, by: lanes.Lane, request: httpx.Request) -> httpx.Response:
        async with by.gate:
            self.requests[kind] += 1
            response = await by.client.send(request, auth=self._bearer)
        if self.connection.realm == "live" and SIMULATOR_HEADER in response.headers:
            raise SimulatorError(self.connection.base_url)
        return response

    def _body(self, response: httpx.Response) -> bytes:
        return self.connection.key.hide_in(response.content)

    def _submit_request(self, endpoint: str, payload: Mapping[str, Any]) -> httpx.Request:
        path = endpoint if endpoint.startswith("/") else f"/openapi/v2/{endpoint}"
        older = not path.startswith("/openapi/v2/")
        body = {**payload, "apiKey": self.connection.key.reveal()} if older else payload
        return self._post(path, body, timeout=lanes.SUBMIT)

    def _post(self, path: str, payload: Mapping[str, Any], *, timeout: httpx.Timeout) -> httpx.Request:
        body = json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
        return self._build("POST", path, timeout=timeout, headers=_JSON, content=body)

    def _build(self, method: str, path: str, *, timeout: httpx.Timeout, **rest: Any) -> httpx.Request:
        url = f"{self.connection.base_url}{path}"
        return self._lanes.api.client.build_request(method, url, timeout=timeout, **rest)


def _submit_error(endpoint: str, outcome: ApiError | Exception, verdict: SubmitVerdict) -> RhflowError:
    if verdict == "maybe_sent":
        return unknown_outcome(endpoint, outcome)
    if isinstance(outcome, ApiError):
        return service_error(outcome, f"`{endpoint}`")
    return outcome if isinstance(outcome, RhflowError) else unreachable(f"`{endpoint}`", outcome)
