"""The one paid request: what is on disk before and after it, also when somebody leaves while it is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rhflow.core.errors import Problem, RefusedError, RhflowError, StoreError, UnknownOutcomeError
from rhflow.runninghub.operations.orders import Order
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.wire.errors import SubmitFailed, SubmitVerdict
from rhflow.runninghub.wire.states import Submitted
from rhflow.steps import submit as module
from rhflow.steps.submit import submit


class Turn:
    async def take(self, on_wait: Callable[[], Awaitable[None]]) -> None:
        pass

    def accepted(self, task_id: str) -> None:
        pass

    def refused(self, asked: float | None) -> float:
        return 0.0

    def give_back(self) -> None:
        pass


@dataclass
class World:
    """A service that answers as told, when it is let, and a journal that may be full."""

    answers: list[Submitted | SubmitFailed]
    full: frozenset[str] = frozenset()
    open: asyncio.Event = field(default_factory=asyncio.Event)
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    log: list[str] = field(default_factory=list)

    async def submit(self, endpoint: str, payload: Any) -> Submitted:
        self.log.append("POST")
        self.sent.set()
        await self.open.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, SubmitFailed):
            raise answer
        return answer

    async def report(self, type: str, data: dict[str, Any], *, durable: bool = False) -> None:
        if type in self.full:
            raise StoreError(Problem("store-full", "the disk is full"))
        self.log.append(f"{type} {data.get('outcome') or data.get('task_id') or ''}".strip() + ("!" if durable else ""))

    async def on_its_way(self) -> asyncio.Task[str]:
        """Return a call whose request has left, or which ended before it could."""
        call, left = asyncio.create_task(self.call()), asyncio.create_task(self.sent.wait())
        await asyncio.wait([call, left], return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        return call

    async def call(self) -> str:
        async def prepare() -> Order:
            return Order("an/endpoint", {})

        async def sleep(_: float) -> None:
            pass

        tools = SimpleNamespace(
            hub=self,
            slots=SimpleNamespace(turn=lambda _: Turn()),
            site="here",
            webhook=None,
            clock=Clock(sleep=sleep),
            vault=SimpleNamespace(forget_unread=lambda *_: None),
        )
        call = SimpleNamespace(key="k", inputs={})
        return await submit(cast(Any, call), prepare, self.report, cast(Any, tools))


def failed(verdict: SubmitVerdict, error: type[RhflowError] = RefusedError) -> SubmitFailed:
    return SubmitFailed(verdict, error(Problem("no", "no")))


ACCEPTED = Submitted("t1", "QUEUED", (), raw={})


async def test_the_order_is_the_promise() -> None:
    world = World([ACCEPTED])
    world.open.set()
    assert await world.call() == "t1"
    assert world.log == ["submit.intent!", "POST", "submit.accepted t1!"]


async def test_what_was_surely_not_accepted_is_settled_before_it_is_sent_again() -> None:
    world = World([failed("not_sent"), failed("busy"), failed("refused")])
    world.open.set()
    with pytest.raises(RefusedError):
        await world.call()
    told = [each for each in world.log if not each.startswith("task.status")]
    once = ["submit.intent!", "POST"]
    assert told == [
        *once, "submit.settled not-sent!", *once, "submit.settled refused!", *once, "submit.settled refused!",
    ]  # fmt: skip


async def test_what_may_have_been_accepted_stays_open() -> None:
    world = World([failed("maybe_sent", UnknownOutcomeError)])
    world.open.set()
    with pytest.raises(UnknownOutcomeError):
        await world.call()
    assert world.log == ["submit.intent!", "POST"]


async def test_who_leaves_waits_for_a_reply_that_is_on_its_way() -> None:
    world = World([ACCEPTED])
    task = await world.on_its_way()
    task.cancel()
    await asyncio.sleep(0)
    world.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.log == ["submit.intent!", "POST", "submit.accepted t1!"]


async def test_who_leaves_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE", 0.01)
    world = World([ACCEPTED])
    task = await world.on_its_way()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.log == ["submit.intent!", "POST"], "its outcome is unknown, and the store says so"


async def test_a_refusal_that_meets_somebody_who_leaves_is_noted_too() -> None:
    world = World([failed("refused")])
    task = await world.on_its_way()
    task.cancel()
    await asyncio.sleep(0)
    world.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.log == ["submit.intent!", "POST", "submit.settled refused!"]


async def test_a_task_that_cannot_be_noted_is_told_of() -> None:
    world = World([ACCEPTED], full=frozenset({"submit.accepted"}))
    world.open.set()
    with pytest.raises(UnknownOutcomeError, match="task `t1` was accepted, but that cannot be noted: the disk is full"):
        await world.call()


async def test_nothing_is_sent_when_the_intent_cannot_be_noted() -> None:
    world = World([ACCEPTED], full=frozenset({"submit.intent"}))
    world.open.set()
    with pytest.raises(StoreError):
        await world.call()
    assert world.log == []
