"""What is left open at the service: fetched, told of, cancelled or asked about; the simulator's count is the judge."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from rhflow.store.store import Store
from tests.e2e.case import Simulator
from tests.e2e.desk import PAIR, Desk, pytestmark, says, wait_until  # noqa: F401 -- the mark says where it works


@pytest.fixture
def desk(tmp_path: Path, simulator: Simulator) -> Desk:
    simulator.reset()
    found = Desk(tmp_path, simulator)
    found.recipe(PAIR)
    return found


# --- calls that no step makes any more -------------------------------------------------------------------------------


def test_resume_fetches_what_an_edited_step_has_paid_for(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    desk.recipe(PAIR.replace("red", "green"))
    done = desk.run("resume")
    assert done.code == 0, done.err
    assert "still (task " in done.out and "fetched into the store" in done.out
    assert desk.accepted() == 4
    assert len(desk.tasks()) == 4, "three of the recipe as it is, one of the recipe as it was"
    assert "nothing to run" not in desk.run("run", "recipe.yaml", "-p", "x=1").out
    desk.recipe(PAIR)
    assert desk.run("run", "recipe.yaml").code == 0
    assert desk.accepted() == 5, "of the old recipe only what depends on the fetched picture was still to be made"


def test_a_plain_run_fetches_what_is_there_although_nothing_is_to_run(desk: Desk) -> None:
    assert desk.run("run", "recipe.yaml").code == 0
    desk.recipe(PAIR.replace("one word", "two words"))
    desk.killed_when("submit.accepted")
    wait_until(lambda: desk.simulator.stats()["tasks"]["SUCCESS"] == 4)
    desk.recipe(PAIR)
    again = desk.run("run", "recipe.yaml", "--json").document
    (earlier,) = again["earlier"]
    assert (earlier["node"], earlier["outcome"]) == ("words", "fetched")
    assert again["requests"]["submit"] == 0
    assert len(desk.tasks()) == 4
    assert desk.run("run", "recipe.yaml", "--json").document["earlier"] == []


def test_without_its_recipe_a_run_gives_what_it_paid_for(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    (desk.folder / "recipe.yaml").unlink()
    done = desk.run("resume")
    assert done.code == 2
    assert "1 result fetched" in done.out and "is not there any more" in done.err
    (file,) = [line.strip() for line in done.out.splitlines() if line.startswith("  /")]
    assert Path(file).is_file() and Path(file).is_relative_to(desk.folder / "store")
    assert "still  succeeded" in desk.run("show").out
    desk.recipe(PAIR)
    assert desk.run("run", "recipe.yaml").code == 0
    assert desk.accepted() == 3


def test_resume_all_fetches_and_runs_nothing(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    desk.recipe(PAIR.replace("red", "blue"))
    desk.killed_when("submit.accepted")
    done = desk.run("resume", "--all", "--json")
    assert done.code == 0
    assert [each["outcome"] for each in done.document] == ["fetched", "fetched"]
    assert desk.accepted() == 2
    assert desk.run("resume", "--all").out == "nothing is open\n"


def test_what_was_forced_is_fetched_although_there_is_an_older_result(desk: Desk) -> None:
    assert desk.run("run", "recipe.yaml").code == 0
    ended = desk.run("run", "recipe.yaml", "--force", "still", at=1, only="submit.accepted", moment="kept")
    assert ended.code is None
    done = desk.run("resume", "--json")
    assert done.code == 0, done.err
    assert {each["id"]: each["cached"] for each in done.document["nodes"]}["still"] is False
    with Store.open(desk.folder / "store") as store:
        assert store.journal.open_of() == []
    assert desk.simulator.stats()["per_endpoint"]["rhart-image-v1-official/text-to-image"] == 2


def test_a_call_of_a_real_account_is_never_given_up_by_a_simulated_run(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    with Store.open(desk.folder / "store") as store:
        work = "UPDATE submissions SET site = 'https://www.runninghub.cn', call = replace(call, 'simulated', 'live')"
        store.database.submit(lambda connection: connection.execute(work)).result()
    desk.recipe(PAIR.replace("red", "green"))
    assert desk.run("run", "recipe.yaml").code == 0
    told = desk.run("resume", "--all", "--unknown", "resubmit", "--json")
    assert told.code == 5
    assert [each["outcome"] for each in told.document] == ["elsewhere"]
    with Store.open(desk.folder / "store") as store:
        assert len(store.journal.open_of()) == 1


def test_what_died_with_its_simulator_is_in_nobodys_way(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    in_process = ["--simulate", "--speed", "1000"]
    env = {"RUNNINGHUB_BASE_URL": ""}
    ended = desk.run("run", "recipe.yaml", *in_process, env=env, at=1, only="submit.accepted", moment="kept")
    assert ended.code is None
    (run,) = desk.run("runs", "--json").document
    assert (run["status"], run["open"]) == ("died", 0)
    assert "still  cut-off" in desk.run("show").out
    with closing(Simulator(tmp_path_factory.mktemp("short-lived"), "--speed", "1000")) as other:
        env = {"RUNNINGHUB_BASE_URL": other.url}
        desk.recipe(PAIR.replace("red", "green"))
        ended = desk.run("run", "recipe.yaml", env=env, at=1, only="submit.accepted", moment="kept")
        assert ended.code is None
    told = desk.run("resume", "--all", "--json")
    assert told.code == 0
    assert {each["outcome"] for each in told.document} == {"lost"}
    assert desk.accepted() == 0


# --- what the plan says of it ----------------------------------------------------------------------------------------


def test_the_plan_takes_up_what_the_run_will(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    says(desk.run("plan", "recipe.yaml"), 0, "still  resume  task ", "0.2 CNY, paid already", "1 to be fetched")
    plan = desk.run("plan", "recipe.yaml", "--force", "still", "--json").document
    assert [node["will"] for node in plan["nodes"]] == ["resume", "run", "run"]
    assert (plan["nodes"][0]["open"]["task_id"], plan["paid_already"]["at_most"]) == (open_task(desk), 0.2)
    assert plan["cost"]["at_least"] == 0.02
    in_process = desk.run("plan", "recipe.yaml", "--simulate", "--json", env={"RUNNINGHUB_BASE_URL": ""}).document
    assert [node["will"] for node in in_process["nodes"]] == ["run", "run", "run"]


def open_task(desk: Desk) -> str | None:
    with Store.open(desk.folder / "store") as store:
        (call,) = store.journal.open_of()
        return call.task_id


def test_the_plan_says_what_is_in_doubt_and_what_to_type(desk: Desk) -> None:
    desk.killed_when("submit.accepted", moment="before")
    says(
        desk.run("plan", "recipe.yaml"), 0, "still  in doubt", "stops at `still` with exit code 5", "--unknown=resubmit"
    )
    assert "asks on a terminal" in desk.run("plan", "recipe.yaml").out
    assert "asks on a terminal" not in desk.run("plan", "recipe.yaml", "--unknown", "fail").out
    says(desk.run("plan", "recipe.yaml", "--unknown", "wait"), 0, "a run leaves `still` open")
    says(desk.run("plan", "recipe.yaml", "--unknown", "resubmit"), 0, "still  run   paid for again: nobody knows")


def test_what_is_paid_already_is_fetched_whatever_the_budget_says(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    desk.recipe(PAIR.replace("name: pair", "name: pair\nbudget: {max_cost: 0.1 CNY}"))
    done = desk.run("resume")
    assert done.code == 6 and "more than 0.1 CNY" in done.err
    assert "fetched into the store" in done.err
    assert (desk.accepted(), len(desk.tasks())) == (1, 1)


def test_a_recipe_that_cannot_run_any_more_says_how_to_have_what_is_paid(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    desk.recipe(PAIR.replace("text-to-text", "text-to-txt"))
    done = desk.run("resume")
    assert done.code == 3 and "did you mean `text-to-text`?; `rhflow resume --all` fetches" in done.err
    assert desk.run("resume", "--all").code == 0
    assert len(desk.tasks()) == 1


def test_what_is_paid_already_is_no_part_of_the_budget(desk: Desk) -> None:
    one = PAIR[: PAIR.index("  words")]
    desk.recipe(one)
    desk.killed_when("submit.accepted")
    desk.recipe(one.replace("name: pair", "name: pair\nbudget: {max_cost: 0.1 CNY, max_tasks: 0}"))
    assert desk.run("run", "recipe.yaml").code == 0
    assert desk.accepted() == 1


# --- calls in doubt --------------------------------------------------------------------------------------------------


def test_a_call_in_doubt_stops_the_run_unless_told_otherwise(desk: Desk) -> None:
    desk.killed_when("submit.accepted", moment="before")
    done = desk.run("resume")
    assert done.code == 5
    assert "no reply tells whether it was accepted" in done.err and "--unknown=resubmit" in done.err
    assert desk.accepted() == 1


def test_a_call_in_doubt_can_be_left_open_while_the_rest_goes_on(desk: Desk) -> None:
    desk.killed_when("submit.accepted", moment="before")
    done = desk.run("resume", "--unknown", "wait", "--json")
    assert done.code == 5
    states = {each["id"]: each["status"] for each in done.document["nodes"]}
    assert states == {"still": "unknown", "words": "succeeded", "large": "skipped"}
    assert "still  unknown" in desk.run("show", json.loads(done.out)["run"]).out
    settled = desk.run("resume", "--unknown", "resubmit", "--json")
    assert settled.code == 0, settled.err
    assert desk.simulator.stats()["duplicates"] == 1


def test_a_task_that_the_service_no_longer_knows_is_not_paid_for_again_by_itself(desk: Desk) -> None:
    desk.killed_when("submit.accepted")
    wait_until(lambda: desk.simulator.stats()["tasks"]["SUCCESS"] == 1)
    desk.simulator.reset()  # it forgets the task
    done = desk.run("resume")
    assert done.code == 5
    assert "does not know task" in done.err and "--unknown=resubmit" in done.err
    assert desk.accepted() == 0
    assert desk.run("resume", "--unknown", "resubmit").code == 0
    assert desk.accepted() == 3


def answered(desk: Desk, *answers: bytes) -> tuple[int, str]:
    """Resume on a terminal and type an answer each time the question is there; return the exit code and all shown."""
    import pty

    environment = {**desk.case.environment(), "TERM": "dumb", "COLUMNS": "200"}
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(desk.folder)
        os.execve(sys.executable, [sys.executable, "-m", "rhflow", "resume"], environment)
    said, left = b"", list(answers)
    late = threading.Timer(30, os.kill, (child, signal.SIGKILL))  # one that asks on and on fails rather than hangs
    late.start()
    try:
        while piece := os.read(terminal, 10_000):
            said += piece
            if left and said.count(b"[fail]: ") > len(answers) - len(left):
                os.write(terminal, left.pop(0))
    except OSError:
        pass  # how a terminal says that the other side has gone
    late.cancel()
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode()


def test_on_a_terminal_the_question_is_asked_once(desk: Desk) -> None:
    desk.killed_when("submit.accepted", moment="before")
    code, text = answered(desk, b"pay\n", b"resubmit\n")
    assert code == 0, text
    assert text.count("no reply tells what came of it") == 1
    assert "`pay` is none of the answers; type `wait`, `resubmit` or `fail`" in text and "Error" not in text
    assert "0.2 CNY" in text and "the account has" in text
    assert desk.simulator.stats()["duplicates"] == 1


def test_one_ctrl_c_at_the_question_leaves_and_settles_nothing(desk: Desk) -> None:
    desk.killed_when("submit.accepted", moment="before")
    code, text = answered(desk, b"\x03")
    assert code == 130 and "interrupted" in text, text
    assert (open_task(desk), desk.accepted()) == (None, 1)


COAT = """\
rhflow: 1
name: coat
params: {colour: {type: string, default: red}}
steps:
  still: {uses: text-to-image, with: {prompt: "a ${{ params.colour }} coat", aspect_ratio: "1:1"}}
