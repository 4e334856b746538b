"""Callbacks in the store: which task a call became when no reply has told of it."""

from __future__ import annotations

from pathlib import Path

from rhflow.core.events import Event
from rhflow.store.store import Store


def test_a_callback_tells_the_task_of_its_call_alone(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.callbacks.keep("abc", "11", "{}", at=50.0).result()
        store.callbacks.keep("abc", "12", "{}", at=200.0).result()
        store.callbacks.keep("abc", "12", "{}", at=230.0).result()
        assert store.callbacks.task_of("abc", since=100.0) == "12"
        assert store.callbacks.task_of("abc", since=300.0) is None
        assert store.callbacks.task_of("other", since=0.0) is None


def test_a_late_callback_of_a_task_that_is_known_says_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        accepted = {"key": "k", "task_id": "11"}
        store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": "k", "endpoint": "e"}), durable=True)
        store.journal.record(Event("r1", 11.0, "submit.accepted", "draw", accepted), durable=True).result()
        store.callbacks.keep("k", "11", "{}", at=200.0).result()
        assert store.callbacks.task_of("k", since=100.0) is None
        store.callbacks.keep("k", "12", "{}", at=201.0).result()
        assert store.callbacks.task_of("k", since=100.0) == "12"
