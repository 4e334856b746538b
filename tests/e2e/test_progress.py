"""A graph's progress socket: shown on a terminal as it goes, and its end ends the waiting."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from rhflow.store.store import Store
from tests.e2e.case import KEY, Case, Simulator

RECIPE = """\
rhflow: 1
steps:
  draw: {uses: comfyui, with: {workflow: 1900000000000000101, nodes: {5.width: 128, 5.height: 128}}}
"""


@pytest.fixture
def server(case: Case) -> Iterator[Simulator]:
    simulator = Simulator(case.folder, "--speed", "40")
    yield simulator
    simulator.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no such terminals here")
def test_progress_is_shown_and_its_end_ends_the_waiting(case: Case, server: Simulator) -> None:
    case.env = {"RUNNINGHUB_BASE_URL": server.url, "RUNNINGHUB_API_KEY": KEY}
    with Store.open(case.folder / "store") as store:  # by what was learnt, nobody would ask for an hour
        store.typical.keep("simulated", "workflow 1900000000000000101", seconds=288_000.0, seen=9).result()
    from tests.e2e.terminal import run_on_terminal

    done = run_on_terminal(case.recipe(RECIPE), "run", "recipe.yaml").exit(0)
    assert re.search(r"running, node \d \(\w+\)(?: \d+ %)?, \d of 7 nodes done", done.err), done.err
    assert server.stats()["queries"] <= 4  # where it tells its progress, and then how it ended
    with Store.open(case.folder / "store") as store:
        (run,) = store.journal.runs()
        facts = repr(store.journal.events(run.id))
    assert "task.progress" not in facts
    assert "c_instance" not in facts + done.err + done.out
