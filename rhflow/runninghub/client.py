"""The service as one object: every operation that it documents is a method, grouped by what it is about.

A submit is exactly one POST and ends in a task or in a ``SubmitFailed`` with a verdict; the caller journals before it
and decides after it. The other calls cost nothing and repeat themselves until they succeed or it is hopeless.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from rhflow.core.errors import RhflowError
from rhflow.runninghub.operations.account import Accounts
from rhflow.runninghub.operations.apps import Apps
from rhflow.runninghub.operations.assets import Assets
from rhflow.runninghub.operations.files import Files
from rhflow.runninghub.operations.gateway import LINK, Gateway, gate_at, gate_of, read_queued
from rhflow.runninghub.operations.graphs import Graphs
from rhflow.runninghub.operations.prices import Prices
from rhflow.runninghub.operations.tasks import Tasks
from rhflow.runninghub.operations.webhooks import Webhooks
from rhflow.runninghub.transport import lanes
from rhflow.runninghub.transport.retry import classify_submit, retry_after
from rhflow.runninghub.transport.transfer import Downloaded
from rhflow.runninghub.wire.errors import (
    ApiError,
    SubmitFailed,
    SubmitVerdict,
    impossible,
    service_error,
    unknown_outcome,
    unreachable,
)
from rhflow.runninghub.wire.states import Submitted, TaskState, read_submitted


class RunningHub(Tasks, Files, Graphs, Apps, Prices, Accounts, Webhooks, Assets, Gateway):
    """One account on one site, with all that can be asked of it."""

    async def query(self, task_id: str) -> TaskState:
        """Return the task as it is now, one of the gateway too. Raises when the service keeps failing."""
        return await (super().query(task_id) if gate_of(task_id) is None else self.prompt_state(task_id))

    async def cancel(self, task_id: str) -> None:
        """Ask the service to stop a task, one of the gateway too; what is charged is for the service to say."""
        await (super().cancel(task_id) if gate_of(task_id) is None else self.prompt_cancel(task_id))

    async def download(self, url: str, sink: Path | BinaryIO) -> Downloaded:
        """Fetch a result, one of the gateway too. Raises StepError, or StoreError when it cannot be kept."""
        fetch = self.gateway_download if url.startswith(LINK) else super().download
        return await fetch(url, sink)

    async def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Submitted:
        """Send one paid request, once, and return the task it made.

        ``endpoint`` is relative to ``/openapi/v2/`` (``run/workflow/<id>``, a model's path); with a leading slash it
        is a path of the site, and the older families (``/task/…``) get the key in the body as they expect it, the
        gateway (``/proxy/prompt``) gets it in the path. Raises
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
            outcome = _read(endpoint, self._body(response), response.status_code)
            self._heed(outcome, asked)
        except Exception as error:  # whatever it is, the request may have left
            outcome = error
        if isinstance(outcome, Submitted):
            self.key_worked = True
            return outcome
        verdict = classify_submit(outcome, key_worked=self.key_worked)
        failed = _submit_error(endpoint, outcome, verdict)
        cause = outcome if isinstance(outcome, Exception) and outcome is not failed else None
        raise SubmitFailed(verdict, failed, retry_after=asked) from cause

    def _submit_request(self, endpoint: str, payload: Mapping[str, Any]) -> httpx.Request:
        path = endpoint if endpoint.startswith("/") else f"/openapi/v2/{endpoint}"
        older = not path.startswith("/openapi/v2/") and gate_at(path) is None
        body = {**payload, "apiKey": self.connection.key.reveal()} if older else payload
        return self._post(path, body, timeout=lanes.SUBMIT)


def _read(endpoint: str, body: bytes, http_status: int) -> Submitted | ApiError:
    gate = gate_at(endpoint)
    if gate is None:
        return read_submitted(body, http_status=http_status)
    return read_queued(body, gate=gate, http_status=http_status)


def _submit_error(endpoint: str, outcome: ApiError | Exception, verdict: SubmitVerdict) -> RhflowError:
    if verdict == "maybe_sent":
        return unknown_outcome(endpoint, outcome)
    if isinstance(outcome, ApiError):
        return service_error(outcome, f"`{endpoint}`")
    return outcome if isinstance(outcome, RhflowError) else unreachable(f"`{endpoint}`", outcome)
