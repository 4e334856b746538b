"""What earlier runs left open at the service: brought into the store, with or without their recipe, or cancelled.

A call that was paid for is open until its result can be found again. A step of the present recipe takes its own open
call up by itself; what is left over is here: of steps that were edited since, or of runs that are never repeated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from rhflow.app.account.open_calls import realm_of
from rhflow.app.report import Leftover, Outcome
from rhflow.core.errors import RhflowError
from rhflow.core.events import Event, EventType
from rhflow.core.plan.calls import StepResult
from rhflow.engine.outcome import facts_of
from rhflow.runninghub.wire.states import TaskState
from rhflow.steps.context import Tools
from rhflow.steps.kinds import all_kinds
from rhflow.steps.results import GoneError, bring_home, look, watch
from rhflow.store.store import Store
from rhflow.store.submissions import Submission


async def collect(store: Store, tools: Tools, calls: Sequence[Submission], *, wait: bool) -> list[Leftover]:
    """Bring the results of open calls into the store and return what became of each.

    ``wait``: until every task has ended; else each is looked at once. Nothing is sent that costs.
    """
    found = await asyncio.gather(*(Collector(store, tools, each).collect(wait=wait) for each in calls))
    return [each for each in found if each is not None]


async def lose(store: Store, calls: Sequence[Submission]) -> list[Leftover]:
    """Settle calls whose simulator is no more, and their tasks with it: nobody paid for them."""
    for each in calls:
        event = Event(each.run, time.time(), "submit.settled", each.node, {"key": each.key, "outcome": "lost"})
        await asyncio.wrap_future(store.journal.record(event))
    return [Leftover(each.run, each.node or "", "lost", each.task_id) for each in calls]


class Collector:
    """Sees to one open call."""

    def __init__(self, store: Store, tools: Tools, call: Submission) -> None:
        self._store, self._tools, self._call = store, tools, call

    async def collect(self, *, wait: bool) -> Leftover | None:
        """Return what became of the call; None when another process sees to it, or has."""
        return await self._alone(partial(self._see_to_it, wait=wait))

    async def cancel(self) -> Leftover | None:
        """Cancel the task of the call, or keep its result when it has one; returns as ``collect`` does."""
        return await self._alone(self._cancel)

    async def _alone(self, work: Callable[[], Awaitable[Leftover | None]]) -> Leftover | None:
        """Do ``work`` while nobody else sees to the call, if it still is open."""
        key = self._call.key
        if not self._store.locks.try_acquire(key):
            return None
        try:
            now = self._store.journal.open_submissions([key]).get(key)
            if now is None:
                return None
            self._call = now  # somebody may have come further with it, and died as well
            return await work()
        except GoneError as error:
            return await self._give_up("gone", str(error))
        except RhflowError as error:
            return self._told("under-way", str(error))
        finally:
            self._store.locks.release(key)

    async def _see_to_it(self, *, wait: bool) -> Leftover | None:
        call, tools = self._call, self._tools
        kept = self._store.index.entries([call.key]).get(call.key)
        if kept is not None and kept.task_id == call.task_id is not None:  # only the note that it was kept got lost
            await self._settle("succeeded")
            return None
        realm, elsewhere = tools.hub.connection.realm, call.site not in (None, tools.site)
        if realm_of(call) == realm == "simulated" and (elsewhere or tools.forgetful):
            await self._settle("lost")  # the simulator that it ran on is no more
            return self._told("lost")
        if elsewhere or realm_of(call) != realm:
            return self._told("elsewhere", f"it was sent to `{call.site}`")
        task_id = call.task_id or await self._found()
        if task_id is None:
            return await self._give_up("unknown", "no reply tells whether it was accepted")
        state = await look(task_id, tools)
        if wait and (state is None or not state.ended):
            state = await watch(task_id, tools, expected=self._expected(), age=self._age())
        if state is None:
            return await self._give_up("gone", f"the service does not know task `{task_id}` any more")
        return await self._keep(state) if state.ended else self._told("under-way")

    async def _found(self) -> str | None:
        """Return what a call became whose reply was lost, where that can be told; from then on it is known."""
        find = self._tools.find_task
        task_id = None if find is None else await find(self._call)
        if task_id is not None:
            await self._note("submit.accepted", {"task_id": task_id})
            self._call = replace(self._call, task_id=task_id)
        return task_id

    async def _cancel(self) -> Leftover | None:
        looked = await self._see_to_it(wait=False)
        task_id = self._call.task_id
        if looked is None or looked.outcome != "under-way" or task_id is None:
            return looked
        await self._tools.hub.cancel(task_id)
        state = await look(task_id, self._tools)
        if state is not None and state.status == "SUCCESS":
            return await self._keep(state)
        if state is not None and not state.ended:
            return self._told("under-way", "the service has taken the cancellation, but the task is not at its end yet")
        await self._settle("cancelled")
        return self._told("cancelled")

    async def _keep(self, state: TaskState) -> Leftover:
        """Take what a task came to."""
        if (failure := state.failure()) is not None:
            await self._settle("failed")
            return self._told("failed", str(failure))
        call, told = self._call, dict(self._call.call or {})
        outputs = await bring_home(state, call.node or "result", self._tools)
        result = StepResult(outputs, self._age(), state.usage.cost if state.usage else None, state.task_id)
        entry = result.entry(
            call.key, ingredients=told.get("ingredients", {}), model=told.get("model"), created=time.time()
        )
        await asyncio.wrap_future(self._store.index.put(entry))
        await self._settle("succeeded")
        await self._note("node.finished", facts_of(entry, told.get("label")))
        return self._told("fetched", files=[each.path or "" for each in outputs.files])

    async def _give_up(self, outcome: Outcome, why: str) -> Leftover:
        """Leave a call open whose result nobody can get, unless the user is done with it, and no step asks for it."""
        if self._tools.on_unknown != "resubmit":
            return self._told(outcome, why)
        await self._settle("abandoned")
        return self._told("given-up", why)

    async def _settle(self, outcome: str) -> None:
        await self._note("submit.settled", {"outcome": outcome})

    async def _note(self, type: EventType, data: dict[str, Any]) -> None:
        """Record a fact in the run that made the call: it is that run's."""
        event = Event(self._call.run, time.time(), type, self._call.node, {"key": self._call.key} | data)
        await asyncio.wrap_future(self._store.journal.record(event, durable=True))

    def _told(self, outcome: Outcome, why: str = "", *, files: Sequence[str] = ()) -> Leftover:
        call = self._call
        return Leftover(call.run, call.node or "", outcome, call.task_id, why, tuple(files))

    def _age(self) -> float:
        return max(0.0, self._tools.now() - self._call.at)

    def _expected(self) -> float:
        told = self._call.call or {}
        kind = all_kinds().get(str(told.get("kind")))
        return self._tools.expected(str(told.get("model")), kind.typical_seconds if kind is not None else 30.0)
