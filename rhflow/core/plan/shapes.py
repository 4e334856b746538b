"""What a value will look like before it is there: its members, its items, its medium; and what it will not have.

A shape is what is known, and ``ANY`` knows nothing: of that nothing is ever wrong. Only what is certain is said, so
that a recipe is never refused for what may turn out well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rhflow.core.errors import did_you_mean, nearest
from rhflow.core.expr.methods import METHODS
from rhflow.core.plan.views import FACT_NAMES, FILES, MANY, OUTPUT_NAMES
from rhflow.core.recipe.keys import written_key
from rhflow.core.recipe.loops import OF_LOOPS
from rhflow.core.values import ARTIFACT_MEMBERS, Family, in_words


@dataclass(frozen=True, slots=True)
class Shape:
    """Something of which nothing is known."""


ANY = Shape()


@dataclass(frozen=True, slots=True)
class Plain(Shape):
    """A text, a number or a truth value; none of them has parts with names."""

    kind: str


TEXT, NUMBER, FLAG = Plain("text"), Plain("number"), Plain("flag")


@dataclass(frozen=True, slots=True)
class FileShape(Shape):
    """A file, and its medium where that is known."""

    family: Family | None = None


@dataclass(frozen=True, slots=True)
class Items(Shape):
    """A list of ``least`` to ``most`` items; ``each`` are the shapes of all of them where they are known."""

    item: Shape = ANY
    least: int = 0
    most: int | None = None
    each: tuple[Shape, ...] = ()


@dataclass(frozen=True, slots=True)
class Data(Shape):
    """A mapping with these members; some of it may be without those in ``lacking``, which tells one that is."""

    members: Mapping[str, Shape]
    lacking: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Made(Shape):
    """What a step gives, or one item of its loop, which has ``facts`` besides: ``key``, ``item`` …

    ``family`` is the medium, None where any may come; ``also`` are others that may come with it. ``outputs`` are those
    of a recipe that is a step. ``single``: it gives one file and no more.
    """

    step: str
    family: Family | None = None
    also: frozenset[str] = frozenset()
    facts: Mapping[str, Callable[[], Shape]] | None = None
    outputs: Mapping[str, Callable[[], Shape]] | None = None
    single: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LoopShape(Shape):
    """A whole loop: of ``least`` to ``most`` items, of which ``done`` at least give something; ``keys`` where known."""

    item: Made
    least: int = 0
    most: int | None = None
    done: int = 0
    keys: Mapping[str, Callable[[], Made]] | None = None


@dataclass(frozen=True, slots=True)
class NodesShape(Shape):
    """What each node of a workflow gave, by the id of the node."""

    step: str


@dataclass(frozen=True, slots=True)
class Absent:
    """What is wrong, most often a part that there is not.

    ``never``: no value of this kind has it, so it is wrong wherever it is read.
    """

    code: str
    message: str
    hint: str | None = None
    never: bool = True
    severity: Literal["error", "warning"] = "error"


Part: TypeAlias = "Shape | Absent"


def part_of(owner: Shape, name: str | int, shown: str) -> Part:
    """Return the shape of a part of what is written as ``shown``, or why there is none."""
    match owner:
        case FileShape():
            return _of_file(name, shown)
        case Items():
            return _of_list(owner, name, shown)
        case Plain() if isinstance(name, str):
            if owner == TEXT and name in METHODS:
                return Absent("needs-call", f"`{name}` is a method", f"call it: `.{name}()`")
            return Absent(
                "unknown-name", f"{shown} has no `{name}`", None if shown == "text" else _WHAT[owner.kind], never=False
            )
        case Data() if isinstance(name, str):
            return _of_data(owner, name, shown)
        case Made() if isinstance(name, str):
            return _of_made(owner, name, shown)
        case LoopShape():
            return _of_loop(owner, name)
        case NodesShape() if isinstance(name, str):
            return Made(owner.step)
        case NodesShape():
            hint = f"write `{shown.strip('`')}['{name}']`"
            return Absent("unknown-part", "the ids of nodes are texts", hint)
        case _:
            return ANY


_WHAT = {"text": "it is a text", "number": "it is a number", "flag": "it is true or false"}


def _of_file(name: str | int, shown: str) -> Part:
    if name in ARTIFACT_MEMBERS:
        return TEXT if name in _TEXTS else NUMBER
    if name in FILES or name in MANY:
        hint = f"it is the file itself: write {shown}" if shown.startswith("`") else "it is the file itself"
    else:
        hint = did_you_mean(str(name), ARTIFACT_MEMBERS, limit=12) or ""
    return Absent("unknown-part", f"{shown} is a file, it has no `{name}`", hint)


_TEXTS = frozenset({"name", "path", "url", "sha256", "media_type"})


def _of_list(owner: Items, name: str | int, shown: str) -> Part:
    if isinstance(name, str):
        return Absent("unknown-part", f"{shown} is a list, it has no `{name}`", "pick one, as in `[0]`")
    if owner.most is not None and not -owner.most <= name < owner.most:
        items = {0: "no items", 1: "one item"}.get(owner.most, f"{owner.most} items")
        hint = f"the first is `[0]`, the last is `[{owner.most - 1}]`" if owner.most else None
        return Absent("unknown-part", f"{shown} has {items}, there is no `[{name}]`", hint, never=False)
    return owner.each[name] if owner.each else owner.item


def _of_data(owner: Data, name: str, shown: str) -> Part:
    if name not in owner.members:
        return Absent("unknown-name", f"{shown} has no `{name}`", did_you_mean(name, owner.members), never=False)
    if name in owner.lacking:
        hint = f"give it one, or write `| default(…)` behind `{name}`"
        return Absent("unknown-name", f"{shown} has no `{name}` in {owner.lacking[name]}", hint, never=False)
    return owner.members[name]


def _of_made(owner: Made, name: str, shown: str) -> Part:
    facts = owner.facts or {}
    if name in facts:
        return facts[name]()
    if owner.outputs is not None and name in owner.outputs:
        return owner.outputs[name]()
    if name not in (OF_RECIPES if owner.outputs is not None else (*OUTPUT_NAMES, *FACT_NAMES)):
        return _nothing_made(owner, name, shown)
    if name in FACT_NAMES:
        return NodesShape(owner.step) if name == "nodes" else _FACTS[name]
    wanted = _family_of(name)
    family = wanted or owner.family
    if wanted is not None and owner.family is not None and wanted != owner.family and wanted not in owner.also:
        many = name in MANY and name != "texts" and owner.family in ("image", "video", "audio")
        hint = f"use `.{owner.family}{'s' if many else ''}`"
        message = f"step `{owner.step}` gives {in_words(owner.family)}, not {in_words(wanted)}"
        return Absent("wrong-output", message, hint)
    if name in MANY:
        most = 1 if owner.single else None
        return Items(TEXT if name == "texts" else FileShape(family), 0, most)
    return ANY if name == "json" else TEXT if name == "text" else FileShape(family)


def _family_of(name: str) -> Family | None:
    """Return the medium that the name of an output tells, if it tells one."""
    if name in ("file", "files"):
        return None
    return "text" if name in ("text", "texts", "json") else name.removesuffix("s")  # type: ignore[return-value]


def _nothing_made(owner: Made, name: str, shown: str) -> Absent:
    """Say that a step does not give this; in an item most likely what the loop before ran over is meant."""
    item = (owner.facts or {}).get("item", lambda: ANY)()
    outputs = owner.outputs if owner.outputs is not None else (*OUTPUT_NAMES, *FACT_NAMES)
    given = [*(owner.facts or {}), *outputs]
    inner = list(item.members) if isinstance(item, Data) else []
    meant = name if name in inner else nearest(name, [*given, *inner])
    if meant is not None and meant not in given:
        hint: str | None = f"did you mean `{f'{shown[1:-1]}.' if shown.startswith('`') else ''}item.{meant}`?"
    else:
        hint = did_you_mean(name, given, limit=24)
    what = f"an item of step `{owner.step}`" if owner.facts is not None else f"step `{owner.step}`"
    return Absent("unknown-output", f"{what} has no `{name}`", hint)


def _of_loop(owner: LoopShape, name: str | int) -> Part:
    if name == "items":
        return Items(owner.item, owner.least, owner.most)
    if name in MANY:
        made = _of_made(owner.item, str(name), "")
        if isinstance(made, Absent):
            return made if owner.item.outputs is None else ANY
        item = made.item if isinstance(made, Items) else ANY
        sure = owner.item.outputs is None and (owner.item.family or "") == str(name).removesuffix("s")
        return Items(item, owner.done if sure or name == "files" else 0, owner.most if owner.item.single else None)
    if name in OF_LOOPS:
        return _FACTS[str(name)]
    if owner.keys is None:
        return owner.item
    found = owner.keys.get(str(name)) or owner.keys.get(written_key(name))
    return owner.item if found is None else found()  # that there is no such key is told where keys are looked at


OF_RECIPES = ("status", "cached", "cost", "seconds", *sorted(FILES | MANY - {"texts"}))
"""What a recipe that is a step gives besides its outputs."""
_FACTS: Mapping[str, Shape] = {
    "status": TEXT, "cached": FLAG, "cost": NUMBER, "seconds": NUMBER, "task_id": TEXT,
}  # fmt: skip
