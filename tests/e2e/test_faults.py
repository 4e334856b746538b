"""Every fault as a user meets it: what rhflow does about it, what it says, and that no call is paid for twice.

The table of docs/faults.md is the list of tests: each row is run as it stands there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rhflow.catalog.catalog import Catalog
from rhflow.cli.root import invoke
from rhflow.core.errors import Source
from rhflow.core.text.source import read
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.fault_injector import Injector
from rhflow.simulator.fault_plan import KINDS, FaultPlan, read_plan
from tests.e2e.case import Case, Done, Simulator
from tests.simulator_support import serving

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\{fault: .*?\})` \| (.*?) \| (\d) \|$", PAGE, re.MULTILINE)
CHAIN = """\
rhflow: 1
name: chain
params:
  photo: {type: image, default: cup.png}
steps:
  say: {uses: text-to-text, with: {prompt: hello}}
  look: {uses: image-to-text, needs: [say], timeout: 10m, with: {image: "${{ params.photo }}", prompt: describe it}}
  read: {uses: text-to-speech, needs: [look], with: {prompt: hello, voice: Wise_Woman}}
outputs:
  words: ${{ steps.look.text }}
  voice: ${{ steps.read.audio }}
"""
PICTURE = """\
rhflow: 1
name: picture
steps:
  draw: {uses: text-to-image, with: {prompt: a boat, aspect_ratio: "1:1"}}
outputs: {picture: "${{ steps.draw.image }}"}
"""
QUICK = ("--simulate", "--speed", "2000")

Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command in this process, in a folder with the recipe and a photo."""
    for name in [each for each in os.environ if each.startswith(("RUNNINGHUB_", "RH_API"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RHFLOW_STORE", str(tmp_path / "store"))
    (tmp_path / "chain.yaml").write_text(CHAIN, encoding="utf-8")
    (tmp_path / "picture.yaml").write_text(PICTURE, encoding="utf-8")
    Image.new("RGB", (96, 64), "teal").save(tmp_path / "cup.png")

    def call(*arguments: str) -> Done:
        code = invoke(list(arguments))
        shown = capsys.readouterr()
        return Done(code, shown.out, shown.err)

    return call


def planned(*rules: str, seed: int = 0) -> str:
    """Write a plan of faults into the present folder and return its name."""
    Path("plan.yaml").write_text(f"faults: 1\nseed: {seed}\nrules: [{', '.join(rules)}]\n", encoding="utf-8")
    return "plan.yaml"


def problems(done: Done) -> str:
    """Return the problems that were printed, without what differs from run to run."""
    found = "\n\n".join(re.findall(r"^error\[.*?(?:\n\n|\Z)", done.err, re.MULTILINE | re.DOTALL)).strip() + "\n"
    found = re.sub(r"\b\d{19}\b", "<task>", found)
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}", "<name>", found)


def slug(rule: str) -> str:
    return "-".join(re.findall(r"\w+", rule.removeprefix("{fault: ").replace("_", "-")))


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "does", "code"), ROWS, ids=lambda text: slug(text) if text[0] == "{" else "")
def test_what_rhflow_does_about_it(rule: str, does: str, code: str, run: Run, golden) -> None:
    if "stuck" in rule:  # a time-out is real time, so that a slow machine has as much of it
        Path("chain.yaml").write_text(CHAIN.replace("timeout: 10m", "timeout: 1s"), encoding="utf-8")
    done = run("run", "chain.yaml", *QUICK, "--faults", planned(rule), "--json").exit(int(code))
    told = done.document["faults"]
    assert sum(told["injected"].values()) >= 1
    assert told["duplicates"] == 0, "a call was paid for twice"
    if code == "0":
        assert told["accepted"] == 3
        assert "error" not in done.err
    else:
        golden(f"faults/{slug(rule)}.txt", problems(done))
        assert "hint: " in done.err


def test_the_table_leaves_no_fault_out() -> None:
    """Webhooks are for receivers of their own; corrupted files have tests below."""
    told = {re.findall(r"fault: ([\w-]+)", rule)[0] for rule, _, _ in ROWS}
    assert told == set(KINDS) - {"corrupt", "repeat-webhook"}
    described = set(re.findall(r"^\| `([\w-]+)` \|", PAGE.partition("| fault |")[2].partition("\n\n")[0], re.MULTILINE))
    assert described == set(KINDS)


def test_the_plan_in_the_docs_is_one() -> None:
    (block,) = re.findall(r"```yml\n(.*?)```", PAGE, re.DOTALL)
    assert len(read_plan(read(Source("plan.yml", block))).rules) == 3


