"""Many runs on one account: together they never have more tasks than it may, also when one is killed or stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.case import Case, Simulator, finished
from tests.e2e.forks import Process

TEXTS = """
rhflow: 1
name: texts
params: {tag: {type: string}, takes: {type: integer, default: 5}}
steps:
  s: {uses: text-to-text, foreach: "${{ range(params.takes) | list }}", with: {prompt: "${{ params.tag }} ${{ item }}"}}
"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path).recipe(TEXTS)


@pytest.fixture
def simulator(case: Case, request: pytest.FixtureRequest) -> Iterator[Simulator]:
    with closing(Simulator(case.folder, *request.param)) as found:
        case.env["RUNNINGHUB_BASE_URL"] = found.url
        yield found


def started(case: Case, tag: str, *more: str) -> Process:
    return case.start("run", "recipe.yaml", "-p", f"tag={tag}", *more)


def until_accepted(simulator: Simulator, count: int, run: Process) -> None:
    """Wait until so many tasks of a run were accepted."""
    while simulator.stats()["accepted"] < count:
        assert run.poll() is None, finished(run)
        time.sleep(0.02)


@pytest.mark.parametrize("simulator", [("--limit", "3", "--speed", "20")], indirect=True)
def test_processes_share_the_limit_of_the_account(case: Case, simulator: Simulator) -> None:
    runs = [started(case, tag) for tag in "abc"]
    for run in runs:
        finished(run).exit(0)
    stats = simulator.stats()
    assert (stats["accepted"], stats["refused"], stats["peak_concurrency"]) == (15, 0, 3)


@pytest.mark.parametrize("simulator", [("--limit", "2", "--speed", "4")], indirect=True)
def test_tasks_of_a_killed_process_keep_their_places(case: Case, simulator: Simulator) -> None:
    first = started(case, "a", "-p", "takes=2")
    assert first.stderr is not None
    said = ""
    while said.count("accepted as task") < 2:
        said += (line := first.stderr.readline())
        assert line, said
    first.kill()
    first.communicate()
    finished(started(case, "b", "-p", "takes=2")).exit(0)
    stats = simulator.stats()
    assert (stats["refused"], stats["peak_concurrency"]) == (0, 2)


@pytest.mark.parametrize("simulator", [("--limit", "1", "--speed", "0.2")], indirect=True)
def test_a_run_that_waits_for_a_place_says_so_and_can_be_stopped(case: Case, simulator: Simulator) -> None:
    holder = started(case, "a")
    until_accepted(simulator, 1, holder)
    waiting = started(case, "b")
    assert waiting.stderr is not None
    said = ""
    while "waiting for a place" not in said:
        said += (line := waiting.stderr.readline())
        assert line, said
    waiting.send_signal(signal.SIGINT)
    finished(waiting).exit(130).says("interrupted")
    holder.kill()
    holder.communicate()
    assert simulator.stats()["submits"] == 1
