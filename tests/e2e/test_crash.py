"""A run that is killed, whenever, and resumed: the simulator's own count says what was paid for.

What must hold: no call is accepted twice unless its reply was lost and the user said so; everything accepted ends up in
the store or is told of as unknown; what is delivered in the end is what an undisturbed run delivers.
`pytest tests/e2e/test_crash.py -n0 --crashes 200` kills at every event, and 200 times at random.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rhflow.store.store import Store
from tests.e2e import crashes
from tests.e2e.case import Simulator
from tests.e2e.crashes import MOMENTS, Ended, Moment, Order

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")

RECIPE = """\
rhflow: 1
name: crash
steps:
  still: {uses: text-to-image, with: {prompt: "a red boat on a lake", aspect_ratio: "1:1"}}
  large: {uses: upscale, with: {image: "${{ steps.still.image }}", scale: 2x}}
  words: {uses: image-to-text, with: {image: "${{ steps.still.image }}", prompt: describe it}}
outputs:
  still: ${{ steps.still.image }}
  large: ${{ steps.large.image }}
"""
CALLS = 3
POINTS: tuple[tuple[str, int, Moment], ...] = (
    ("run.started", 1, "kept"),
    ("submit.intent", 1, "kept"),
    ("submit.accepted", 1, "before"),
    ("submit.accepted", 1, "kept"),
    ("submit.settled", 1, "queued"),
    ("submit.accepted", 3, "kept"),
)


@dataclass
class Trials:
    """A simulator, and what an undisturbed run gives; ``found`` counts how trials went."""

    folder: Path
    simulator: Simulator
    files: dict[str, str] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    seconds: float = 0.0
    found: Counter[str] = field(default_factory=Counter)

    def run(self, name: str, *arguments: str, **how: Any) -> Ended:
        """Call the command in a folder of its own, with a store of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "recipe.yaml").write_text(RECIPE)
        env = {"RUNNINGHUB_BASE_URL": self.simulator.url, "RHFLOW_STORE": str(folder / "store")}
        return crashes.run(Order(str(folder), list(arguments), env, **how))

    def undisturbed(self) -> None:
        """Note what a run gives that nothing happens to: the second, as the first loads and makes more."""
        for name in ("first", "reference"):
            began = time.monotonic()
            done = self.run(name, "run", "recipe.yaml", "--json")
            self.seconds = time.monotonic() - began
            assert done.code == 0, done.err
            self.events = done.events
            self.files = delivered(self.folder / name, done)

    def trial(self, name: str, check: Callable[[Ended], None] = lambda _: None, **how: Any) -> str:
        """Kill a run, resume it until it is done, judge, and return how it went; ``check`` sees how it was killed."""
        self.simulator.reset()
        killed = self.run(name, "run", "recipe.yaml", **how)
        check(killed)
        began = "run.started" in killed.events and not (how.get("at") == 1 and how.get("moment") != "kept")
        paid = self.simulator.stats()["accepted"]
        went = "finished" if killed.code is not None else "resumed"
        done = self.run(name, "resume", "--json") if began else self.run(name, "run", "recipe.yaml", "--json")
        if done.code == 2:  # it was killed before it was noted that it had begun: no run, nothing paid
            assert paid == 0 and "there is no run" in done.err, done.err
            done = self.run(name, "run", "recipe.yaml", "--json")
        if done.code == 5:
            went = "unknown"
            assert self.simulator.stats()["duplicates"] == 0, "a call in doubt was sent again by itself"
            done = self.run(name, "resume", "--unknown", "resubmit", "--json")
        assert done.code == 0, done.err
        self.judge(name, went, done)
        self.found[went] += 1
        return went

    def judge(self, name: str, went: str, done: Ended) -> None:
        """Hold a resumed run against the undisturbed one, and the store against the simulator."""
        stats = self.simulator.stats()
        with Store.open(self.folder / name / "store") as store:
            outcomes = Counter(each.data["outcome"] for run in store.journal.runs() for each in settled(store, run.id))
            assert store.journal.open_of() == [], "something that was paid for is still open"
            kept = {each.task_id for each in store.index.all_entries()}
        assert len(kept) == CALLS
        assert outcomes["succeeded"] <= CALLS  # one note may be missing: that a kept result is no longer open
        assert stats["submits"] - stats["accepted"] == 0
        assert stats["accepted"] == CALLS + stats["duplicates"]
        assert stats["duplicates"] <= outcomes["resubmitted"], "a call was paid for again that nobody asked for"
        assert went == "unknown" or stats["duplicates"] == 0
        assert delivered(self.folder / name, done) == self.files


def settled(store: Store, run: str) -> Iterator[Any]:
    return (event for event in store.journal.events(run) if event.type == "submit.settled")


def delivered(folder: Path, done: Ended) -> dict[str, str]:
    """Return the digests of what a run delivered, by output; ``done`` is the run's own report of it."""
    files = {name: Path(done.document["outputs"][name]) for name in ("still", "large")}
    return {name: hashlib.sha256((folder / path).read_bytes()).hexdigest() for name, path in files.items()}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    folder = tmp_path_factory.mktemp("crashes")
    with closing(Simulator(folder, "--speed", "1000")) as simulator:
        ready = Trials(folder, simulator)
        ready.undisturbed()
        yield ready


@pytest.mark.parametrize("point", POINTS, ids=lambda point: "-".join(map(str, point)))
def test_killed_at_an_event(trials: Trials, point: tuple[str, int, Moment]) -> None:
    event, at, moment = point
    went = trials.trial(f"{event}-{at}-{moment}", at=at, moment=moment, only=event)
    in_doubt = (event, moment) in (("submit.accepted", "before"), ("submit.intent", "kept"))
    assert (went == "unknown") == in_doubt or at > 1  # two calls go out together after the first


@pytest.mark.parametrize("event", ["submit.accepted", "node.finished"])
def test_a_full_disk_ends_the_run_with_a_clear_error(trials: Trials, event: str) -> None:
    def check(ended: Ended) -> None:
        assert ended.code in (1, 5)
        assert "no space left" in ended.err and "Traceback" not in ended.err, ended.err

    went = trials.trial(f"full-{event}", at=1, moment="full", only=event, check=check)
    assert (went == "unknown") == (event == "submit.accepted")


def test_killed_at_any_time(trials: Trials, pytestconfig: pytest.Config) -> None:
    count = pytestconfig.getoption("--crashes")
    moments = random.Random(20)
    trials.found.clear()
    for number in range(count):
        trials.trial(f"random-{number}", after=moments.uniform(0.02, trials.seconds))
    print(f"{count} runs killed at random moments: {dict(trials.found)}")


def test_killed_at_every_event(trials: Trials, pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--crashes") < 100:
        pytest.skip("--crashes 100 or more kills at every event")
    trials.found.clear()
    for at in range(1, len(trials.events) + 1):
        for moment in MOMENTS:
            trials.trial(f"event-{at}-{moment}", at=at, moment=moment)
    print(f"{len(trials.events)} events, killed before, while and after each was kept: {dict(trials.found)}")
