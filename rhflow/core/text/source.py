"""YAML text to plain data, with the place of every part.

Read from parser *events* in one loop: no recursion, so no nesting can exhaust the stack, and eight times faster than
composing a node tree first. Scalars follow the YAML 1.2 core schema (``16:9`` and ``on`` are strings, ``012`` is
twelve), duplicate keys are refused, alias expansion is bounded and tags that build objects are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from rhflow.core.errors import Problem, RecipeError, Source
from rhflow.core.text.located import Located, Pointer
from rhflow.core.text.scalars import resolve_plain
from rhflow.core.text.syntax import syntax_problem

MAX_DEPTH = 64
MAX_ALIAS_NODES = 100_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE_HINT = "write `<<: *name` of a mapping"


def read(source: Source, *, loader: Any = _LOADER) -> Located:
    """Return the data of a YAML text with places. Raises RecipeError with a span for what is not well-formed.

    ``loader`` is PyYAML's own: the one in C where it is built in, five times as fast as the one in Python.
    """
    text = source.text.removeprefix("\ufeff")
    if text is not source.text:
        source = Source(source.name, text)
    builder = _Builder(source)
    try:
        builder.feed(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        raise RecipeError(syntax_problem(source, error)) from error
    if builder.problems:
        raise RecipeError(builder.problems)
    return Located(source, builder.result, builder.places, builder.keys)


@dataclass(slots=True)
class _Open:
    """A collection that is being read."""

    value: dict[str, Any] | list[Any]
    pointer: Pointer
    start: int
    anchor: str | None
    key: str | None = None
    merging: bool = False
    merges: list[Any] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)


class _Builder:
    """Builds data and places from events, iteratively."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.result: Any = None
        self.places: dict[Pointer, tuple[int, int]] = {}
        self.keys: dict[Pointer, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, Pointer]] = {}
        self._alias_budget = MAX_ALIAS_NODES
        self._documents = 0

    def feed(self, events: Iterable[Any]) -> None:
        """Take all events in."""
        for event in events:
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event, {} if kind is yaml.MappingStartEvent else [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._close(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    self._stop("several-documents", "the file holds more than one document", event, "keep one `---`")

    def _stop(self, code: str, message: str, event: Any, hint: str | None = None) -> None:
        """Raise at once: what follows could only be guessed at."""
        self._report(code, message, event.start_mark.index, event.end_mark.index, hint)
        raise RecipeError(self.problems)

    def _report(self, code: str, message: str, start: int, end: int, hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, self.source.span(start, end), hint))

    def _scalar(self, event: Any) -> None:
        place = (event.start_mark.index, event.end_mark.index)
        top = self._stack[-1] if self._stack else None
        plain = event.style is None or event.style == ""
        if top is not None and type(top.value) is dict and top.key is None:
            self._key(top, event.value, place, merge=plain and event.value == "<<")
            return
        value = self._typed(event, plain)
        pointer = self._place(value, place)
        if event.anchor:
            self._anchors[event.anchor] = (value, pointer)

    def _typed(self, event: Any, plain: bool) -> Any:
        tag = event.tag
        if tag is None:
            return resolve_plain(event.value) if plain else event.value
        if tag in (_TAG + "str", "!"):
            return event.value
        wanted = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}.get(tag.removeprefix(_TAG))
        value = resolve_plain(event.value)
        if wanted is None or not isinstance(value, wanted):  # type: ignore[arg-type]
            self._tag_problem(event)
        return float(value) if wanted == (int, float) else value

    def _tag_problem(self, event: Any) -> None:
        shown = "!!" + event.tag.removeprefix(_TAG) if event.tag.startswith(_TAG) else event.tag
        self._stop("bad-tag", f"the tag `{shown}` is not allowed here", event, "remove the tag: recipes are plain data")

    def _key(self, top: _Open, key: str, place: tuple[int, int], *, merge: bool) -> None:
        if merge:
            top.key, top.merging = key, True
            return
        if key in top.seen:
            line = self.source.span(top.seen[key], top.seen[key]).line
            self._report(
                "duplicate-key", f"the key `{key}` is already used on line {line}", *place, "rename or remove one"
            )
        top.seen[key] = place[0]
        top.key = key
        self.keys[(*top.pointer, key)] = place

    def _next_pointer(self) -> Pointer:
        if not self._stack:
            return ()
        top = self._stack[-1]
        if type(top.value) is list:
            return (*top.pointer, len(top.value))
        return (*top.pointer, "<<" if top.merging else top.key or "")

    def _place(self, value: Any, place: tuple[int, int]) -> Pointer:
        """Put a finished value where it belongs and note its place."""
        pointer = self._next_pointer()
        self.places[pointer] = place
        self._attach(value)
        return pointer

    def _attach(self, value: Any) -> None:
        if not self._stack:
            self.result = value
            return
        top = self._stack[-1]
        if type(top.value) is list:
            top.value.append(value)
        elif top.merging:
            top.merges.append(value)
            top.key, top.merging = None, False
        elif isinstance(top.value, dict):
            top.value[top.key or ""] = value
            top.key = None

    def _open(self, event: Any, value: dict[str, Any] | list[Any]) -> None:
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            at = event.start_mark.index
            if self.source.text[at - 1 : at + 1] == "{{":
                message = "`{{` begins a mapping in YAML, not an expression"
                self._report("bad-key", message, at - 1, at + 1, "write `${{ … }}`, in quotes inside `{ }` or `[ ]`")
                raise RecipeError(self.problems)
            hint = "quote the key if it holds `{` or `[`"
            self._stop("bad-key", "a key must be a single word or text", event, hint)
        if event.tag not in (None, "!", _TAG + "map", _TAG + "seq"):
            self._tag_problem(event)
        if len(self._stack) >= MAX_DEPTH:
            self._too_deep(event)
        self._stack.append(_Open(value, self._next_pointer(), event.start_mark.index, event.anchor))

    def _close(self, event: Any) -> None:
        done = self._stack.pop()
        end = max(done.start, event.end_mark.index)
        if type(done.value) is dict and done.merges:
            self._merge(done)
        self.places[done.pointer] = (done.start, end)
        self._attach(done.value)
        if done.anchor:
            self._anchors[done.anchor] = (done.value, done.pointer)

    def _merge(self, done: _Open) -> None:
        """Fill in members of merged mappings that the mapping itself does not have; earlier ones win."""
        assert isinstance(done.value, dict)
        for merged in done.merges:
            origin = (*done.pointer, "<<")
            listed = [((*origin, at), each) for at, each in enumerate(merged)] if isinstance(merged, list) else None
            for place, each in listed if listed is not None else [(origin, merged)]:
                if not isinstance(each, dict):
                    at, (start, end) = self.places[place], self.places[origin]
                    inside = start <= at[0] < end  # what an alias repeats was written somewhere else
                    at = at if inside else (start, end)
                    self._report("bad-merge", "`<<` merges mappings only", *at, _MERGE_HINT)
                    raise RecipeError(self.problems)
                for key, value in each.items():
                    if key not in done.value:
                        done.value[key] = value
                        self._copy_places(value, (*place, key), (*done.pointer, key))

    def _alias(self, event: Any) -> None:
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            self._stop("bad-key", "an alias cannot be a key", event, "write the key out")
        if event.anchor not in self._anchors:
            hint = "an anchor cannot be used inside itself" if self._is_open(event.anchor) else "define it with `&`"
            self._stop("bad-alias", f"`*{event.anchor}` is not a finished anchor", event, hint)
        value, origin = self._anchors[event.anchor]
        pointer = self._place(_copy(value, self._spend(event)), (event.start_mark.index, event.end_mark.index))
        self._copy_places(value, origin, pointer)

    def _is_open(self, anchor: str) -> bool:
        return any(each.anchor == anchor for each in self._stack)

    def _spend(self, event: Any) -> Callable[[int], None]:
        above = len(self._stack)

        def spend(depth: int) -> None:
            self._alias_budget -= 1
            if self._alias_budget < 0:
                message = f"aliases expand to more than {MAX_ALIAS_NODES:,} values"
                self._stop("alias-bomb", message, event, "use fewer aliases of aliases")
            if above + depth > MAX_DEPTH:
                self._too_deep(event)

        return spend

    def _too_deep(self, event: Any) -> None:
        self._stop("too-deep", f"the file is nested more than {MAX_DEPTH} levels deep", event, "use fewer levels")

    def _copy_places(self, repeated: Any, origin: Pointer, target: Pointer) -> None:
        """Give the parts of a repeated value the places where they were written."""
        stack = [(repeated, origin, target)]
        while stack:
            value, old, new = stack.pop()
            if new not in self.places and old in self.places:
                self.places[new] = self.places[old]
            if new not in self.keys and old in self.keys:
                self.keys[new] = self.keys[old]
            if isinstance(value, dict):
                stack.extend((each, (*old, key), (*new, key)) for key, each in value.items())
            elif isinstance(value, list):
                stack.extend((each, (*old, at), (*new, at)) for at, each in enumerate(value))


def _copy(value: Any, spend: Callable[[int], None]) -> Any:
    """Copy nested data without recursion; ``spend`` is called once a value with its depth and may raise."""
    if not isinstance(value, dict | list):
        spend(0)
        return value
    spend(1)
    root: Any = {} if isinstance(value, dict) else []
    stack = [(value, root, 1)]
    while stack:
        old, new, depth = stack.pop()
        for key, each in old.items() if isinstance(old, dict) else enumerate(old):
            spend(depth + isinstance(each, dict | list))
            fresh: Any = {} if isinstance(each, dict) else [] if isinstance(each, list) else each
            if isinstance(new, dict):
                new[key] = fresh
            else:
                new.append(fresh)
            if isinstance(each, dict | list):
                stack.append((each, fresh, depth + 1))
    return root
