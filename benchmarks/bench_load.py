"""From text to plan: loading, checking and planning 10,000 nodes, against only parsing and validating their text."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import generate
import rig
import yaml
from jsonschema import Draft202012Validator
from table import Rows

from rhflow.app.runs.prepare import make_plan
from rhflow.cli.main import collect_seldom
from rhflow.contract import load_schema

NODES = 10_000


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    collect_seldom()
    rows = Rows()
    with tempfile.TemporaryDirectory() as folder:
        measure(rows, Path(folder), f"{NODES:,} written steps", generate.independent(NODES), bound=3.0)
        # A loop of a few bytes an item is next to nothing to parse: only to be looked at
        measure(rows, Path(folder), f"{NODES:,} nodes of two loops", generate.loops(NODES // 2))
    return int(rows.failed)


def measure(rows: Rows, root: Path, name: str, text: str, bound: float | None = None) -> None:
    """Measure one recipe, best of three."""
    recipe = generate.write(root, "recipe", text)
    request = rig.request_for(recipe, root / "store", root / "out")
    validator = Draft202012Validator(load_schema("pipeline"))

    def bare() -> None:
        list(validator.iter_errors(yaml.load(text, Loader=yaml.CSafeLoader)))  # type: ignore[attr-defined]

    planned = min(rig.timed(lambda: make_plan(request)) for _ in range(3))
    parsed = min(rig.timed(bare) for _ in range(3))
    rows.add(f"{name}: load, check, plan / PyYAML's C loader and jsonschema", planned, parsed, bound)


if __name__ == "__main__":
    sys.exit(main())
