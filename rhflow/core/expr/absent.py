"""What is not there, in words: the problem of a name or a part that an expression reads in vain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import nodes

from rhflow.core.errors import did_you_mean
from rhflow.core.expr.bounds import SandboxError, named
from rhflow.core.expr.methods import LOOP_MEMBERS, LoopState, methods_of
from rhflow.core.values import ARTIFACT_MEMBERS, Artifact


def no_name(name: str, known: Iterable[str]) -> SandboxError:
    """Say that there is no such name, and which of those known may be meant."""
    return SandboxError("unknown-name", f"`{name}` is not a name", hint=did_you_mean(name, known), snippet=name)


def no_part(owner: Any, name: Any, node: nodes.Node | None) -> SandboxError:
    """Say that ``owner`` has no ``name``, and what it has."""
    path = shown(node) if node is not None else None
    parent = shown(node.node) if isinstance(node, nodes.Getattr | nodes.Getitem) else None
    subject = f"`{parent}`" if parent else named(owner)
    hint = None
    match owner:
        case list() | tuple():
            hint = f"it is a list of {len(owner)}" + (": pick one, as in `[0]`" if owner else "")
        case Artifact():
            hint = did_you_mean(str(name), ARTIFACT_MEMBERS, limit=12)
        case LoopState():
            subject, hint = "`loop`", did_you_mean(str(name), LOOP_MEMBERS, limit=12)
        case Mapping():
            hint = did_you_mean(str(name), [str(each) for each in owner])
        case _:
            pass
    if isinstance(name, str) and name in methods_of(owner):
        return SandboxError("needs-call", f"`{name}` is a method", hint=f"call it: `.{name}()`", snippet=path)
    what = f"`{name}`" if isinstance(name, str | int | float) else f"part that is {named(name)}"
    return SandboxError("unknown-name", f"{subject} has no {what}", hint=hint, snippet=path)


def shown(node: nodes.Node) -> str | None:
    """Return the text of a dotted path, or None where the node is none."""
    match node:
        case nodes.Name(name=name):
            return str(name)
        case nodes.Getattr(node=owner, attr=name) if (before := shown(owner)) is not None:
            return f"{before}.{name}"
        case nodes.Getitem(node=owner, arg=nodes.Const(value=str(name))) if (before := shown(owner)) is not None:
            return f"{before}.{name}"
        case nodes.Getitem(node=owner, arg=nodes.Const(value=int(at))) if (before := shown(owner)) is not None:
            return f"{before}[{at}]"
    return None
