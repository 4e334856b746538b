"""A listener for callbacks, and a call whose reply was lost: the callback tells which task it became."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.case import KEY, Case, Simulator, finished

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


@pytest.fixture
def server(case: Case) -> Iterator[Simulator]:
    (case.folder / "plan.yml").write_text(LOST, encoding="utf-8")
    simulator = Simulator(case.folder, "--speed", "200", "--faults", str(case.folder / "plan.yml"))
    yield simulator
    simulator.close()


def test_a_lost_reply_is_made_up_for_by_the_callback(case: Case, server: Simulator) -> None:
    listening = case.start("webhook", "listen", "--port", "0")
    assert listening.stdout is not None
    url = listening.stdout.readline().split()[-1]
    case.env = {
        "RUNNINGHUB_BASE_URL": server.url,
        "RUNNINGHUB_API_KEY": KEY,
        "RHFLOW_WEBHOOK": f"{url}/hook?mine=1",
    }
    case.recipe(RECIPE).run("run", "recipe.yaml").exit(5).says("may have been accepted and charged")
    told = listening.stdout.readline()
    assert told.startswith("task ") and told.endswith(": success\n"), told
    task = told.split()[1].rstrip(":")
    assert "not a callback" in httpx.post(url, json={"hello": 1}).text
    done = case.run("resume", "--json").exit(0)
    assert [each["task_id"] for each in case.run("show", "--json").document["nodes"]] == [task]
    assert done.document["requests"]["submit"] == 0
    assert server.stats()["accepted"] == 1
    case.run("webhook", "show", task).exit(0).says("delivered    success", "ok")
    listening.send_signal(signal.SIGINT)
    assert "names no call" not in finished(listening).exit(0).out
