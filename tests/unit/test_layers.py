"""Imports go one way: the doors of docs/architecture.md, read from the syntax trees."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "rhflow"
# Who may import whom, rooms of rhflow only; a room may always import itself
DOORS: dict[str, set[str]] = {
    "core": set(),
    "engine": {"core"},
    "steps": {"core", "runninghub", "catalog", "media"},
    "runninghub": {"core", ""},
    "catalog": {"core", "contract"},
    "media": {"core"},
    "store": {"core"},
    "simulator": {"core", "catalog", "media", "contract"},
    "settings": {"core"},
    "contract": set(),
    "app": {
        "core",
        "engine",
        "steps",
        "runninghub",
        "catalog",
        "media",
        "store",
        "simulator",
        "settings",
        "contract",
        "",
    },
    "cli": {"app", "core", "settings", "contract", ""},
    "": {"cli"},
}
# Inside the core: each file may import only those before it
CORE_ORDER = tuple(
    """
    errors values canonical events kinds cost learnt
    text.syntax text.located text.scalars text.source text.shape
    expr.bounds expr.formats expr.functions expr.lists expr.filters expr.methods expr.operators expr.wording
    expr.tokens expr.grammar expr.absent expr.evaluate expr.blocks expr.sandbox
    inputs.coerce inputs.ratios inputs.signature inputs.describe inputs.input_schema inputs.editor_schema
    recipe.template recipe.document recipe.build recipe.patterns recipe.params recipe.statics recipe.keys recipe.loops
    recipe.tables
    graph.edges graph.spread graph.nesting graph.graph graph.expand graph.draw graph.select graph.schedule
    graph.variants
    plan.views plan.shapes plan.likeness plan.infer plan.outline plan.namespace plan.promises plan.calls plan.references
    plan.check plan.reading plan.former plan.plan plan.prices plan.progress plan.planner plan.dry_run plan.budget
    """.split()
)
CORE_ROOMS = {name.partition(".")[0] for name in CORE_ORDER if "." in name}
# Rooms within a room: each may import only those before it, and single files beside them
INNER = {
    "app": "catalog recipes simulator account runs past service".split(),
    "runninghub": "wire transport operations waiting".split(),
}
HANDS = {"runninghub", "catalog", "media", "store"}
HANDS_MAY_READ = {"errors", "values", "canonical", "events", "kinds"}
EFFECTS = {"asyncio", "httpx", "os", "time", "random", "subprocess", "sqlite3", "socket", "datetime", "pathlib"}


def imports(path: Path) -> set[str]:
    """Return every module that a file imports, with the members of ``from`` imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if (PACKAGE.parent / node.module.replace(".", "/")).is_dir():
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def room(module: str) -> str:
    parts = module.split(".")
    is_member = len(parts) > 1 and ((PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file())
    return parts[1] if is_member and not parts[1].startswith("__") else ""


def member(module: str) -> str:
    """Return the name of a module of the core as the order has it."""
    _, _, *rest = module.split(".")
    return ".".join(rest[:2]) if (PACKAGE / "core" / rest[0]).is_dir() else rest[0]


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_doors(path: Path) -> None:
    here = room(".".join(("rhflow", *path.relative_to(PACKAGE).with_suffix("").parts)))
    used = {room(module) for module in imports(path) if module.split(".")[0] == "rhflow"} - {here}
    assert used <= DOORS[here], f"{path} may not import {used - DOORS[here]}"


def test_every_room_has_a_door() -> None:
    assert {room(".".join(("rhflow", *path.relative_to(PACKAGE).with_suffix("").parts))) for path in FILES} == set(
        DOORS
    )


@pytest.mark.parametrize("path", [p for p in FILES if p.relative_to(PACKAGE).parts[0] in HANDS], ids=str)
def test_hands_read_little_of_the_core(path: Path) -> None:
    used = {module.split(".")[2] for module in imports(path) if module.startswith("rhflow.core.")}
    assert used <= HANDS_MAY_READ


@pytest.mark.parametrize("name", CORE_ORDER)
def test_core_is_pure_and_in_order(name: str) -> None:
    used = imports(PACKAGE / "core" / f"{name.replace('.', '/')}.py")
    assert not {module.split(".")[0] for module in used} & EFFECTS
    inner = {member(module) for module in used if module.startswith("rhflow.core.")} - CORE_ROOMS
    before = set(CORE_ORDER[: CORE_ORDER.index(name)])
    assert inner <= before
    assert name == "graph.graph" or "networkx" not in used


def test_core_order_is_complete() -> None:
    core = PACKAGE / "core"
    found = {".".join(path.relative_to(core).with_suffix("").parts) for path in core.rglob("*.py")}
    assert {name for name in found if not name.endswith("__init__")} == set(CORE_ORDER)


@pytest.mark.parametrize(("outer", "inner"), [(outer, each) for outer, found in INNER.items() for each in found])
def test_inner_rooms_are_in_order(outer: str, inner: str) -> None:
    after = set(INNER[outer][INNER[outer].index(inner) + 1 :])
    for path in (PACKAGE / outer / inner).glob("*.py"):
        used = {module.split(".")[2] for module in imports(path) if module.startswith(f"rhflow.{outer}.")}
        assert not used & after, path


@pytest.mark.parametrize("outer", INNER)
def test_order_of_inner_rooms_is_complete(outer: str) -> None:
    assert {path.parent.name for path in (PACKAGE / outer).glob("*/__init__.py")} == set(INNER[outer])
