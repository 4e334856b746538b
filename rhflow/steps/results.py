"""From a task at the service to files and texts in the store.

A step that made the task and a later look for its result, when the step is long forgotten, do the same here.
"""

from __future__ import annotations

from rhflow.core.errors import Problem, StepError, UnknownOutcomeError
from rhflow.core.values import Artifact, Outputs
from rhflow.runninghub.waiting.poller import OnState
from rhflow.runninghub.wire.states import TaskState
from rhflow.steps.context import Tools

_NO_SUCH_TASK = frozenset({"api-1004", "api-807", "api-423"})
_NO_SUCH_FILE = "result-gone"


class GoneError(UnknownOutcomeError):
    """A call that was accepted, but whose task or files the service does not have any more, or not for this key."""


async def look(task_id: str, tools: Tools) -> TaskState | None:
    """Return a task as it is now, None when the service knows none by that id. Raises RhflowError."""
    try:
        return await tools.hub.query(task_id)
    except StepError as error:
        if error.problems[0].code in _NO_SUCH_TASK:
            return None
        raise


async def watch(
    task_id: str, tools: Tools, *, expected: float, age: float = 0.0, on_state: OnState | None = None
) -> TaskState:
    """Return the final state of a task that takes about ``expected`` s and is ``age`` s old. Raises GoneError."""
    try:
        return await tools.poller.watch(task_id, expected_seconds=expected, on_state=on_state, age_seconds=age)
    except StepError as error:
        if error.problems[0].code in _NO_SUCH_TASK:
            raise _gone_task(task_id) from error
        raise


async def bring_home(state: TaskState, name: str, tools: Tools) -> Outputs:
    """Fetch every file of a task that succeeded, called ``name``, and take every text, in the order of the reply.

    Links that have died are asked for again, once. Raises GoneError when a file is not there any more, StepError when
    it cannot be had now.
    """
    try:
        return await _fetch(state, name, tools)
    except StepError as error:
        if error.problems[0].code != _NO_SUCH_FILE:
            raise
    renewed = await look(state.task_id, tools)
    if renewed is None:
        raise _gone_task(state.task_id)
    try:
        return await _fetch(renewed, name, tools)
    except StepError as error:
        raise (_gone_file(state.task_id) if error.problems[0].code == _NO_SUCH_FILE else error) from error


async def _fetch(state: TaskState, name: str, tools: Tools) -> Outputs:
    files: list[Artifact] = []
    texts: list[str] = []
    nodes: tuple[list[str], list[str]] = ([], [])
    linked = sum(1 for each in state.results if each.url)
    for each in state.results:
        if each.url:
            label = name if linked == 1 else f"{name}-{len(files) + 1}"
            files.append(await tools.vault.fetch(each.url, label, each.output_type))
            nodes[0].append(each.node_id or "")
        elif each.text is not None:
            texts.append(each.text)
            nodes[1].append(each.node_id or "")
    if not files and not texts:
        message = f"task `{state.task_id}` succeeded but gave nothing"
        hint = "look at the task on the RunningHub site; of a workflow only nodes that save give anything"
        raise StepError(Problem("no-output", message, hint=hint))
    made_by = (*nodes[0], *nodes[1])
    return Outputs(tuple(files), tuple(texts), made_by if any(made_by) else ())


_PAY_AGAIN = "`rhflow resume --unknown=resubmit` pays for a new one"


def _gone_task(task_id: str) -> GoneError:
    hint = f"check that key and site are those it was sent with, and look for it there; {_PAY_AGAIN}"
    return GoneError(Problem("task-gone", f"the service does not know task `{task_id}` any more", hint=hint))


def _gone_file(task_id: str) -> GoneError:
    hint = f"look for it on the RunningHub site; {_PAY_AGAIN}"
    return GoneError(Problem("task-gone", f"task `{task_id}` succeeded, but its result is no longer there", hint=hint))
