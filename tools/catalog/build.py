"""Build ``rhflow/catalog/models.json`` from ``facts.json``.

    python tools/catalog/build.py            write the file
    python tools/catalog/build.py --check    exit 1 when the file is not what the facts give
    python tools/catalog/build.py --defaults also print who serves each task, with the runners-up
    python tools/catalog/build.py --facts newer.json -o mine.json     for `rhflow models update mine.json`

The facts are kept as they were found; everything that is our reading of them (uniform names, what a price means,
the default of each task) is made here, so that it can change without touching a fact. Needs nothing but Python, and
gives the same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
if str(ROOT) not in sys.path:  # so that the script also runs where rhflow is not installed
    sys.path.insert(0, str(ROOT))

from rhflow.catalog.catalog import FORMAT, references  # noqa: E402
from tools.catalog.defaults import EXPECTED, compute_defaults, ranked  # noqa: E402
from tools.catalog.transform import add_successors, model_row  # noqa: E402

FACTS = HERE / "facts.json"
TARGET = ROOT / "rhflow" / "catalog" / "models.json"


def build(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the catalogue that the facts give, models by id."""
    rows = sorted((model_row(each) for each in facts["models"]), key=lambda row: str(row["id"]))
    add_successors(rows)
    refuse_ambiguity(rows)
    refuse_unknown_tasks(rows, facts["task_vocabulary"])
    return {"format": FORMAT, "as_of": facts["as_of"], "defaults": compute_defaults(rows), "models": rows}


def refuse_ambiguity(rows: Sequence[dict[str, Any]]) -> None:
    """End the build when a text stands for two models: looking up must never guess."""
    owner: dict[str, str] = {}
    for row in rows:
        for reference in references(row):
            if owner.setdefault(reference.casefold(), row["id"]) != row["id"]:
                raise SystemExit(f"facts.json: {reference} stands for {owner[reference.casefold()]} and {row['id']}")


def refuse_unknown_tasks(rows: Sequence[dict[str, Any]], vocabulary: Sequence[str]) -> None:
    """End the build when a model names a task that is none."""
    for row in rows:
        if unknown := set(row["tasks"]) - set(vocabulary):
            raise SystemExit(f"facts.json: {row['id']} has the unknown task {min(unknown)}")


def render(catalog: dict[str, Any]) -> str:
    """Return the file's text: compact, one model per line, so that a change to one model is a change to one line."""
    head = {name: value for name, value in catalog.items() if name != "models"}
    lines = [f"{_compact(name)}:{_compact(value)}," for name, value in head.items()]
    models = ",\n".join(_compact(row) for row in catalog["models"])
    return "{\n" + "\n".join(lines) + '\n"models":[\n' + models + "\n]\n}\n"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def print_defaults(catalog: dict[str, Any]) -> None:
    """Print the default of each task, the price of the call it was chosen by, and up to four runners-up."""
    for task in EXPECTED:
        shown = [f"{each.model.id} {each.cost}" for each in ranked(catalog["models"], task)[:5]]
        print(f"{task:20} " + " | ".join(shown))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; return the exit code."""
    parser = argparse.ArgumentParser(description="Build the model catalogue from the facts.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when the file is stale")
    parser.add_argument("--defaults", action="store_true", help="print the default of each task and its runners-up")
    parser.add_argument("--facts", type=Path, default=FACTS, help="other facts")
    parser.add_argument("-o", "--output", type=Path, default=TARGET, help="another catalogue")
    options = parser.parse_args(arguments)
    catalog = build(json.loads(options.facts.read_text(encoding="utf-8")))
    text = render(catalog)
    target: Path = options.output
    if options.defaults:
        print_defaults(catalog)
    if not options.check:
        target.write_text(text, encoding="utf-8", newline="\n")
        return 0
    if target.is_file() and target.read_bytes() == text.encode():
        return 0
    print(f"{target} is stale: run `python tools/catalog/build.py`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
