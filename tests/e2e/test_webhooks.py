"""A listener for callbacks: they end the waiting of a run that lives, and tell what a lost reply became."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import httpx
import pytest

from rhflow.store.store import Store
from tests.e2e.case import KEY, Case, Simulator, finished
from tests.e2e.forks import Process

RECIPE = """\
rhflow: 1
steps:
  draw: {uses: comfyui, with: {workflow: 1900000000000000101, nodes: {5.width: 128, 5.height: 128}}}
"""
LOST = """\
faults: 1
rules:
  - {fault: drop, on: submit, when: after, at: 1}
  - {fault: repeat-webhook}
"""
WAITS = "draw: no reply came: waiting for its callback"


@pytest.fixture
def server(case: Case) -> Iterator[Simulator]:
    (case.folder / "plan.yml").write_text(LOST, encoding="utf-8")
    simulator = Simulator(case.folder, "--speed", "60", "--faults", str(case.folder / "plan.yml"))
    yield simulator
    simulator.close()


def listen(case: Case, simulator: Simulator) -> tuple[Process, str]:
    """Start a listener, and have runs called back there; returns it and its address."""
    listening = case.start("webhook", "listen", "--port", "0")
    assert listening.stdout is not None
    url = listening.stdout.readline().split()[-1]
    case.env = {
        "RUNNINGHUB_BASE_URL": simulator.url,
        "RUNNINGHUB_API_KEY": KEY,
        "RHFLOW_WEBHOOK": f"{url}/hook?mine=1",
    }
    return listening, url


def heard(listening: Process) -> str:
    """Return the task of the next callback, which tells of a success."""
    assert listening.stdout is not None
    told = listening.stdout.readline()
    assert told.startswith("task ") and told.endswith(": success\n"), told
    return told.split()[1].rstrip(":")


def stopped(listening: Process) -> str:
    """End a listener as a user would and return what else it said."""
    listening.send_signal(signal.SIGINT)
    return finished(listening).exit(0).out


def test_a_callback_ends_the_waiting(case: Case, simulator: Simulator) -> None:
    listening, _ = listen(case, simulator)
    with Store.open(case.folder / "store") as store:  # by what was learnt, nobody would ask for half an hour
        store.typical.keep("simulated", "workflow 1900000000000000101", seconds=720_000.0, seen=9).result()
    case.recipe(RECIPE).run("run", "recipe.yaml").exit(0)
    assert simulator.stats()["queries"] == 1
    heard(listening)
    stopped(listening)


def test_a_lost_reply_is_made_up_for_while_the_run_lives(case: Case, server: Simulator) -> None:
    listening, url = listen(case, server)
    done = case.recipe(RECIPE).run("run", "recipe.yaml", "--json").exit(0).says(WAITS)
    task = heard(listening)
    with Store.open(case.folder / "store") as store:
        events = store.journal.events(done.document["run"])
        assert [each.data["task_id"] for each in events if each.type == "submit.accepted"] == [task]
        assert store.journal.open_submissions() == {}
    assert done.document["requests"]["submit"] == server.stats()["accepted"] == 1
    assert "not a callback" in httpx.post(url, json={"hello": 1}).text
    assert "names no call" not in stopped(listening)


def test_a_lost_reply_is_made_up_for_when_it_is_taken_up_again(case: Case, server: Simulator) -> None:
    listening, _ = listen(case, server)
    running = case.recipe(RECIPE).start("run", "recipe.yaml")
    assert running.stderr is not None
    while (line := running.stderr.readline().strip()) != WAITS:
        assert line
    running.send_signal(signal.SIGTERM)
    finished(running).exit(130)
    task = heard(listening)
    done = case.run("resume", "--json").exit(0)
    assert [each["task_id"] for each in case.run("show", "--json").document["nodes"]] == [task]
    assert (done.document["requests"]["submit"], server.stats()["accepted"]) == (0, 1)
    stopped(listening)
