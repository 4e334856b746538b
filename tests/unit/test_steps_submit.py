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
from rhflow.steps.submit import Sent, submit
from rhflow.store.submissions import Submission


@dataclass
class Turn:
    log: list[str]

    async def take(self, on_wait: Callable[[], Awaitable[None]]) -> None:
        pass

    def accepted(self, task_id: str) -> None:
        self.log.append(f"a place for {task_id}")

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
    told_back: str | None = None
    tells: bool = True
    listened: bool = True
    waited: list[float] = field(default_factory=list)
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
        told = data.get("outcome") or data.get("task_id") or (data["status"] if type == "task.status" else "")
        self.log.append(f"{type} {told}".strip() + ("!" if durable else ""))

    async def wait_for_task(self, call: Any, *, seconds: float, on_wait: Callable[[], Awaitable[None]]) -> str | None:
        self.waited.append(seconds)
        if self.listened:
            await on_wait()
        return self.told_back

    async def on_its_way(self) -> asyncio.Task[Sent]:
        """Return a call whose request has left, or which ended before it could."""
        call, left = asyncio.create_task(self.call()), asyncio.create_task(self.sent.wait())
        await asyncio.wait([call, left], return_when=asyncio.FIRST_COMPLETED)
        left.cancel()
        return call

    async def call(self) -> Sent:
        async def prepare() -> Order:
            return Order("an/endpoint", {}, self.tells)

        async def sleep(_: float) -> None:
            pass

        tools = SimpleNamespace(
            hub=self,
            slots=SimpleNamespace(turn=lambda _: Turn(self.log)),
            site="here",
            webhook=None,
            wait_for_task=self.wait_for_task,
            open_task=lambda _: Submission("k", "r1", "draw", "e", "intent", None, 60.0, None, "here"),
            expected=lambda _, usual: usual,
            now=lambda: 100.0,
            clock=Clock(sleep=sleep),
            vault=SimpleNamespace(forget_unread=lambda *_: None),
        )
        kind = SimpleNamespace(typical_seconds=8.0)
        call = SimpleNamespace(key="k", inputs={}, model=None, subject="m", kind=kind, timeout=600.0)
        return await submit(cast(Any, call), prepare, self.report, cast(Any, tools))


def failed(verdict: SubmitVerdict, error: type[RhflowError] = RefusedError) -> SubmitFailed:
    return SubmitFailed(verdict, error(Problem("no", "no")))


ACCEPTED = Submitted("t1", "QUEUED", (), raw={})


async def test_the_order_is_the_promise() -> None:
    world = World([ACCEPTED])
    world.open.set()
    assert await world.call() == Sent("t1")
    assert world.log == ["submit.intent!", "POST", "submit.accepted t1!", "a place for t1"]


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
    assert world.log == ["submit.intent!", "POST", "task.status UNANSWERED"]
    assert world.waited == [60 + 3 * 8]


async def test_a_callback_makes_up_for_a_reply_that_was_lost() -> None:
    world = World([failed("maybe_sent", UnknownOutcomeError)], told_back="t9")
    world.open.set()
    assert await world.call() == Sent("t9", age=40.0)
    assert world.log[2:] == ["task.status UNANSWERED", "submit.accepted t9!", "a place for t9"]


@pytest.mark.parametrize("verdict", ["maybe_sent", "refused"])
async def test_a_call_that_is_not_told_of_or_was_refused_waits_for_no_callback(verdict: SubmitVerdict) -> None:
    world = World([failed(verdict, UnknownOutcomeError)], told_back="t9", tells=verdict == "refused")
    world.open.set()
    with pytest.raises(UnknownOutcomeError):
        await world.call()
    assert world.waited == []


@pytest.mark.parametrize(
    ("reply", "socket"),
    [
        ({"data": {"taskId": "t1", "netWssUrl": "wss://h/ws?Rh-Comfy-Auth=secret"}}, "wss://h/ws?Rh-Comfy-Auth=secret"),
        ({"data": {"taskId": "t1", "netWssUrl": None}}, None),
        ({"data": {"taskId": "t1", "netWssUrl": "https://h/ws"}}, None),
    ],
)
async def test_a_reply_may_tell_where_the_task_tells_its_progress(reply: Any, socket: str | None) -> None:
    world = World([Submitted("t1", "RUNNING", (), raw=reply)])
    world.open.set()
    sent = await world.call()
    assert sent.socket == socket
    assert "secret" not in repr(sent) + repr(world.log)


async def test_who_leaves_waits_for_a_reply_that_is_on_its_way() -> None:
    world = World([ACCEPTED])
    task = await world.on_its_way()
    task.cancel()
    await asyncio.sleep(0)
    world.open.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.log == ["submit.intent!", "POST", "submit.accepted t1!", "a place for t1"]


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
