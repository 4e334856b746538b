"""What ``steps.<id>`` holds in a template, once a step has finished and before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rhflow.core.recipe.keys import written_key
from rhflow.core.recipe.loops import OF_LOOPS
from rhflow.core.recipe.template import Unresolved, resolve
from rhflow.core.values import Artifact, Entry, Outputs


class OutputsView(Mapping[str, Any]):
    """What was made, by the names that recipes use, worked out only where they are read."""

    __slots__ = ("outputs",)

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs

    @property
    def files(self) -> tuple[Artifact, ...]:
        """What was made, as files."""
        return self.outputs.files

    def __getitem__(self, name: str) -> Any:
        files = self.files
        match name:
            case "file":
                return files[0] if files else self._none(name)
            case "files":
                return list(files)
            case "image" | "video" | "audio" | "model3d":
                found = [each for each in files if each.family == name]
                return found[0] if found else self._none(name)
            case "images" | "videos" | "audios":
                return [each for each in files if each.family == name[:-1]]
            case "text":
                return self.outputs.texts[0] if self.outputs.texts else self._none(name)
            case "texts":
                return list(self.outputs.texts)
            case "json":
                from rhflow.core.expr.functions import (
                    parse_json,
                )  # imported late: few recipes read JSON

                return parse_json(self["text"])
            case _:
                return self._none(name)

    def _none(self, name: str) -> Any:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield from (name for name in OUTPUT_NAMES if self._has(name))

    def _has(self, name: str) -> bool:
        try:
            return bool(self[name]) or name in ("files", "texts")
        except (KeyError, ValueError):
            return False

    def __len__(self) -> int:
        return sum(1 for _ in self)


class StepView(OutputsView):
    """The facts and outputs of a finished step; its files tell that they come from ``node``.

    Two nodes that make the same call share one entry, and two calls may give the same bytes: who reads a file must
    still be able to tell whose it is.
    """

    __slots__ = ("_entry", "cached", "node")

    def __init__(self, entry: Entry, *, cached: bool, node: str = "") -> None:
        super().__init__(entry.outputs)
        self.cached, self.node = cached, node
        self._entry = entry

    @property
    def files(self) -> tuple[Artifact, ...]:
        """What was made, as files."""
        return tuple([replace(each, origin=(self.node, at)) for at, each in enumerate(self.outputs.files)])

    def __getitem__(self, name: str) -> Any:
        return self._fact(name) if name in FACT_NAMES else super().__getitem__(name)

    def _fact(self, name: str) -> Any:
        entry = self._entry
        match name:
            case "status":
                return "succeeded"
            case "cached":
                return self.cached
            case "cost":
                return None if entry.cost is None else float(entry.cost.amount)
            case "nodes":
                made = replace(self.outputs, files=self.files).by_node()
                return {node: OutputsView(each) for node, each in made.items()}
            case _:
                return getattr(entry, name)

    def __iter__(self) -> Iterator[str]:
        yield from FACT_NAMES
        yield from super().__iter__()


class EndedView(Mapping[str, Any]):
    """A step that failed or was skipped: only its status can be read."""

    __slots__ = ("_status",)

    def __init__(self, status: str) -> None:
        self._status = status

    def __getitem__(self, name: str) -> Any:
        if name == "status":
            return self._status
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        yield "status"

    def __len__(self) -> int:
        return 1


class ItemView(Mapping[str, Any]):
    """One node of a loop: its facts (``key``, ``index``, ``item`` …), and what it gave."""

    __slots__ = ("_facts", "view")

    def __init__(self, view: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        self.view = view
        self._facts = facts

    def __getitem__(self, name: str) -> Any:
        return self._facts[name] if name in self._facts else self.view[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._facts
        yield from self.view

    def __len__(self) -> int:
        return len(self._facts) + len(self.view)


class LoopView(Mapping[str, Any]):
    """A whole loop: ``items`` in order, each by its key, and the outputs of all of them in one list."""

    __slots__ = ("_by_key", "items_in_order", "status")

    def __init__(self, items: Sequence[ItemView], status: str) -> None:
        self.items_in_order = list(items)
        self.status = status
        self._by_key = {each["key"]: each for each in items}

    def __getitem__(self, name: str) -> Any:
        match name:
            case "items":
                return list(self.items_in_order)
            case "status":
                return self.status
            case "files" | "images" | "videos" | "audios" | "texts":
                return [output for each in self._done() for output in each.get(name, ())]
            case "cost" | "seconds":
                return sum(each[name] or 0 for each in self._done())
            case "cached":
                return all(each[name] for each in self._done())
            case _:
                return self._by_key[name if name in self._by_key else written_key(name)]

    def _done(self) -> list[ItemView]:
        return [each for each in self.items_in_order if each["status"] == "succeeded"]

    def __iter__(self) -> Iterator[str]:
        yield from OF_LOOPS
        yield from self._by_key

    def __len__(self) -> int:
        return len(OF_LOOPS) + len(self._by_key)


class PipelineView(Mapping[str, Any]):
    """A pipeline that was used as a step: its outputs, worked out where they are read, and what all of them hold.

    ``values`` are the outputs with the templates of the pipeline, ``names`` gives what those may read, ``parts`` are
    the views of the steps inside.
    """

    __slots__ = ("_names", "_parts", "_values", "status")

    def __init__(
        self,
        values: Mapping[str, Unresolved],
        names: Callable[[], Mapping[str, Any]],
        parts: Sequence[Mapping[str, Any]],
        status: str,
    ) -> None:
        self._values, self._names, self._parts, self.status = values, names, parts, status

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return resolve(self._values[name], self._names())
        match name:
            case "status":
                return self.status
            case "cached":
                return all(each.get(name, True) for each in self._parts)
            case "cost" | "seconds":
                return sum(each.get(name) or 0 for each in self._parts)
        files = self.files()
        match name:
            case "files":
                return files
            case "images" | "videos" | "audios":
                return [each for each in files if each.family == name[:-1]]
            case "file" | "image" | "video" | "audio" | "model3d":
                found = [each for each in files if name in ("file", each.family)]
                if found:
                    return found[0]
                raise KeyError(name)
            case _:
                raise KeyError(name)

    def files(self) -> list[Artifact]:
        """Return the files in all outputs, in order."""
        return list(files_of(self[name] for name in self._values))

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


OUTPUT_NAMES = (
    "file", "files", "image", "images", "video", "videos", "audio", "audios", "model3d", "text", "texts", "json",
)  # fmt: skip
FACT_NAMES = ("status", "cached", "cost", "seconds", "task_id", "nodes")
FILES = frozenset({"file", "image", "video", "audio", "model3d"})
MANY = frozenset({"files", "images", "videos", "audios", "texts"})


def files_of(values: Iterable[Any]) -> Iterator[Artifact]:
    """Yield the artifacts in values that an output may hold, in order."""
    stack = list(values)[::-1]
    while stack:
        value = stack.pop()
        if isinstance(value, Artifact):
            yield value
        elif isinstance(value, OutputsView):
            stack.extend(reversed(value.files))
        elif isinstance(value, LoopView):
            stack.extend(reversed(value["files"]))
        elif isinstance(value, ItemView):
            stack.append(value.view)
        elif isinstance(value, PipelineView):
            stack.extend(reversed(value.files()))
        elif isinstance(value, EndedView):
            continue
        elif isinstance(value, Mapping):
            stack.extend(reversed(list(value.values())))
        elif isinstance(value, list | tuple):
            stack.extend(reversed(value))
