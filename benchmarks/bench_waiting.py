"""What waiting costs: CPU of one process while 500 tasks run on the service, against the time that passes."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import generate
import rig
from table import Rows

from rhflow.app.request import Request
from rhflow.app.run import run
from rhflow.core.events import Event
from rhflow.settings import Settings

TASKS = 500
SECONDS = 60.0


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    rows = Rows()
    lines = [f"  s{at}: {{uses: text-to-text, with: {{prompt: text {at}}}}}" for at in range(TASKS)]
    accepted = 0
    marks: list[tuple[float, float]] = []

    def observe(event: Event) -> None:
        nonlocal accepted
        accepted += event.type == "submit.accepted"
        if (event.type == "submit.accepted" and accepted == TASKS) or event.data.get("status") == "SUCCESS":
            marks.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as folder, rig.stub(SECONDS) as url:
        root = Path(folder)
        recipe = generate.write(root, "waiting", "\n".join(["rhflow: 1", "steps:", *lines, ""]))
        request = Request(recipe, Settings(root / "store", url), out=root / "out", jobs=1000)
        report, _ = asyncio.run(run(request, rig.Watch(on_event=observe)))
    assert report.status == "succeeded"
    (began, used), (ended, in_all) = marks[0], marks[1]
    rows.add(f"CPU while {TASKS} tasks wait / time that passes", in_all - used, ended - began, 0.1)
    rows.add("queries per task", report.requests["query"], TASKS)
    return int(rows.failed)


if __name__ == "__main__":
    sys.exit(main())
