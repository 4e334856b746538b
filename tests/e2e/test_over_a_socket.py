"""Several processes, one simulator: its own count is the judge."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.e2e.case import KEY, PIPELINES, Case, Done, Simulator, finished

CHAIN = """\
rhflow: 1
name: chain
steps:
  still:
    uses: text-to-image
    with: {prompt: "a red boat on a lake", aspect_ratio: "1:1"}
  large:
    uses: upscale
    with: {image: "${{ steps.still.image }}", scale: 2x}
  words:
    uses: image-to-text
    with: {image: "${{ steps.still.image }}", prompt: describe it}
outputs:
  large: ${{ steps.large.image }}
  words: ${{ steps.words.text }}
"""
SLOW = """\
rhflow: 1
name: slow
steps:
  still:
    uses: text-to-image
    with: {prompt: "a slow boat", aspect_ratio: "1:1"}
  large:
    uses: upscale
    with: {image: "${{ steps.still.image }}", scale: 2x}
"""


@pytest.fixture
def live(case: Case, simulator: Simulator) -> Case:
    simulator.reset()
    case.env = {"RUNNINGHUB_BASE_URL": simulator.url, "RUNNINGHUB_API_KEY": KEY}
    return case.recipe(CHAIN)


def test_two_processes_together_submit_each_call_once(live: Case, simulator: Simulator) -> None:
    runs = [live.start("run", "recipe.yaml", "--json") for _ in range(2)]
    done = [finished(run).exit(0) for run in runs]
    assert simulator.stats()["accepted"] == 3
    assert sum(each.document["requests"]["submit"] for each in done) == 3
    files = [sorted(path.name for path in live.delivered())]
    assert files


def test_the_realm_of_a_service_on_this_machine_is_simulated(live: Case) -> None:
    assert live.run("run", "recipe.yaml", "--json").exit(0).document["realm"] == "simulated"


def test_photo_is_uploaded_once_for_two_looks(live: Case, simulator: Simulator) -> None:
    live.run("run", str(PIPELINES / "two-looks.yaml")).exit(0)
    stats = simulator.stats()
    assert stats["uploads"] == 1
    assert stats["accepted"] == 4


def test_the_key_is_nowhere_but_in_the_header(live: Case) -> None:
    done = live.run("run", "recipe.yaml").exit(0)
    failed = live.recipe(CHAIN.replace("describe it", "describe it in 3 words")).run("run", "recipe.yaml")
    assert KEY not in done.out + done.err + failed.out + failed.err
    for path in live.folder.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_text_outputs_are_values(live: Case) -> None:
    outputs = live.run("run", "recipe.yaml", "--json").exit(0).document["outputs"]
    assert isinstance(outputs["words"], str) and len(outputs["words"]) > 10


def test_a_full_account_is_waited_for(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    server = Simulator(tmp_path_factory.mktemp("narrow"), "--speed", "200", "--limit", "1")
    try:
        case.env = {"RUNNINGHUB_BASE_URL": server.url}
        steps = "".join(f"  s{at}: {{uses: text-to-text, with: {{prompt: word {at}}}}}\n" for at in range(3))
        case.recipe(f"rhflow: 1\nsteps:\n{steps}").run("run", "recipe.yaml", "-j", "3").exit(0)
        stats = server.stats()
        assert stats["accepted"] == 3
        assert stats["peak_concurrency"] == 1
    finally:
        server.close()


def test_a_failed_task_stops_what_comes_after_and_keeps_what_is_done(live: Case, simulator: Simulator) -> None:
    live.recipe(
        "rhflow: 1\nname: gone\nsteps:\n"
        "  fine: {uses: text-to-text, with: {prompt: hello}}\n"
        f"  bad: {{uses: upscale, with: {{image: '{simulator.url}/nothing-here.png', scale: 2x}}}}\n"
        "  after: {uses: upscale, with: {image: '${{ steps.bad.image }}', scale: 2x}}\n"
    )
    done = live.run("run", "recipe.yaml").exit(1)
    done.says("step `bad`", "recipe.yaml:5:3", "rhflow resume", "after  skipped")
    again = live.run("run", "recipe.yaml", "--json").exit(1).document
    status = {node["id"]: (node["status"], node["cached"]) for node in again["nodes"]}
    assert status == {"fine": ("succeeded", True), "bad": ("failed", False), "after": ("skipped", False)}


@pytest.fixture
def slow(tmp_path_factory: pytest.TempPathFactory, case: Case):
    """A simulator slow enough that a run can be caught in the middle of a task."""
    server = Simulator(tmp_path_factory.mktemp("slow"), "--speed", "4")
    case.env = {"RUNNINGHUB_BASE_URL": server.url}
    yield case.recipe(SLOW), server
    server.close()


def until_accepted(case: Case):
    """Start a run and return it once its first task is accepted."""
    run = case.start("run", "recipe.yaml")
    until(run, "accepted as task")
    return run


def until(run, text: str) -> None:
    """Read a run's messages until one holds ``text``."""
    assert run.stderr is not None
    assert any(text in line for line in run.stderr), f"it never said {text!r}"


def test_a_killed_run_is_resumed_by_its_task_id(slow: tuple[Case, Simulator]) -> None:
    case, server = slow
    run = until_accepted(case)
    run.kill()
    run.communicate()
    case.run("resume").exit(0).says("going on with its task")
    assert server.stats()["accepted"] == 2
    assert server.stats()["submits"] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_once_waits_for_what_is_paid_and_starts_nothing_more(slow: tuple[Case, Simulator]) -> None:
    case, server = slow
    run = until_accepted(case)
    os.kill(run.pid, signal.SIGINT)
    done = Done(*_ended(run))
    done.exit(130).says("still  succeeded  new", "large  not-run", "rhflow resume")
    assert server.stats()["submits"] == 1
    case.run("resume").exit(0)
    assert server.stats()["submits"] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_twice_leaves_at_once_and_can_be_resumed(slow: tuple[Case, Simulator]) -> None:
    case, server = slow
    run = until_accepted(case)
    os.kill(run.pid, signal.SIGINT)
    until(run, "Ctrl-C again leaves now")
    os.kill(run.pid, signal.SIGINT)
    Done(*_ended(run)).exit(130).says("rhflow resume")
    assert server.stats()["tasks"].get("SUCCESS", 0) == 0, "it did not wait for the task"
    case.run("resume").exit(0)
    assert server.stats()["submits"] == 2


def _ended(run) -> tuple[int, str, str]:
    out, err = run.communicate(timeout=30)
    return run.returncode, out, err


def test_a_killed_simulated_run_does_not_stand_in_the_way_of_the_next(case: Case) -> None:
    case.recipe(SLOW)
    run = case.start("run", "recipe.yaml", "--simulate", "--speed", "1")
    until(run, "accepted as task")
    run.kill()
    run.communicate()
    case.run("run", "recipe.yaml", "--simulate", "--speed", "200").exit(0)
