"""Callbacks in the store: which task a call became when no reply has told of it."""

from __future__ import annotations

from pathlib import Path

from rhflow.core.events import Event
from rhflow.steps.submit import call_name
from rhflow.store.store import Store


def test_a_callback_tells_the_task_of_its_call_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": "abc", "endpoint": "e"})).result()
        store.callbacks.keep("abc", "11", at=50.0).result()
        store.callbacks.keep("abc", "12", at=200.0).result()
        store.callbacks.keep("abc", "12", at=230.0).result()
        assert store.callbacks.tasks_of("abc", since=100.0) == ["12"]
        assert store.callbacks.tasks_of("abc", since=0.0) == ["11", "12"]
        assert store.callbacks.tasks_of("abc", since=300.0) == []
        assert store.callbacks.tasks_of("other", since=0.0) == []
        store.callbacks.keep("nobodys", "13", at=50.0).result()
        assert store.callbacks.tasks_of("nobodys", since=0.0) == []


def test_a_late_callback_of_a_task_that_is_known_says_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        accepted = {"key": "k", "task_id": "11"}
        store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": "k", "endpoint": "e"}), durable=True)
        store.journal.record(Event("r1", 11.0, "submit.accepted", "draw", accepted), durable=True).result()
        store.callbacks.keep("k", "11", at=200.0).result()
        assert store.callbacks.tasks_of("k", since=100.0) == []
        store.callbacks.keep("k", "12", at=201.0).result()
        assert store.callbacks.tasks_of("k", since=100.0) == ["12"]


def test_what_was_called_back_of_calls_that_are_open(tmp_path: Path) -> None:
    key, other = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    with Store.open(tmp_path) as store:
        for each, task in ((key, "11"), (other, "21")):
            store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": each, "endpoint": "e"}))
            store.journal.record(Event("r1", 11.0, "submit.accepted", "draw", {"key": each, "task_id": task})).result()
        seen = store.callbacks.version()
        assert store.callbacks.version() == seen
        assert store.callbacks.of_open_calls() == set()
        store.callbacks.keep(call_name(key), "11", at=20.0)
        store.callbacks.keep(call_name(key), "666", at=21.0)  # not the task that this call became
        store.callbacks.keep(call_name("?" * 64), "21", at=22.0).result()
        assert store.callbacks.version() != seen
        assert store.callbacks.of_open_calls() == {("11", 20.0)}
        settled = Event("r1", 30.0, "submit.settled", "draw", {"key": key, "outcome": "succeeded"})
        store.journal.record(settled).result()
        assert store.callbacks.of_open_calls() == set()
