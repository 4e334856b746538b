"""The paid request: intent on disk, then the one POST, then the task id on disk.

Nothing else in rhflow spends money. Once the request is on its way, leaving waits a moment for the reply: a reply that
nobody reads is a call whose outcome nobody knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit, urlunsplit

from rhflow.core.errors import Problem, StoreError, UnknownOutcomeError
from rhflow.core.plan.calls import StepCall
from rhflow.runninghub.operations.orders import Order
from rhflow.runninghub.transport.retry import submit_when_free
from rhflow.runninghub.wire.errors import SubmitFailed
from rhflow.runninghub.wire.states import Submitted
from rhflow.steps.context import Report, Tools

T = TypeVar("T")

CALL = "call"
"""The member of a callback's address that names the call it is about."""
GRACE = 3.0
"""How many seconds a reply is waited for by somebody who wants to leave."""


Prepare: TypeAlias = Callable[[], Awaitable[Order]]
"""Uploads what a call needs and says what is to be sent; done only when something is to be sent at all."""


async def submit(call: StepCall, prepare: Prepare, report: Report, tools: Tools) -> str:
    """Make a new task for a call and return its id. Raises RhflowError."""
    order = told_of(await prepare(), call.key, tools.webhook)
    turn = tools.slots.turn(call.key)

    async def waiting() -> None:
        await report("task.status", {"status": "WAITING"})

    async def intend(attempt: int) -> None:
        await turn.take(waiting)
        facts = {"endpoint": order.endpoint, "attempt": attempt, "site": tools.site}
        await report("submit.intent", facts, durable=True)

    async def wait(failed: SubmitFailed, seconds: float) -> None:
        if failed.verdict == "busy":
            status, seconds = "BUSY", turn.refused(failed.retry_after)
        else:
            status = "OFFLINE" if failed.verdict == "not_sent" else "KEY-REFUSED"
            turn.give_back()
        await report("task.status", {"status": status, "wait": round(seconds, 1)})

    async def send() -> Submitted:
        return await _to_the_end(once())

    async def once() -> Submitted:
        submitted = await _send(order, report, tools)
        turn.accepted(submitted.task_id)
        return submitted

    try:
        submitted = await submit_when_free(send, before_attempt=intend, on_wait=wait, clock=tools.clock)
    except SubmitFailed as failed:
        tools.vault.forget_unread(failed.error, call.inputs)
        raise failed.error from failed
    finally:
        turn.give_back()
    return submitted.task_id


def told_of(order: Order, key: str, webhook: str | None) -> Order:
    """Return an order whose end is told at ``webhook``, where there is one; the address names the call by its key."""
    if webhook is None or not order.tells:
        return order
    parts = urlsplit(webhook)
    query = f"{parts.query}&{CALL}={call_name(key)}" if parts.query else f"{CALL}={call_name(key)}"
    return replace(order, payload={**order.payload, "webhookUrl": urlunsplit(parts._replace(query=query))})


def call_name(key: str) -> str:
    """Return what a callback names a call by."""
    return key[:32]


async def _send(order: Order, report: Report, tools: Tools) -> Submitted:
    """Send once, and note what came of it before anything else happens."""
    try:
        submitted = await tools.hub.submit(order.endpoint, order.payload)
    except SubmitFailed as failed:
        if failed.verdict != "maybe_sent":
            outcome = "not-sent" if failed.verdict == "not_sent" else "refused"
            await report("submit.settled", {"outcome": outcome}, durable=True)
        raise
    try:
        await report("submit.accepted", {"task_id": submitted.task_id}, durable=True)
    except StoreError as error:
        message = f"task `{submitted.task_id}` was accepted, but that cannot be noted: {error}"
        hint = "write the id down: its result is on the RunningHub site; repair the store before you go on"
        raise UnknownOutcomeError(Problem("task-not-noted", message, hint=hint)) from error
    return submitted


async def _to_the_end(request: Coroutine[Any, Any, T]) -> T:
    """Return what a request comes to. Cancelled, it waits for that at most ``GRACE`` seconds before it leaves."""
    sending = asyncio.ensure_future(request)
    try:
        return await asyncio.shield(sending)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([sending], timeout=GRACE)
        finally:
            if not sending.cancel() and not sending.cancelled():
                sending.exception()  # it has been noted; leaving is what matters now
        raise