"""


def test_resubmit_leaves_calls_in_doubt_that_the_run_does_not_make(desk: Desk) -> None:
    desk.recipe(COAT)
    for colour in ("red", "blue"):
        ended = desk.run("run", "recipe.yaml", "-p", f"colour={colour}", at=1, only="submit.accepted", moment="before")
        assert ended.code is None, ended.err
    says(desk.run("resume", "--unknown", "resubmit"), 0, "still: sent, outcome unknown", "--unknown=resubmit` pays")
    says(desk.run("plan", "recipe.yaml", "-p", "colour=blue"), 0, "still  reuse")
    says(desk.run("plan", "recipe.yaml"), 0, "still  in doubt")
    assert desk.run("run", "recipe.yaml", "-p", "colour=blue", "--unknown", "resubmit").code == 0
    says(desk.run("plan", "recipe.yaml"), 0, "still  in doubt")
    says(desk.run("resume", "--all", "--unknown", "resubmit"), 0, "still: given up")
    assert desk.accepted() == 3


def test_a_secret_parameter_is_given_to_resume_again(desk: Desk) -> None:
    desk.recipe(COAT.replace("default: red", "secret: true"))
    ended = desk.run("run", "recipe.yaml", "-p", "colour=hush-hush", at=1, only="submit.accepted", moment="kept")
    assert ended.code is None, ended.err
    says(desk.run("resume"), 3, "add `-p colour=")
    says(desk.run("resume", "-p", "prompt=x"), 2, "no secret parameter of run", "rhflow run ")
    says(desk.run("resume", "-p", "colour=hush-hush"), 0, "still  succeeded")
    assert desk.accepted() == 1
