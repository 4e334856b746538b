"""What waiting costs: one process while many tasks run on the service, and how soon it notices that they have ended."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import generate
import httpx
import rig
from table import Rows

from rhflow.app.request import Request
from rhflow.app.runs.run import run
from rhflow.core.events import Event
from rhflow.settings import Settings

SPREAD = 0.25


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tasks", type=int, default=500, help="how many run at once")
    arguments.add_argument("--seconds", type=float, default=60.0, help="what they take, give or take a quarter")
    told = arguments.parse_args()
    return measure(told.tasks, told.seconds)


def measure(tasks: int, seconds: float) -> int:
    """Run so many tasks at once and print what that takes."""
    lines = [f"  s{at}: {{uses: text-to-video, with: {{prompt: clip {at}}}}}" for at in range(tasks)]
    accepted = 0
    marks: list[tuple[float, float]] = []

    def observe(event: Event) -> None:
        nonlocal accepted
        accepted += event.type == "submit.accepted"
        if (event.type == "submit.accepted" and accepted == tasks) or event.data.get("status") == "SUCCESS":
            marks.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as folder, rig.stub(seconds, SPREAD) as url:
        root = Path(folder)
        recipe = generate.write(root, "waiting", "\n".join(["rhflow: 1", "steps:", *lines, ""]))
        request = Request(recipe, Settings(root / "store", url), out=root / "out")
        report, _ = asyncio.run(run(request, rig.Watch(on_event=observe)))
        stats = httpx.get(f"{url}/stats", trust_env=False).json()
    assert report.status == "succeeded"
    (began, used), (ended, in_all) = marks[0], marks[1]
    rows = Rows()
    rows.add(f"CPU while {tasks} tasks wait / time that passes", in_all - used, ended - began, 0.15)
    rows.add("end of a task is noticed late by / its duration", stats["late"] * seconds, seconds, 0.1)
    rows.add("queries per task at the median", stats["queries"], 12, 1.0)
    rows.add("most memory, MB", rig.most_memory(), 150, 1.0)
    return int(rows.failed)


if __name__ == "__main__":
    sys.exit(main())