def test_the_message_in_the_docs_is_the_one_that_is_shown(run: Run) -> None:
    done = run("run", "chain.yaml", *QUICK, "--faults", planned("{fault: drop, on: submit, at: 1}"))
    (shown,) = re.findall(r"```\n(error\[.*?)```", PAGE, re.DOTALL)
    assert problems(done).replace("chain.yaml", "recipe.yaml") == shown


STORM = """\
faults: 1
seed: 11
rules:
  - {fault: too-many, chance: 0.15}
  - {fault: refuse, on: submit, code: 421, chance: 0.15}
  - {fault: drop, on: [query, upload, download, queue], chance: 0.1}
  - {fault: server-error, on: [query, upload, download], chance: 0.1, when: after}
  - {fault: garbage, on: [query, upload], chance: 0.1}
  - {fault: truncate, chance: 0.3}
  - {fault: expire, on: query, chance: 0.1}
  - {fault: auth, on: query, chance: 0.05}
  - {fault: stuck, chance: 0.1, seconds: 60}
"""
MANY = """\
rhflow: 1
name: many
params: {photo: {type: image, default: cup.png}}
steps:
  say: {uses: text-to-text, foreach: "${{ range(12) | list }}", with: {prompt: "word ${{ item }}"}}
  look: {uses: image-to-text, foreach: [1, 2, 3, 4], with: {image: "${{ params.photo }}", prompt: "look ${{ item }}"}}
  read: {uses: text-to-speech, foreach: [1, 2, 3, 4], with: {prompt: "line ${{ item }}", voice: Wise_Woman}}
"""


def test_a_run_comes_through_a_storm_and_pays_for_nothing_twice(run: Run) -> None:
    Path("plan.yaml").write_text(STORM, encoding="utf-8")
    Path("many.yaml").write_text(MANY, encoding="utf-8")
    told = run("run", "many.yaml", *QUICK, "--faults", "plan.yaml", "-j", "8", "--json").exit(0).document["faults"]
    assert (told["accepted"], told["duplicates"]) == (20, 0)
    assert len(told["injected"]) >= 7


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "code"), [("times: 1", 0), ("where: middle", 1), ("where: head", 1)])
def test_a_picture_with_wrong_bytes_is_fetched_once_more_and_then_reported(
    rule: str, code: int, run: Run, golden
) -> None:
    plan = planned(f"{{fault: corrupt, {rule}}}")
    done = run("run", "picture.yaml", *QUICK, "--faults", plan, "--json").exit(code)
    assert done.document["faults"]["accepted"] == 1
    assert done.document["requests"]["download"] == 2
    if code:
        golden(f"faults/corrupt-{slug(rule)}.txt", problems(done))


def test_a_sound_with_wrong_bytes_is_not_noticed(run: Run) -> None:
    """The service tells no digest: this is what the docs say, and not what anybody wishes."""
    plan = planned("{fault: corrupt, on: download}")
    done = run("run", "chain.yaml", *QUICK, "--faults", plan, "--json").exit(0)
    assert done.document["faults"]["injected"] == {"corrupt": 1}


def test_a_broken_download_goes_on_where_it_broke(run: Run) -> None:
    done = run("run", "chain.yaml", *QUICK, "--faults", planned("{fault: truncate, times: 3}"), "--json").exit(0)
    assert done.document["requests"]["download"] == 4
    whole = next(Path("outputs").rglob("voice.mp3")).read_bytes()
    run("run", "chain.yaml", *QUICK, "--no-cache", "-o", "again").exit(0)
    assert next(Path("again").rglob("voice.mp3")).read_bytes() == whole


# --- plans -----------------------------------------------------------------------------------------------------------


def test_a_seed_hits_the_same_calls_whatever_their_order(run: Run) -> None:
    """Eight calls at once, and the same calls one by one."""
    steps = "".join(
        f"  s{at}: {{uses: text-to-text, on_error: continue, with: {{prompt: word {at}}}}}\n" for at in range(8)
    )
    Path("many.yaml").write_text(f"rhflow: 1\nname: many\nsteps:\n{steps}", encoding="utf-8")
    plan = planned("{fault: refuse, on: submit, code: 1007, chance: 0.5}", seed=3)
    seen: list[dict[str, str]] = []
    for jobs in ("8", "1"):
        done = run("run", "many.yaml", *QUICK, "--faults", plan, "-j", jobs, "--no-cache", "--json").exit(1)
        seen.append({each["id"]: each["status"] for each in done.document["nodes"]})
    assert seen[0] == seen[1]
    assert set(seen[0].values()) == {"succeeded", "failed"}


def test_the_run_tells_what_went_wrong_on_purpose(run: Run) -> None:
    done = run("run", "chain.yaml", *QUICK, "--faults", planned("{fault: too-many, at: [1, 2]}")).exit(0)
    done.says("faults: too-many 2; the simulator accepted 3 calls, none of them twice")


