"""What a run hands over, under names a person would give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rhflow.core.errors import RecipeError
from rhflow.core.graph.edges import reads
from rhflow.core.plan.planner import Planner
from rhflow.core.plan.views import EndedView, ItemView, LoopView, PipelineView, StepView, files_of
from rhflow.core.recipe.document import Output
from rhflow.core.values import Artifact
from rhflow.store.deliver import deliver_all, delivery_signature, point_latest
from rhflow.store.names import Names, safe_name
from rhflow.store.store import Store

_BROUGHT_IN = ("upload", "upload-lora")  # what they give is the user's own file


@dataclass(frozen=True, slots=True)
class Delivery:
    """Names and files to deliver, in order, and the outputs with file names in the place of files."""

    files: tuple[tuple[str, Artifact], ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digests(self) -> list[tuple[str, str]]:
        """Return (name, digest) pairs."""
        return [(name, artifact.digest) for name, artifact in self.files]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Something to deliver: under which label, in which variant's folder, and as the author wants it called."""

    label: str
    value: Any
    save_as: str | None = None
    scope: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
    """Names of single files, by digest: what each item of a loop wants its own called."""


def choose(planner: Planner) -> Delivery:
    """Return what to deliver from what has finished: the outputs, or every made file where none are named."""
    names, keys = Names(), _keys(planner)
    files: list[tuple[str, Artifact]] = []
    outputs: dict[str, Any] = {}
    for each in _wanted(planner):
        found = list(files_of([each.value]))
        several = len(found) > 1
        listed = several or isinstance(each.value, list | LoopView)  # of one item today, perhaps of more tomorrow
        taken = []
        for at, artifact in enumerate(found):
            number = (keys.get(artifact.digest) if listed else None) or (str(at + 1) if several else None)
            own = each.own.get(artifact.digest)
            name = _name(own or each.save_as or each.label, artifact, number if own is None else None)
            taken.append(names.take(_folder(each.scope) + name))
        files += zip(taken, found, strict=True)
        group = outputs.setdefault(_folder(each.scope).rstrip("/"), {}) if each.scope else outputs
        group[each.label] = _shown(each.value, iter(taken))
    return Delivery(tuple(files), outputs)


def _wanted(planner: Planner) -> Iterator[_Wanted]:
    """Yield all that can be delivered now."""
    pipeline = planner.pipeline
    if pipeline.outputs is None:
        yield from _everything(planner)
        return
    for output in pipeline.outputs.values():
        try:
            value = planner.value_of(output.value, scope=output.scope)
        except RecipeError:
            if not any(_gave_nothing(planner, each) for each in reads(output.value, "steps")):
                raise
            continue  # it reads a step that did not finish: what did is delivered all the same
        save_as, own = _save_as(planner, output)
        yield _Wanted(output.name, value, save_as, output.scope, own)


def _everything(planner: Planner) -> Iterator[_Wanted]:
    for node in planner.graph.calls():
        step = planner.graph.nodes[node].step
        if isinstance(planner.views.get(node), StepView) and step.kind not in _BROUGHT_IN:
            save_as = None if step.save_as is None else str(planner.value_of(step.save_as, node=node))
            label = node.removeprefix(step.scope).replace("[", "-").removesuffix("]")
            yield _Wanted(label, planner.views[node], save_as, step.scope)


def _folder(scope: str) -> str:
    """Return the folder of a scope: that of a variant, or of a pipeline that is a step."""
    return scope.replace("[", "-").replace("]", "")


def _gave_nothing(planner: Planner, step: str) -> bool:
    """Whether a step, or an item of it, did not finish."""
    nodes = [step, *planner.graph.items.get(step, [])]
    return any(node in planner.endings or node not in planner.views for node in nodes)


def _save_as(planner: Planner, output: Output) -> tuple[str | None, Mapping[str, str]]:
    """Return the name the output asks for, or else the step that it takes its files from: of a loop, one per file."""
    if output.save_as is not None:
        return str(planner.value_of(output.save_as, scope=output.scope)), {}
    steps = [planner.pipeline.steps.get(each) for each in dict.fromkeys(reads(output.value, "steps"))]
    step = steps[0] if len(steps) == 1 else None
    if step is None or step.save_as is None:
        return None, {}
    if step.loop is None:
        return str(planner.value_of(step.save_as, scope=output.scope)), {}
    own: dict[str, str] = {}
    for node in planner.graph.items.get(step.id, []):
        if files := list(files_of([planner.views.get(node)])):
            name = str(planner.value_of(step.save_as, node=node))
            own |= {file.digest: name for file in reversed(files)}
    return None, own


def _keys(planner: Planner) -> dict[str, str]:
    """Return for each file that a loop made the key of its item."""
    found: dict[str, str] = {}
    for members in planner.graph.items.values():
        for node in members:
            view, binding = planner.views.get(node), planner.graph.nodes[node].binding
            if view is None or binding is None:
                continue
            for file in files_of([view]):
                found.setdefault(file.digest, binding.key)
    return found


def _name(stem: str, artifact: Artifact, number: str | None) -> str:
    if stem.casefold().endswith(f".{artifact.extension}"):
        stem = stem[: -len(artifact.extension) - 1]
    return safe_name(f"{stem}{'' if number is None else f'-{number}'}.{artifact.extension}")


def _shown(value: Any, names: Iterator[str]) -> Any:
    """Return a value with file names in the place of files."""
    if isinstance(value, Artifact):
        return next(names)
    if isinstance(value, StepView):
        shown = [next(names) for _ in value.outputs.files]
        return shown[0] if len(shown) == 1 else shown or list(value.outputs.texts)
    if isinstance(value, ItemView):
        return _shown(value.view, names)
    if isinstance(value, PipelineView):
        return {name: _shown(value[name], names) for name in value}
    if isinstance(value, LoopView):
        return {each["key"]: _shown(each, names) for each in value.items_in_order}
    if isinstance(value, EndedView):
        return None
    if isinstance(value, list | tuple):
        return [_shown(each, names) for each in value]
    return {key: _shown(each, names) for key, each in value.items()} if isinstance(value, Mapping) else value


def find_folder(store: Store, delivery: Delivery, out: Path) -> tuple[str, Path] | None:
    """Return the run and folder that already hold exactly these files, if any."""
    return store.deliveries.find_delivery(delivery_signature(delivery.digests, out))


def hand_over(store: Store, delivery: Delivery, folder: Path) -> int:
    """Put every file into ``folder`` and return how many were not there before."""
    return deliver_all(store.blobs, ((artifact.digest, folder / name) for name, artifact in delivery.files))


def settle(store: Store, delivery: Delivery, out: Path, *, run: str, folder: Path) -> None:
    """Remember where the files lie and let ``latest`` point there."""
    store.deliveries.remember_delivery(delivery_signature(delivery.digests, out), run, folder)
    point_latest(folder)
