"""What ``steps.<id>`` holds in a template, once a step has finished and before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rhflow.core.expr.functions import parse_json
from rhflow.core.recipe.keys import written_key
from rhflow.core.recipe.template import Ref, Unresolved, resolve
from rhflow.core.values import Artifact, Entry, Family, Outputs, Pending


class OutputsView(Mapping[str, Any]):
    """What was made, by the names that recipes use, worked out only where they are read."""

    __slots__ = ("outputs",)

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs

    def __getitem__(self, name: str) -> Any:
        files = self.outputs.files
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
    """The facts and outputs of a finished step."""

    __slots__ = ("_entry", "cached")

    def __init__(self, entry: Entry, *, cached: bool) -> None:
        super().__init__(entry.outputs)
        self.cached = cached
        self._entry = entry

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
                return {node: OutputsView(made) for node, made in self.outputs.by_node().items()}
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


class ScopedViews(Mapping[str, Any]):
    """The steps of one variant, by the ids that its templates know them by."""

    __slots__ = ("_scope", "_views")

    def __init__(self, views: Mapping[str, Any], scope: str) -> None:
        self._views, self._scope = views, scope

    def __getitem__(self, name: str) -> Any:
        return self._views[f"{self._scope}{name}"]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._scope) for name in self._views if name.startswith(self._scope))

    def __len__(self) -> int:
        return sum(1 for _ in self)


OUTPUT_NAMES = (
    "file", "files", "image", "images", "video", "videos", "audio", "audios", "model3d", "text", "texts", "json",
)  # fmt: skip
FACT_NAMES = ("status", "cached", "cost", "seconds", "task_id", "nodes")
_FAMILY_OF_OUTPUT: Mapping[str, Family] = {
    "image": "image", "images": "image", "video": "video", "videos": "video", "audio": "audio", "audios": "audio",
    "model3d": "model3d", "text": "text", "texts": "text", "json": "file",
}  # fmt: skip
FILES = frozenset({"file", "image", "video", "audio", "model3d"})
MANY = frozenset({"files", "images", "videos", "audios", "texts"})
OF_LOOPS = ("items", "status", "files", "images", "videos", "audios", "texts", "cost", "seconds", "cached")


@dataclass(frozen=True, slots=True)
class Promise:
    """What a step that has not run yet will give: a family, and a length in seconds where it is known."""

    family: Family
    seconds: float | None = None


def pending_of(ref: Ref, promises: Mapping[str, Promise]) -> Pending:
    """Return what a reference to an unfinished step will be, as far as its name tells."""
    match ref.path:
        case ("steps", str(), "nodes", _, str(name), *rest):
            return _pending(None, name, many=name in MANY and not rest)  # a node may make what its step does not
        case ("steps", str(), "nodes", *_):
            return Pending()
        case ("steps", str(step), str(name)):
            return _pending(promises.get(step), name, many=name in MANY)
        case ("steps", str(step), str(name), int()) if name in MANY:
            return _pending(promises.get(step), name, many=False)
        case ("steps", str(step), "items"):
            return Pending(many=True)
        case ("steps", str(step), str(), str(name)) if step in promises:  # one item of a loop, by its key
            return _pending(promises[step], name, many=name in MANY)
        case _:
            return Pending()


def _pending(promise: Promise | None, name: str, *, many: bool) -> Pending:
    if name in FACT_NAMES:
        return Pending("text")
    made = promise.family if promise is not None else None
    family = made if name in ("file", "files") else _FAMILY_OF_OUTPUT.get(name)
    seconds = promise.seconds if promise is not None and family == made else None
    return Pending(None if name == "json" else family, many, seconds)


def files_of(values: Iterable[Any]) -> Iterator[Artifact]:
    """Yield the artifacts in values that an output may hold, in order."""
    stack = list(values)[::-1]
    while stack:
        value = stack.pop()
        if isinstance(value, Artifact):
            yield value
        elif isinstance(value, OutputsView):
            stack.extend(reversed(value.outputs.files))
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
