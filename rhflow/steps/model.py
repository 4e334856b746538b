"""Any catalogue model: link the files, submit once, wait, bring the results home.

The order is the promise that nothing is paid twice: intent on disk, then the one POST, then the task id on disk. A
call that an earlier run left open is waited for by its id; one whose outcome nobody knows is never sent again by
itself.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rhflow.core.calls import StepCall, StepResult
from rhflow.core.errors import Problem, StepError, StepTimeoutError, UnknownOutcomeError
from rhflow.core.values import Artifact, Outputs, artifacts_in
from rhflow.runninghub.errors import SubmitFailed
from rhflow.runninghub.retry import submit_when_free
from rhflow.runninghub.wire import Submitted, TaskState
from rhflow.steps.context import OpenTask, Report, Tools

_UNREADABLE_INPUT = "api-1013"


async def run(call: StepCall, report: Report, tools: Tools) -> StepResult:
    """Make one call of a hosted model. Raises RhflowError when it failed or its outcome is unknown."""
    assert call.model is not None
    label, began = call.model.id, tools.now()
    task_id, age = await _task(call, report, tools)

    async def tell(state: TaskState) -> None:
        await report("task.status", {"status": state.status})

    expected = tools.expected(label, call.kind.typical_seconds)
    limit = None if call.timeout is None else max(0.0, call.timeout - age) * tools.clock.scale
    try:
        async with asyncio.timeout(limit):
            state = await tools.poller.watch(task_id, expected_seconds=expected, on_state=tell, age_seconds=age)
    except TimeoutError:
        message = f"task `{task_id}` is not done after {call.timeout:g} s; it goes on at the service"
        hint = "`rhflow resume` goes on waiting; a longer `timeout` waits longer"
        raise StepTimeoutError(Problem("timeout", message, hint=hint)) from None
    await _raise_if_failed(state, call, report, tools)
    seconds = tools.now() - began + age
    tools.observed(label, seconds / tools.clock.scale)
    outputs = await _outputs(call, state, tools)
    cost = state.usage.cost if state.usage is not None else None
    return StepResult(outputs, seconds, cost, task_id)


async def _task(call: StepCall, report: Report, tools: Tools) -> tuple[str, float]:
    """Return the id and the age in seconds of the task that makes this call: an open one, or else a new one."""
    former = tools.open_task(call.key)
    if former is not None and tools.forgetful:
        await report("submit.settled", {"outcome": "lost"}, durable=True)
        former = None
    if former is None:
        return await _submit(call, report, tools), 0.0
    if former.task_id is not None:
        await report("task.status", {"status": "RESUMED", "task_id": former.task_id})
        return former.task_id, max(0.0, tools.now() - former.at)
    if tools.on_unknown == "fail":
        raise _unknown(call, former)
    await report("submit.settled", {"outcome": "resubmitted"}, durable=True)
    return await _submit(call, report, tools), 0.0


def _unknown(call: StepCall, former: OpenTask) -> UnknownOutcomeError:
    message = f"step `{call.node}` was sent in run `{former.run}`, and no reply tells whether it was accepted"
    hint = "look for the task on the RunningHub site; `rhflow resume --unknown=resubmit` pays for a new one"
    return UnknownOutcomeError(Problem("submit-unknown", message, hint=hint))


async def _submit(call: StepCall, report: Report, tools: Tools) -> str:
    assert call.model is not None
    endpoint = call.model.endpoint
    payload = {name: await _linked(value, tools) for name, value in call.inputs.items()}

    async def intend(attempt: int) -> None:
        await report("submit.intent", {"endpoint": endpoint, "attempt": attempt}, durable=True)

    async def wait(failed: SubmitFailed, seconds: float) -> None:
        outcome = "not-sent" if failed.verdict == "not_sent" else "refused"
        await report("submit.settled", {"outcome": outcome, "wait": round(seconds, 1)})
        await report("task.status", {"status": "BUSY" if failed.verdict == "busy" else "OFFLINE"})

    async def send() -> Submitted:
        return await tools.hub.submit(endpoint, payload)

    try:
        submitted = await submit_when_free(send, before_attempt=intend, on_wait=wait, clock=tools.clock)
    except SubmitFailed as failed:
        if failed.verdict != "maybe_sent":
            await report("submit.settled", {"outcome": "refused"})
        raise failed.error from failed
    await report("submit.accepted", {"task_id": submitted.task_id}, durable=True)
    return submitted.task_id


async def _linked(value: Any, tools: Tools) -> Any:
    """Return a value as it is sent: files become links."""
    if isinstance(value, Artifact):
        return await tools.vault.link(value)
    if isinstance(value, list):
        return [await _linked(each, tools) for each in value]
    return {key: await _linked(each, tools) for key, each in value.items()} if isinstance(value, dict) else value


async def _raise_if_failed(state: TaskState, call: StepCall, report: Report, tools: Tools) -> None:
    failure = state.failure()
    if failure is None:
        return
    if any(problem.code == _UNREADABLE_INPUT for problem in failure.problems):
        for artifact in artifacts_in(dict(call.inputs)):
            tools.vault.forget(artifact)  # its link has aged out: the next call uploads again
    await report("submit.settled", {"outcome": "failed", "task_id": state.task_id}, durable=True)
    raise failure


async def _outputs(call: StepCall, state: TaskState, tools: Tools) -> Outputs:
    """Fetch every file and take every text, in the order of the reply."""
    files: list[Artifact] = []
    texts: list[str] = []
    linked = [each for each in state.results if each.url]
    for each in state.results:
        if each.url:
            files.append(await tools.vault.fetch(each.url, _name(call, len(files), len(linked)), each.output_type))
        elif each.text is not None:
            texts.append(each.text)
    if not files and not texts:
        message = f"task `{state.task_id}` succeeded but gave nothing"
        raise StepError(Problem("no-output", message, hint="look at the task on the RunningHub site"))
    return Outputs(tuple(files), tuple(texts))


def _name(call: StepCall, at: int, of: int) -> str:
    return call.node if of == 1 else f"{call.node}-{at + 1}"
