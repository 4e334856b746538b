"""Any paid call, that of a hosted model first of all: submit once, or take up the task that is already under way.

Then it is waited for, and its results are brought home. A call that an earlier run left open is waited for by its id;
one whose outcome nobody knows, or whose task is gone, is never sent again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any

from rhflow.core.errors import Problem, StepTimeoutError, UnknownOutcomeError
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.plan.former import standing
from rhflow.core.values import Artifact
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.orders import Order
from rhflow.runninghub.wire.states import TaskState
from rhflow.steps.context import OpenTask, Report, Tools
from rhflow.steps.patience import label_of, patience_of
from rhflow.steps.progress import GraphOf, following, shown
from rhflow.steps.results import GoneError, bring_home, look, watch
from rhflow.steps.submit import Prepare, Sent, submit


async def run(call: StepCall, report: Report, tools: Tools) -> StepResult:
    """Make one call of a hosted model. Raises RhflowError when it failed or its outcome is unknown."""

    async def prepare() -> Order:
        assert call.model is not None
        inputs = {name: await linked(value, tools.vault.link) for name, value in call.inputs.items()}
        return orders.model(call.model.endpoint, inputs)

    return await carry_out(call, prepare, report, tools)


async def linked(value: Any, link: Callable[[Artifact], Awaitable[str]]) -> Any:
    """Return a value as it is sent: files become links."""
    if isinstance(value, Artifact):
        return await link(value)
    if isinstance(value, list):
        return [await linked(each, link) for each in value]
    return {key: await linked(each, link) for key, each in value.items()} if isinstance(value, dict) else value


async def carry_out(
    call: StepCall, prepare: Prepare, report: Report, tools: Tools, *, graph: GraphOf | None = None
) -> StepResult:
    """Make a paid call of whatever kind; ``graph`` gives what it runs, where that is known, to name its nodes by.

    Raises RhflowError when it failed or its outcome is unknown.
    """
    former = await _former(call, report, tools)
    if former is not None and former.task_id is not None:
        await report("task.status", {"status": "RESUMED", "task_id": former.task_id})
        try:
            taken_up = Sent(former.task_id, max(0.0, tools.now() - former.at))
            return await _finish(call, taken_up, report, tools, graph)
        except GoneError:
            if not _may_replace(former, tools):
                raise
            await report("submit.settled", {"outcome": "gone", "task_id": former.task_id}, durable=True)
    return await _finish(call, await submit(call, prepare, report, tools), report, tools, graph)


async def _former(call: StepCall, report: Report, tools: Tools) -> OpenTask | None:
    """Return the open call of an earlier run, its task id known; None when there is nothing to take up."""
    former = tools.open_task(call.key)
    if former is None:
        return None
    stands = standing(former, site=tools.site, realm=tools.hub.connection.realm, forgetful=tools.forgetful)
    if stands == "lost":
        await report("submit.settled", {"outcome": "lost"}, durable=True)  # the simulator it ran on is no more
        return None
    if stands == "task":
        return former
    if stands == "unknown" and tools.find_task is not None and (found := await tools.find_task(former)) is not None:
        await report("submit.accepted", {"task_id": found}, durable=True)
        return tools.open_task(call.key)
    if not _may_replace(former, tools):
        raise _elsewhere(call, former) if stands == "elsewhere" else _unknown(call, former)
    await report("submit.settled", {"outcome": "resubmitted"}, durable=True)
    return None


def _may_replace(former: OpenTask, tools: Tools) -> bool:
    """Whether the user has said that a call may be paid for again: one known to be open, not one of this run."""
    return tools.on_unknown == "resubmit" and former.at < tools.began


def _unknown(call: StepCall, former: OpenTask) -> UnknownOutcomeError:
    message = f"step `{call.node}` was sent in run `{former.run}`, and no reply tells whether it was accepted"
    hint = (
        "look for the task on the RunningHub site; `rhflow resume --unknown=resubmit` pays for a new one, "
        "`--unknown=wait` leaves it open and goes on with the rest"
    )
    return UnknownOutcomeError(Problem("submit-unknown", message, hint=hint))


def _elsewhere(call: StepCall, former: OpenTask) -> UnknownOutcomeError:
    message = f"step `{call.node}` was sent to `{former.site}` in run `{former.run}`, and this run asks another site"
    hint = "set RUNNINGHUB_SITE and the key to those of that run; `rhflow resume --unknown=resubmit` pays for it here"
    return UnknownOutcomeError(Problem("task-elsewhere", message, hint=hint))


async def _finish(call: StepCall, sent: Sent, report: Report, tools: Tools, graph: GraphOf | None) -> StepResult:
    """Wait for a task and fetch what it gave."""
    task_id, began = sent.task_id, tools.now() - sent.age
    async with tools.slots.occupied(task_id):
        # One that is taken up may be done long since: that must not depend on how long the step would wait for it.
        state = await look(task_id, tools) if sent.age else None
        watched = state is None or not state.ended
        if state is None or not state.ended:
            state = await _wait(call, sent, report, tools, graph)
    await _raise_if_failed(state, call, report, tools)
    seconds = tools.now() - began
    if watched:
        tools.observed(label_of(call), seconds / tools.clock.scale)
    outputs = await bring_home(state, call.node, tools)
    cost = state.usage.cost if state.usage is not None else None
    return StepResult(outputs, seconds, cost, task_id)


async def _wait(call: StepCall, sent: Sent, report: Report, tools: Tools, graph: GraphOf | None) -> TaskState:
    task_id, running = sent.task_id, asyncio.Event()

    async def tell(state: TaskState) -> None:
        if state.status == "RUNNING":
            running.set()
        strange = {"reply": state.unknown} if state.ended and state.unknown else {}
        await report("task.status", {"status": state.status} | strange)

    expected = tools.expected(label_of(call), call.kind.typical_seconds)
    limit = patience_of(call)
    try:
        async with asyncio.timeout(tools.clock.patience(limit)), _shown(call, sent, running, report, tools, graph):
            return await watch(task_id, tools, expected=expected, age=sent.age, on_state=tell)
    except TimeoutError:
        message = f"task `{task_id}` is not done after {limit:g} s; it goes on at the service"
        hint = "`rhflow resume` goes on waiting; a longer `timeout` waits longer"
        raise StepTimeoutError(Problem("timeout", message, hint=hint)) from None


def _shown(
    call: StepCall, sent: Sent, running: asyncio.Event, report: Report, tools: Tools, graph: GraphOf | None
) -> AbstractAsyncContextManager[None]:
    """Show the progress of a graph; a hosted model tells none."""
    if call.model is not None or not (sent.socket or tools.watched):
        return nullcontext()
    follow = following(sent.task_id, sent.socket, running, tools, client=sent.mark)
    return shown(follow, report, tools, over=partial(tools.poller.hurry, sent.task_id), graph=graph)


async def _raise_if_failed(state: TaskState, call: StepCall, report: Report, tools: Tools) -> None:
    failure = state.failure()
    if failure is None:
        return
    tools.vault.forget_unread(failure, call.inputs)
    await report("submit.settled", {"outcome": "failed", "task_id": state.task_id}, durable=True)
    raise failure