def test_a_call_in_doubt_ends_with_its_simulator(run: Run) -> None:
    plan = planned("{fault: drop, on: submit, when: after, at: 1}")
    done = run("run", "chain.yaml", *QUICK, "--faults", plan).exit(5)
    done.says("this simulator ends with its run, so `rhflow resume` sends such a call anew")
    run("resume").exit(0)


def test_faults_need_a_simulator_of_the_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned("{fault: drop}")
    run("run", "chain.yaml", "--faults", plan).exit(2).says("add `--simulate`")
    run("run", "chain.yaml", "--simulate", "--faults", "pla.yaml").exit(2).says("did you mean `plan.yaml`")
    monkeypatch.setenv("RUNNINGHUB_BASE_URL", "http://127.0.0.1:9")
    run("run", "chain.yaml", "--simulate", "--faults", plan).exit(2).says("rhflow simulate --faults plan.yaml")


WRONG_PLAN = """\
faults: 2
sed: 1
rules:
  - {fault: dorp, on: submit}
  - {on: submit}
  - {fault: truncate, on: submit}
  - {fault: drop, at: 0}
"""
MISFITS = """\
faults: 1
rules:
  - {fault: refuse, on: submit}
  - {fault: truncate, on: submit}
  - {fault: drop, code: 1007}
  - {fault: drop, at: 1, every: 2}
  - {fault: garbage, on: [query, download]}
"""


@pytest.mark.parametrize(("name", "text"), [("shape", WRONG_PLAN), ("misfits", MISFITS), ("no-plan", "- drop\n")])
def test_a_wrong_plan_is_told_with_places_and_hints(name: str, text: str, run: Run, golden) -> None:
    Path("plan.yaml").write_text(text, encoding="utf-8")
    done = run("run", "chain.yaml", "--simulate", "--faults", "plan.yaml").exit(3)
    golden(f"faults/plan-{name}.txt", done.err)


# --- over a socket ---------------------------------------------------------------------------------------------------


@pytest.fixture
def server(run: Run, monkeypatch: pytest.MonkeyPatch):
    """A simulator on a port, whose plan a test may change at any time."""
    app = create_app(Catalog.load(), SimulatorConfig(speed=2000))
    with serving(app) as address:
        monkeypatch.setenv("RUNNINGHUB_BASE_URL", address)
        yield app.state.simulator


def plan_of(*rules: str) -> FaultPlan:
    return read_plan(read(Source("plan.yaml", f"faults: 1\nrules: [{', '.join(rules)}]\n")))


def test_a_lost_reply_is_never_sent_again_by_itself_and_can_be(server: Any, run: Run) -> None:
    server.faults = Injector(plan_of("{fault: drop, on: submit, when: after, at: 1}"))
    run("run", "chain.yaml").exit(5).says("may have been accepted and charged")
    run("resume").exit(5).says("--unknown=resubmit")
    assert server.stats()["submits"] == 1
    run("resume", "--unknown=resubmit").exit(0)
    stats = server.stats()
    assert (stats["accepted"], stats["duplicates"]) == (4, 1), "paid again, as it was told to"


def test_what_was_paid_and_could_not_be_fetched_is_fetched_by_resume(server: Any, run: Run) -> None:
    server.faults = Injector(plan_of("{fault: empty, on: download, times: 2}"))
    run("run", "chain.yaml").exit(1).says("`rhflow resume` fetches it again")
    run("resume").exit(0)
    stats = server.stats()
    assert (stats["submits"], stats["accepted"], stats["duplicates"]) == (3, 3, 0)


def test_an_expired_upload_is_uploaded_again_by_the_next_run(server: Any, run: Run) -> None:
    server.faults = Injector(plan_of("{fault: expire, on: upload, times: 1}"))
    run("run", "chain.yaml").exit(1).says("an input file cannot be fetched")
    run("run", "chain.yaml").exit(0)
    stats = server.stats()
    assert stats["uploads"] == 2
    assert stats["tasks"]["FAILED"] == 1


def test_a_plan_for_a_simulator_on_a_port(case: Case) -> None:
    case.recipe("faults: 1\nrules:\n  - {fault: drop, on: submit}\n", "plan.yaml")
    simulator = Simulator(case.folder, "--speed", "500", "--faults", "plan.yaml")
    try:
        case.env = {"RUNNINGHUB_BASE_URL": simulator.url}
        case.recipe("rhflow: 1\nsteps:\n  say: {uses: text-to-text, with: {prompt: hello}}\n")
        case.run("run", "recipe.yaml").exit(5).says("may have been accepted")
        stats = simulator.stats()
        assert stats["faults"] == {"drop": 1}
        assert json.dumps(stats["accepted_by_payload"]) == "{}"
    finally:
        simulator.close()
