"""A recipe in a folder with its own store, run in processes that a test can kill."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rhflow.store.store import Store
from tests.e2e import crashes
from tests.e2e.case import Case, Simulator
from tests.e2e.crashes import Ended, Order
from tests.e2e.forks import Process
from tests.e2e.test_over_a_socket import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")

PAIR = """\
rhflow: 1
name: pair
steps:
  still: {uses: text-to-image, with: {prompt: "a red boat", aspect_ratio: "1:1"}}
  words: {uses: text-to-text, with: {prompt: "one word"}}
  large: {uses: upscale, with: {image: "${{ steps.still.image }}", scale: 2x}}
"""


@dataclass
class Desk:
    """A recipe in a folder with its own store, run in forked processes against one simulator."""

    folder: Path
    simulator: Simulator

    def recipe(self, text: str) -> None:
        (self.folder / "recipe.yaml").write_text(text)

    def run(self, *arguments: str, env: dict[str, str] | None = None, **how: Any) -> Ended:
        env = {"RUNNINGHUB_BASE_URL": self.simulator.url, "RHFLOW_STORE": str(self.folder / "store"), **(env or {})}
        ended = crashes.run(Order(str(self.folder), list(arguments), env, **how))
        assert "Traceback" not in ended.err, ended.err
        return ended

    @property
    def case(self) -> Case:
        """The same folder, for commands that are left running."""
        return Case(self.folder, {"RUNNINGHUB_BASE_URL": self.simulator.url})

    def started(self, *arguments: str) -> Process:
        """Start a run in a process of its own and return it once its first task is accepted."""
        run = self.case.start("run", "recipe.yaml", *arguments)
        until(run, "accepted as task")
        return run

    def killed_when(self, event: str, at: int = 1, *, moment: str = "kept") -> None:
        """Run the recipe until it dies at an event."""
        ended = self.run("run", "recipe.yaml", "-j", "1", at=at, moment=moment, only=event)
        assert ended.code is None, ended.err

    def tasks(self) -> set[str | None]:
        """Return the tasks whose results are in the store."""
        with Store.open(self.folder / "store") as store:
            return {each.task_id for each in store.index.all_entries()}

    def accepted(self) -> int:
        return int(self.simulator.stats()["accepted"])


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def says(ended: Ended, code: int, *texts: str) -> None:
    """Require an exit code, and texts in what was said."""
    assert ended.code == code, ended.out + ended.err
    for text in texts:
        assert text in ended.out + ended.err, f"no {text!r} in\n{ended.out}\n{ended.err}"
