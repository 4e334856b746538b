"""The page that says for every entry of the service's own table of contents which model it is, and how to see it work.

    python tools/coverage.py           write docs/coverage.md
    python tools/coverage.py --check   exit 1 when the page is not what the catalogue gives
    python tools/coverage.py --run     call every model twice on a simulator, with the least and with all it takes
    python tools/coverage.py --run vidu-q2-t2v kling-elements     … or only these

``--run`` makes results of at most 64 pixels a side, ``--size 0`` as large as asked. The contents are kept in
``tools/catalog/contents.tsv``, in their order: section, name, id.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that the script also runs where rhflow is not installed
    sys.path.insert(0, str(ROOT))

from rhflow.app.catalog.example import kind_of  # noqa: E402
from rhflow.catalog.catalog import Catalog  # noqa: E402
from rhflow.core.kinds import Model  # noqa: E402
from rhflow.steps.kinds import all_kinds  # noqa: E402

CONTENTS = ROOT / "tools" / "catalog" / "contents.tsv"
PAGE = ROOT / "docs" / "coverage.md"
_HEAD = "| row | name | id | kind | gives | status | to see it work |\n| ---: | --- | --- | --- | --- | --- | --- |"


@dataclass(frozen=True)
class Listed:
    """One entry of the table of contents."""

    row: int
    section: str
    name: str
    model: Model


def listed(catalog: Catalog) -> list[Listed]:
    """Return the entries in their order, each with the model that its name leads to."""
    found = []
    for row, line in enumerate(CONTENTS.read_text(encoding="utf-8").splitlines(), 1):
        section, name, model_id = line.split("\t")
        model = catalog.find(name)
        if model is None or model.id != model_id:
            raise SystemExit(f"row {row}: {name} does not lead to {model_id}")
        found.append(Listed(row, section, name, model))
    return found


def status_of(model: Model, confidence: str = "high") -> str:
    """Return in words whether a model can be used."""
    if model.status == "active" and model.callable:
        return "works" if confidence == "high" else "works, inputs by other sources"
    why = "withdrawn by the service" if model.callable else "cannot be called"
    return f"{why}; use `{model.successor}`" if model.successor else why


def command_for(model: Model) -> str:
    """Return what to type to see a model work, or what rhflow says instead."""
    if model.status == "active" and model.callable:
        return f"`rhflow models show {model.id} --recipe > try.yaml && rhflow run try.yaml --simulate`"
    return f"`rhflow models show {model.id}`"


def page(catalog: Catalog) -> str:
    """Return the text of the page."""
    entries = listed(catalog)
    counts = Counter(_status(each, catalog).partition(";")[0] for each in entries)
    told = ", ".join(f"{count} × {status}" for status, count in counts.most_common())
    lines = [
        "# Coverage",
        "",
        f"The {len(entries)} entries of the service's “Standard Model API”, in their order"
        f" ({len({each.name for each in entries})} names; some stand there twice): {told}.",
        f"The catalogue of {catalog.as_of} holds {len(catalog.names())} models; `rhflow models list` shows the rest.",
        "",
        "“Works” is said of the simulator: no call of the service stands behind this page. The inputs of a model are"
        " those of the service's public registry; where that is silent, those of its web console and of other clients.",
        "",
        "Every one is found by its id, by this name and by its endpoint. `tests/e2e/test_every_model.py` calls each on"
        " the simulator with the least and with all it takes; `python tools/coverage.py --run` does the same and tells."
        " This page is made by `python tools/coverage.py`.",
    ]
    lines += ["", "## Operations", "", *operations()]
    for section, rows in groupby(entries, key=lambda each: each.section):
        lines += ["", f"## {section}", "", _HEAD, *(_line(each, catalog) for each in rows)]
    return "\n".join(lines) + "\n"


# What a user writes in a recipe and types, by operation
_IN_RECIPES = {
    "submit": "every hosted model", "query": "every paid step", "upload": "every local file",
    "create": "`uses: comfyui`", "workflow-json": "`uses: comfyui`", "run-app": "`uses: app`",
    "app-demo": "`uses: app`", "quick-create": "`uses: quick-create`", "style-params": "`uses: quick-create`",
    "lora-url": "`uses: upload-lora`", "outputs": "progress of `uses: comfyui` and `app`",
    "queue-status": "how many steps run at once", "webhook": "a call whose reply was lost",
    "assets-create": "`image: asset://…` names what it gave",
    "gateway-prompt": "`uses: comfyui` with a `graph` alone", "gateway-upload": "`uses: comfyui` with a `graph` alone",
    "gateway-view": "`uses: comfyui` with a `graph` alone",
}  # fmt: skip
_BY_COMMANDS = {
    "submit": "`rhflow run RECIPE`", "query": "`rhflow task show ID`", "upload": "`rhflow run RECIPE`",
    "create": "`rhflow run RECIPE`", "run-app": "`rhflow run RECIPE`", "quick-create": "`rhflow run RECIPE`",
    "lora-url": "`rhflow run RECIPE`", "price-preview": "`rhflow plan RECIPE --quote`",
    "outputs": "`rhflow run RECIPE`", "workflow-json": "`rhflow workflow show ID`", "cancel": "`rhflow task cancel ID`",
    "app-demo": "`rhflow app show ID`", "app-list": "`rhflow app list`", "style-params": "`rhflow app styles ID`",
    "webhook": "`rhflow webhook listen`", "webhook-detail": "`rhflow webhook show ID`",
    "webhook-resend": "`rhflow webhook resend ID`", "account-status": "`rhflow account`",
    "queue-status": "`rhflow account`", "key-list": "`rhflow account --keys`",
    "resource-list": "`rhflow workflow resources`", "assets-create": "`rhflow asset add FILE`",
    "assets-query": "`rhflow asset show ID`", "assets-list": "`rhflow asset list`",
    "assets-update": "`rhflow asset rename ID NAME`", "assets-delete": "`rhflow asset rm ID`",
    "assets-groups-create": "`rhflow asset group add NAME`", "assets-groups-list": "`rhflow asset group list`",
    "assets-groups-query": "`rhflow asset group show NAME`", "assets-groups-delete": "`rhflow asset group rm NAME`",
    "assets-groups-update": "`rhflow asset group rename NAME NEW`",
    "gateway-prompt": "`rhflow run RECIPE`", "gateway-upload": "`rhflow run RECIPE`",
    "gateway-view": "`rhflow run RECIPE`", "gateway-history-of": "`rhflow task show proxy:ID`",
    "gateway-queue": "`rhflow task show proxy:ID`", "gateway-queue-change": "`rhflow task cancel proxy:ID`",
    "gateway-interrupt": "`rhflow task cancel proxy:ID`",
}  # fmt: skip
# Why there is no command, and what is used instead
_INSTEAD = {
    "status": "`query`, the newer call, tells more", "upload-old": "`upload`, the newer call, takes larger files",
    "run-app-v1": "`run-app`, the newer call, does the same",
    "run-workflow": "`create` does the same, and the service's own pages describe it",
    "gateway-history": "`gateway-history-of` asks for the one prompt that is meant",
    "gateway-object-info": "30 MB; `workflow-json` tells what a workflow takes",
    "gateway-object-info-of": "`workflow-json` tells what a workflow takes",
    "gateway-system-stats": "nothing of a machine that is shared helps a user to decide",
}  # fmt: skip
_TOGETHER = ("assets", "webhook", "gateway")


def operations() -> list[str]:
    """Return the table of the service's operations: every one has a method of the client and works on the simulator."""
    head = (
        "| operation | path | paid | in a recipe | on the command line | on the simulator |\n"
        "| --- | --- | --- | --- | --- | --- |"
    )
    lines = ["`tests/e2e/test_every_operation.py` has the client ask for each and looks at what came of it.", "", head]
    for path in sorted((ROOT / "schemas" / "api").glob("*.schema.json")):
        name = path.name.removesuffix(".schema.json")
        told = json.loads(path.read_text(encoding="utf-8")).get("x-operation", {})
        where = f"`{told['method']} {told['path']}`" if told else "the service's own call"
        shown = next((each for each in _TOGETHER if name.startswith(f"{each}-")), name)
        cells = (
            f"`{name}`", where, "yes" if told.get("paid") else "", _IN_RECIPES.get(name, ""), typed(name),
            f"`pytest tests/e2e/test_every_operation.py -k {shown}`",
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def typed(operation: str) -> str:
    """Return what to type for an operation, or why there is nothing to type."""
    if operation in _BY_COMMANDS:
        return _BY_COMMANDS[operation]
    if operation not in _INSTEAD:
        raise SystemExit(f"tools/coverage.py does not say what the user types for `{operation}`")
    return f"not needed: {_INSTEAD[operation]}"


def _status(entry: Listed, catalog: Catalog) -> str:
    return status_of(entry.model, catalog.row(entry.model.id)["confidence"])


def _line(entry: Listed, catalog: Catalog) -> str:
    model, kind = entry.model, kind_of(entry.model, all_kinds())
    cells = (entry.row, entry.name, f"`{model.id}`", f"`{kind.name if kind else '–'}`", model.output)
    return "| " + " | ".join(map(str, (*cells, _status(entry, catalog), command_for(model)))) + " |"


# --- calling them ----------------------------------------------------------------------------------------------------


def run(catalog: Catalog, names: Sequence[str], *, most: int | None) -> int:
    """Call models and print what came of each; return the exit code."""
    from tools.every_model import call_all

    models = [_named(catalog, each) for each in names] or list(catalog.all())
    usable = [each for each in models if each.callable and each.status == "active"]
    began, worked = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(call_all(usable, Path(folder), most=most))
    wrong = 0
    for model in models:
        for line, failed in _told(model, found.get(model.id, {})):
            wrong += failed
            print(line)
    calls = 2 * len(usable)
    seconds, busy = time.monotonic() - began, time.process_time() - worked
    print(f"\n{len(models)} models, {calls} calls, {wrong} wrong; {seconds:.1f} s, {busy:.1f} s of processor")
    return 1 if wrong else 0


def _told(model: Model, outcomes: dict[Any, Any]) -> Iterator[tuple[str, bool]]:
    if not outcomes:
        yield f"{model.id:42} not called: {status_of(model)}", False
    for extent, outcome in outcomes.items():
        if isinstance(outcome, Exception):
            yield f"{model.id:42} {extent:8} WRONG: {outcome}", True
        else:
            fields = f"{len(outcome.sent)} of {len(model.fields)} fields"
            yield f"{model.id:42} {extent:8} {fields:18} {', '.join(outcome.gave):14} {outcome.told}", False


def _named(catalog: Catalog, name: str) -> Model:
    if (model := catalog.find(name)) is None:
        raise SystemExit(f"there is no model {name}")
    return model


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page, or call models; return the exit code."""
    parser = argparse.ArgumentParser(description="The coverage of the service's models.")
    parser.add_argument("models", nargs="*", help="with --run: only these")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when the page is stale")
    parser.add_argument("--run", action="store_true", help="call the models on a simulator")
    parser.add_argument("--size", type=int, default=64, help="longest side of results in pixels, 0 for as asked")
    options = parser.parse_args(arguments)
    catalog = Catalog.load()
    if options.run:
        return run(catalog, options.models, most=options.size or None)
    text = page(catalog)
    if not options.check:
        PAGE.write_text(text, encoding="utf-8", newline="\n")
    elif not PAGE.is_file() or PAGE.read_bytes() != text.encode():
        print(f"{PAGE} is stale: run `python tools/coverage.py`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
