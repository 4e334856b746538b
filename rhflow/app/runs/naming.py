"""What delivered files are called: after the output, or as its ``save_as`` says, or that of the step that made them.

A name follows from the node that a file comes from, never from its bytes: two items that give the same picture are
still two items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rhflow.core.errors import Problem, RecipeError
from rhflow.core.graph.graph import Graph
from rhflow.core.plan.planner import Planner
from rhflow.core.recipe.document import Output
from rhflow.core.recipe.template import Template, Unresolved, as_text
from rhflow.core.values import MEDIA_TYPES, Artifact
from rhflow.store.names import Names, safe_name

_TEXTS = frozenset("ass csv htm html jsonl lrc md srt tsv vtt xml yaml yml".split())
"""Endings besides its own that a text may be given by ``save_as``."""
_WHOLE = 100_000  # bytes: nothing is cut before the name is complete


@dataclass(frozen=True, slots=True)
class Piece:
    """A file with what its name is made of.

    ``stem`` is what the output is called or wants its files called, ``number`` tells it apart from the others of the
    output. ``own`` is the name that the step asks for which made it; ``key`` then tells apart who ask for the same.
    """

    file: Artifact
    label: str
    folder: str = ""
    stem: str | None = None
    number: str | None = None
    own: str | None = None
    key: str | None = None


def name_all(pieces: Iterable[Piece]) -> list[str]:
    """Return for each piece a relative path; all differ, also where upper and lower case do not count."""
    listed, names = list(pieces), Names()
    asked = Counter(_asked(each) for each in listed)
    return [names.take(each.folder + _name(each, shared=asked[_asked(each)] > 1)) for each in listed]


def _asked(piece: Piece) -> tuple[str, str | None, str]:
    return piece.folder, None if piece.own is None else piece.own.casefold(), piece.file.extension


def _name(piece: Piece, *, shared: bool) -> str:
    """Return a file name; ``shared``: others ask for the same."""
    extension = piece.file.extension
    stem, number = (piece.stem, piece.number) if piece.own is None else (piece.own, piece.key if shared else None)
    if stem is not None:
        bare, dot, ending = stem.rpartition(".")
        if dot and piece.file.family == "text" and ending.casefold() in _TEXTS:
            stem, extension = bare, ending.casefold()
        elif dot and MEDIA_TYPES.get(ending.casefold()) == piece.file.media_type:
            stem = bare
    clean = safe_name(stem or "", limit=_WHOLE, otherwise="") or safe_name(piece.label, limit=_WHOLE)
    return safe_name(f"{clean}{'' if number is None else f'-{number}'}.{extension}")


def folder_of(scope: str) -> str:
    """Return the folder of a scope, with a slash at its end: that of a variant, or of a pipeline that is a step."""
    parts = scope.replace("[", "-").replace("]", "").split("/")
    return "".join(f"{safe_name(each)}/" for each in parts if each)


def key_of_node(graph: Graph, name: str) -> str | None:
    """Return the key of an item, with those of the loops around it before it; None for what is in no loop."""
    node = graph.nodes.get(name)
    if node is None:
        return None
    keys = [] if node.binding is None else [node.binding.key]
    scope = graph.scopes.get(node.step.scope)
    while scope is not None:
        keys += [] if scope.binding is None else [scope.binding.key]
        scope = graph.scopes.get(scope.step.scope)
    return "-".join(reversed(keys)) or None


class AskedNames:
    """The names that ``save_as`` asks for; what is wrong with one is added to ``problems``, once, and None stands."""

    def __init__(self, planner: Planner, problems: list[Problem]) -> None:
        self._planner, self._problems = planner, problems
        self._known: dict[str, str | None] = {}

    def of_output(self, output: Output) -> str | None:
        """Return the name that an output asks for."""
        return self._text(output.save_as, scope=output.scope)

    def of_file(self, file: Artifact) -> str | None:
        """Return the name that the step asks for which made a file."""
        if file.origin is None:
            return None
        if (name := file.origin[0]) not in self._known:
            node = self._planner.graph.nodes.get(name)
            self._known[name] = None if node is None else self._text(node.step.save_as, node=name)
        return self._known[name]

    def _text(self, save_as: Unresolved, *, node: str | None = None, scope: str = "") -> str | None:
        if save_as is None:
            return None
        try:
            value = self._planner.value_of(save_as, node=node, scope=scope)
            return as_text(save_as, value) if isinstance(save_as, Template) else str(value)
        except RecipeError as error:
            self._problems += [each for each in error.problems if each not in self._problems]
            return None
