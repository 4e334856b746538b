"""The paid request: intent on disk, then the one POST, then the task id on disk.

Nothing else in rhflow spends money. Once the request is on its way, leaving waits a moment for the reply: a reply that
nobody reads is a call whose outcome nobody knows. Where a listener notes callbacks, one may tell after all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit, urlunsplit

from rhflow.core.errors import Problem, RhflowError, StoreError, UnknownOutcomeError
from rhflow.core.plan.calls import StepCall
from rhflow.runninghub.operations.orders import Order
from rhflow.runninghub.transport.retry import submit_when_free
from rhflow.runninghub.waiting.progress import socket_of
from rhflow.runninghub.wire.errors import SubmitFailed
from rhflow.runninghub.wire.states import Submitted
from rhflow.steps.context import Report, Tools
from rhflow.steps.patience import label_of, patience_of

T = TypeVar("T")

CALL = "call"
"""The member of a callback's address that names the call it is about."""
GRACE = 3.0
"""How many seconds a reply is waited for by somebody who wants to leave."""
SETTLING = 60.0
"""Seconds of the service for which a callback is waited for, beyond three times what such a task takes."""
_SLOW_MACHINE = 10.0  # real seconds: a simulator whose clock runs fast still has to make what it tells of


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that was accepted as ``task_id``, ``age`` seconds ago; ``socket`` is where it tells its progress.

    ``mark`` is that of its order, where it is known.
    """

    task_id: str
    age: float = 0.0
    socket: str | None = field(default=None, repr=False)
    mark: str = ""


Prepare: TypeAlias = Callable[[], Awaitable[Order]]
"""Uploads what a call needs and says what is to be sent; done only when something is to be sent at all."""


async def submit(call: StepCall, prepare: Prepare, report: Report, tools: Tools) -> Sent:
    """Make a new task for a call. Raises RhflowError."""
    order = told_of(await prepare(), call.key, tools.webhook)
    turn = tools.slots.turn(call.key)

    async def waiting() -> None:
        await report("task.status", {"status": "WAITING"})

    async def intend(attempt: int) -> None:
        await turn.take(waiting)
        facts = {"endpoint": order.endpoint, "attempt": attempt, "site": tools.site}
        await report("submit.intent", facts | ({"mark": order.mark} if order.mark else {}), durable=True)

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
        if failed.verdict == "maybe_sent" and (sent := await _found(call, order, report, tools)):
            turn.accepted(sent.task_id)
            return sent
        tools.vault.forget_unread(failed.error, call.inputs)
        raise failed.error from failed
    finally:
        turn.give_back()
    return Sent(submitted.task_id, socket=socket_of(submitted.raw), mark=order.mark)


async def _found(call: StepCall, order: Order, report: Report, tools: Tools) -> Sent | None:
    """Return what a call became whose reply was lost, where that can be told."""
    if order.tells:
        return await _called_back(call, report, tools)
    sent = tools.open_task(call.key) if order.mark and tools.find_task is not None else None
    if sent is None or tools.find_task is None:
        return None
    try:
        task_id = await tools.find_task(sent)
    except RhflowError:
        return None  # it can be looked up again when the run is resumed
    if task_id is None:
        return None
    await report("submit.accepted", {"task_id": task_id}, durable=True)
    return Sent(task_id, max(0.0, tools.now() - sent.at), mark=order.mark)


async def _called_back(call: StepCall, report: Report, tools: Tools) -> Sent | None:
    """Wait for the callback of a call whose reply was lost; None where none comes, or nobody would note it.

    A call that was not accepted is never called back, so this is not done for as long as a task is waited for.
    """
    sent = None if tools.wait_for_task is None else tools.open_task(call.key)
    if tools.wait_for_task is None or sent is None:
        return None

    async def waiting() -> None:
        await report("task.status", {"status": "UNANSWERED"})

    usual = tools.expected(label_of(call), call.kind.typical_seconds)
    seconds = max(min(patience_of(call), SETTLING + 3 * usual) * tools.clock.scale, _SLOW_MACHINE)
    task_id = await tools.wait_for_task(sent, seconds=seconds, on_wait=waiting)
    if task_id is None:
        return None
    await report("submit.accepted", {"task_id": task_id}, durable=True)
    return Sent(task_id, max(0.0, tools.now() - sent.at))


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
