"""Many steps: fresh through the engine with a fake executor, fully cached, and planned node by node."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from functools import partial
from pathlib import Path

import generate
import rig
from table import Rows

from rhflow.app.runs.prepare import prepared
from rhflow.cli.main import collect_seldom
from rhflow.core.plan.dry_run import dry_run
from rhflow.core.plan.planner import Planner


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    collect_seldom()
    rows = Rows()
    per_node: dict[int, float] = {}
    for count in (1_000, 10_000):
        with tempfile.TemporaryDirectory() as folder:
            per_node[count] = measure(rows, Path(folder), count)
    rows.add("fresh, per step: 10,000 against 1,000", per_node[10_000], per_node[1_000])
    return int(rows.failed)


def measure(rows: Rows, root: Path, count: int) -> float:
    """Measure one size and return the milliseconds per fresh step."""
    recipe = generate.write(root, "recipe", generate.independent(count))
    request = rig.request_for(recipe, root / "store", root / "out")
    with prepared(request) as ready:
        fresh = rig.timed(lambda: asyncio.run(rig.run_engine(ready, {}, jobs=1000)))
    with prepared(request) as ready:
        planner = ready.planner

        def fresh_planner() -> Planner:
            return Planner(planner.pipeline, planner.graph, planner.calls, planner.world)

        plan = dry_run(fresh_planner())
        keys = [decision.call.key for decision in plan.decisions.values()]  # type: ignore[union-attr]
        planned = min(rig.timed(partial(dry_run, fresh_planner())) for _ in range(3))
        bare = min(rig.timed(lambda: look_up(root / "store" / "index.sqlite", keys)) for _ in range(3))
        cached = rig.timed(lambda: asyncio.run(rig.run_engine(ready, {}, jobs=1000)))
    rows.add(f"{count:,} cached steps planned one by one / bare look-ups", planned, bare, 12.0)
    rows.add(f"{count:,} cached steps through the engine / bare look-ups", cached, bare)
    rows.add(f"{count:,} fresh steps through the engine / bare look-ups", fresh, bare)
    return fresh / count * 1000


def look_up(index: Path, keys: list[str]) -> None:
    """Look every key up, one query each."""
    connection = sqlite3.connect(index)
    for key in keys:
        connection.execute("SELECT document FROM entries WHERE key = ?", (key,)).fetchone()
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
