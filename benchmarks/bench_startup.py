"""Start-up of the quick commands, against importing click and sqlite3."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import generate
import rig
from table import Rows

from rhflow.app.runs.prepare import prepared


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    rows = Rows()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        recipes = {count: cached_recipe(root / str(count), count) for count in (10, 10_000)}
        bare = rig.best_command(rig.python("-c", "import click, sqlite3"), times=9)
        rows.add("--version", command(["--version"]), bare, 1.0)
        small, large = recipes[10], recipes[10_000]
        rows.add("validate, 10 steps", command(["validate", str(small[0])]), bare)
        rows.add("plan, 10 cached steps", command(["plan", *small[1]]), bare)
        first, second = command(["run", *small[1], *small[2]]), command(["run", *large[1], *large[2]])
        rows.add("run, 10 steps, unchanged", first, bare, 3.0)
        rows.add("run, 10,000 steps, unchanged", second, bare, 3.0)
        rows.add("run, unchanged: 10,000 steps against 10", second, first, 1.5)
    return int(rows.failed)


def command(arguments: list[str]) -> float:
    """Return the best time of an rhflow command."""
    return rig.best_command(rig.python("-m", "rhflow", *arguments), times=9)


def cached_recipe(folder: Path, count: int) -> tuple[Path, list[str], list[str]]:
    """Make a recipe, run it with a fake executor, then run the command once, so that the next answer is a memo."""
    folder.mkdir()
    recipe = generate.write(folder, "recipe", generate.independent(count))
    with prepared(rig.request_for(recipe, folder / "store", folder / "out")) as ready:
        asyncio.run(rig.run_engine(ready, {}, jobs=1000))
    shared, out = [str(recipe), "--simulate", "--store", str(folder / "store")], ["-o", str(folder / "out")]
    rig.best_command(rig.python("-m", "rhflow", "run", *shared, *out), times=1)
    return recipe, shared, out


if __name__ == "__main__":
    sys.exit(main())
