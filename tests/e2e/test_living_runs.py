"""Runs that live, die, or are told to stop: what becomes of them and of their tasks."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.case import Simulator, finished
from tests.e2e.desk import PAIR, Desk, pytestmark, says, wait_until  # noqa: F401 -- the mark says where it works
from tests.e2e.test_over_a_socket import SLOW


@pytest.fixture(scope="module")
def still_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with closing(Simulator(tmp_path_factory.mktemp("still"), "--speed", "0.1")) as server:
        yield server


@pytest.fixture
def still(tmp_path: Path, still_server: Simulator) -> Desk:
    """A simulator on which no task ends while a test looks on."""
    desk = Desk(tmp_path, still_server)
    desk.recipe(SLOW)
    return desk


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with closing(Simulator(tmp_path_factory.mktemp("slow"), "--speed", "2")) as server:
        yield server


@pytest.fixture
def slow(tmp_path: Path, slow_server: Simulator) -> Desk:
    """A simulator on which a task takes a few seconds."""
    slow_server.reset()
    desk = Desk(tmp_path, slow_server)
    desk.recipe(PAIR)
    return desk


def status_of(desk: Desk) -> str:
    (only,) = desk.run("runs", "--json").document
    return str(only["status"])


def cancelled(desk: Desk) -> int:
    return int(desk.simulator.stats()["tasks"]["CANCEL"])


def test_a_run_that_is_told_to_finish_waits_for_what_is_paid(slow: Desk) -> None:
    run = slow.started("-j", "1")
    says(slow.run("cancel"), 0, "starts nothing more and waits for what is paid")
    finished(run).exit(130).says("still  succeeded  new", "large  not-run")
    assert slow.simulator.stats()["submits"] == 1
    says(slow.run("cancel"), 2, "is not running: it ended, interrupted", "rhflow resume")


def test_who_waits_for_the_call_of_a_process_that_dies_takes_it_over(slow: Desk) -> None:
    first = slow.started("--until", "still")
    second = slow.case.start("run", "recipe.yaml", "--until", "still")
    wait_until(lambda: len(slow.run("runs", "--json").document) == 2)
    first.kill()
    first.communicate()
    finished(second).exit(0).says("still: going on with its task")
    assert slow.simulator.stats()["submits"] == 1


def test_a_run_is_running_while_it_lives(still: Desk) -> None:
    run = still.started()
    assert status_of(still) == "running"
    says(still.run("resume"), 2, "is running", "rhflow cancel")
    run.kill()
    run.communicate()
    assert status_of(still) == "died"
    says(still.run("show"), 0, "still  open", "rhflow resume")


def test_a_run_told_twice_leaves_at_once_and_its_task_can_be_cancelled(still: Desk) -> None:
    run, before = still.started(), cancelled(still)
    says(still.run("cancel"), 0)
    says(still.run("cancel"), 0, "leaves now")
    finished(run).exit(130)
    says(still.run("show"), 0, "still  open", "rhflow cancel")
    says(still.run("cancel", "--remote"), 0, "still (task ", "cancelled", "look at the bill")
    assert cancelled(still) == before + 1
    says(still.run("cancel", "--remote"), 2, "is not running")


def test_a_living_run_and_its_tasks_are_cancelled_together(still: Desk) -> None:
    run, before = still.started(), cancelled(still)
    says(still.run("cancel", "--remote"), 0, "still (task ", "cancelled")
    finished(run).exit(130)
    assert cancelled(still) == before + 1


def test_sigterm_leaves_at_once(still: Desk) -> None:
    run = still.started()
    run.send_signal(signal.SIGTERM)
    finished(run).exit(130).says("rhflow resume")
    says(still.run("show"), 0, "still  open")
