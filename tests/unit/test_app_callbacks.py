"""A run and a listener on one store: a callback ends the waiting, and tells what a call in doubt became."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from rhflow.app.account.callbacks import find, heeding, is_listened, wait_for
from rhflow.core.errors import Problem, StepError
from rhflow.core.events import Event
from rhflow.runninghub.waiting.poller import Poller
from rhflow.runninghub.wire.states import TaskState
from rhflow.steps.submit import call_name
from rhflow.store.callbacks import LISTENER
from rhflow.store.locks import KeyLocks
from rhflow.store.store import Store
from rhflow.store.submissions import Submission

KEY = "0123456789abcdef" * 4
IN_DOUBT = Submission(KEY, "r1", "draw", "e", "intent", None, 10.0, None, "here")
FOR_EVER = 1e9


def accept(store: Store, key: str, task: str) -> None:
    store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": key, "endpoint": "e"}))
    store.journal.record(Event("r1", 11.0, "submit.accepted", "draw", {"key": key, "task_id": task})).result()


async def test_a_callback_ends_the_waiting_for_its_task_alone(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    async def query(task_id: str) -> TaskState:
        asked[task_id] += 1
        return TaskState(task_id, "SUCCESS")

    poller = Poller(query)
    with Store.open(tmp_path) as store:
        accept(store, KEY, "1")
        accept(store, "f" * 64, "2")
        # This one comes before anybody waits, and is heeded all the same.
        store.callbacks.keep(call_name(KEY), "1", at=20.0).result()
        async with heeding(store, poller, every=0.001):
            others = asyncio.create_task(poller.watch("2", expected_seconds=FOR_EVER))
            await poller.watch("1", expected_seconds=FOR_EVER)
            assert asked == {"1": 1}
            store.callbacks.keep(call_name("f" * 64), "2", at=30.0)
            assert (await others).status == "SUCCESS"
    assert asked == {"1": 1, "2": 1}


async def test_a_callback_is_heeded_once_and_a_second_one_again(tmp_path: Path) -> None:
    hurried: list[str] = []
    looks = asyncio.Semaphore(0)

    class Waiting(Poller):
        @property
        def watching(self) -> bool:
            looks.release()
            return True

        def hurry(self, task_id: str) -> bool:
            hurried.append(task_id)
            return True

    async def never(task_id: str) -> TaskState:
        raise AssertionError(task_id)

    async def some_looks() -> None:
        for _ in range(looks._value + 4):
            await looks.acquire()

    with Store.open(tmp_path) as store:
        accept(store, KEY, "1")
        async with heeding(store, Waiting(never), every=0.001):
            for count in (1, 2):
                store.callbacks.keep(call_name(KEY), "1", at=20.0 + count).result()
                await some_looks()
                assert hurried == ["1"] * count


async def test_a_call_in_doubt_is_settled_by_a_callback_about_a_task_that_the_service_knows(tmp_path: Path) -> None:
    waited: list[str] = []

    async def on_wait() -> None:
        waited.append("waits")
        store.callbacks.keep(call_name(KEY), "666", at=11.0)
        store.callbacks.keep(call_name(KEY), "7", at=12.0)

    async def known(task_id: str) -> bool:
        if len(waited) < 3:
            waited.append("asks")
            raise StepError(Problem("api-unreachable", "no answer"))
        return task_id == "7"

    with Store.open(tmp_path) as store:
        store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": KEY, "endpoint": "e"})).result()
        store.locks.try_acquire(LISTENER)
        found = await wait_for(store, IN_DOUBT, known=known, seconds=FOR_EVER, on_wait=on_wait, every=0.001)
        assert found == "7"
        assert waited == ["waits", "asks", "asks"]
        assert await find(store, IN_DOUBT, known=known) == "7"


@pytest.mark.parametrize("listened", [False, True])
async def test_nobody_waits_without_a_listener_or_for_ever(listened: bool, tmp_path: Path) -> None:
    waits = 0

    async def on_wait() -> None:
        nonlocal waits
        waits += 1

    async def known(task_id: str) -> bool:
        raise AssertionError(task_id)

    with Store.open(tmp_path) as store, KeyLocks(tmp_path / "locks") as listener:
        assert not is_listened(store)
        if listened:
            listener.try_acquire(LISTENER)
        assert is_listened(store) == listened
        seconds = 0.01 if listened else FOR_EVER
        assert await wait_for(store, IN_DOUBT, known=known, seconds=seconds, on_wait=on_wait, every=0.001) is None
        assert waits == listened
