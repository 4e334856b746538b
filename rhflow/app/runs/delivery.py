"""What a run hands over, under names a person would give.

Whatever is done is handed over: an output that cannot be worked out, or a name that cannot, is told of as a problem
and never keeps paid files from their owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from rhflow.app.report import HEAD, Told
from rhflow.app.runs.naming import AskedNames, Piece, folder_of, key_of_node, name_all
from rhflow.app.runs.telling import SECRET, Texts, hushed, shown, told_of
from rhflow.core.errors import Problem, RecipeError
from rhflow.core.graph.edges import reads
from rhflow.core.plan.planner import Planner
from rhflow.core.plan.reading import reads_any, secrets_of
from rhflow.core.plan.views import LoopView, StepView, files_of
from rhflow.core.recipe.document import Output
from rhflow.core.recipe.template import Template
from rhflow.core.values import Artifact
from rhflow.store.deliver import deliver_all, delivery_signature, point_latest
from rhflow.store.store import Store

_BROUGHT_IN = ("upload", "upload-lora")  # what they give is the user's own file


@dataclass(frozen=True, slots=True)
class Delivery:
    """Names and files to deliver, in order, and the outputs with a ``Name`` in the place of every file.

    ``texts`` are the contents of those files that are texts, by digest; ``told`` the outputs that are values, for
    people; ``problems`` what is wrong with outputs and names.
    """

    files: tuple[tuple[str, Artifact], ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, bytes] = field(default_factory=dict)
    told: tuple[Told, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def digests(self) -> list[tuple[str, str]]:
        """Return (name, digest) pairs."""
        return [(name, artifact.digest) for name, artifact in self.files]

    @property
    def status(self) -> str:
        """Return what a run comes to whose steps are all done."""
        return "failed" if self.problems else "succeeded"

    def to_event(self, folder: Path | None) -> dict[str, Any]:
        """Return the data of ``run.delivered``; ``folder`` is where the files lie, None where there are none."""
        names = [name for name, _ in self.files] if folder is not None else []
        told = [[each.label, each.text, each.size, each.file] for each in self.told[:HEAD]]
        return {"folder": None if folder is None else str(folder), "files": names, "values": told}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Something to deliver: under which label, in which variant's folder, and as the output wants it called.

    A ``secret`` is kept out of files and records. ``empty`` are the loops without items that the value reads, ``node``
    is whose text it is. ``broken``: it cannot be worked out, and ``instead`` is what the steps gave that it reads.
    """

    label: str
    value: Any
    scope: str = ""
    stem: str | None = None
    node: str | None = None
    secret: bool = False
    empty: tuple[str, ...] = ()
    broken: bool = False
    instead: Sequence[Any] = ()


def choose(planner: Planner) -> Delivery:
    """Return what to deliver from what has finished: the outputs, or all that was made where none are named."""
    problems: list[Problem] = []
    names, texts = AskedNames(planner, problems), Texts(_secrets(planner))
    wanted = list(_wanted(planner, names, problems))
    covered = {file.origin for each in wanted for file in files_of([each.value])}
    batches: list[tuple[list[Piece], list[Piece]]] = []
    for each in wanted:
        values = each.instead if each.broken else [each.value]
        files = [file for file in files_of(values) if not each.broken or file.origin not in covered]
        written = [file for value in values for file in texts.of(value, each.node)] if not each.secret else []
        batches.append((list(_pieces(planner, names, each, files)), list(_pieces(planner, names, each, written))))
    pieces = [piece for batch in batches for part in batch for piece in part]
    called = name_all(pieces)
    left, outputs, told = iter(called), dict[str, Any](), list[Told]()
    for each, (files_of_it, texts_of_it) in zip(wanted, batches, strict=True):
        taken = list(islice(left, len(files_of_it)))
        as_files = [(piece.file, name) for piece, name in zip(texts_of_it, islice(left, len(texts_of_it)), strict=True)]
        value = shown(each.value, iter(taken))
        group = outputs.setdefault(folder_of(each.scope).rstrip("/"), {}) if each.scope else outputs
        group[each.label] = hushed(value, texts, every=each.secret)
        told += _told(each, value, as_files, texts)
    everything = tuple([(name, piece.file) for name, piece in zip(called, pieces, strict=True)])
    return Delivery(everything, outputs, texts.contents, tuple(told), tuple(problems))


def _pieces(planner: Planner, names: AskedNames, wanted: _Wanted, files: Sequence[Artifact]) -> Iterator[Piece]:
    """Yield the files of one output with what their names are made of."""
    # Of one item today, perhaps of more tomorrow
    listed = wanted.broken or isinstance(wanted.value, list | LoopView)
    for at, file in enumerate(files):
        key = None if file.origin is None else key_of_node(planner.graph, file.origin[0])
        number = (key if listed else None) or (str(at + 1) if len(files) > 1 else None)
        own = names.of_file(file) if wanted.stem is None else None
        yield Piece(file, wanted.label, folder_of(wanted.scope), wanted.stem, number, own, key)


def _told(wanted: _Wanted, value: Any, files: Sequence[tuple[Artifact, str]], texts: Texts) -> Iterator[Told]:
    """Yield what people are told of an output."""
    label = folder_of(wanted.scope) + wanted.label
    if wanted.secret:
        yield Told(label, SECRET)
    elif wanted.empty and value in (None, "", [], {}):  # 0 and false are values
        yield Told(label, f"nothing, as {_zero(wanted.empty)}")
    else:
        yield from told_of(label, wanted.value, value, files, texts)


def _wanted(planner: Planner, names: AskedNames, problems: list[Problem]) -> Iterator[_Wanted]:
    """Yield all that can be delivered now; what is wrong is added to ``problems``."""
    pipeline = planner.pipeline
    if pipeline.outputs is None:
        yield from _everything(planner)
        return
    hidden = secrets_of(pipeline)
    for output in pipeline.outputs.values():
        steps = list(dict.fromkeys(reads(output.value, "steps")))
        empty = tuple([each for each in steps if each in planner.graph.nodes and planner.graph.is_empty(each)])
        try:
            value = planner.value_of(output.value, scope=output.scope)
        except RecipeError as error:
            if any(_gave_nothing(planner, each) for each in steps):
                continue  # what did finish is delivered all the same
            problems += [replace(each, hint=_with_zero(each.hint, empty)) for each in error.problems]
            made = [planner.views[each] for each in steps if each in planner.views]
            stem = names.of_output(output)
            yield _Wanted(output.name, None, output.scope, stem, broken=True, instead=made)
            continue
        secret = bool(hidden) and reads_any(output.value, hidden)
        stem, node = names.of_output(output), _text_of(planner, output)
        yield _Wanted(output.name, value, output.scope, stem, node, secret, empty)


def _zero(empty: Sequence[str]) -> str:
    """Say which loops have no items."""
    return " and ".join(f"`{each}`" for each in empty) + (" has 0 items" if len(empty) == 1 else " have 0 items")


def _with_zero(hint: str | None, empty: Sequence[str]) -> str | None:
    return "; ".join([each for each in (hint, _zero(empty)) if each]) if empty else hint


def _everything(planner: Planner) -> Iterator[_Wanted]:
    for node in planner.graph.calls():
        step = planner.graph.nodes[node].step
        if isinstance(planner.views.get(node), StepView) and step.kind not in _BROUGHT_IN:
            label = node.removeprefix(step.scope).replace("[", "-").removesuffix("]")
            yield _Wanted(label, planner.views[node], step.scope)


def _secrets(planner: Planner) -> frozenset[str]:
    """Return the values of secret parameters, as texts; one of a few letters hides nothing."""
    world, secret = planner.world, [each.name for each in planner.pipeline.params.values() if each.secret]
    values = (str(names.params.get(name, "")) for names in (world.names, *world.scopes.values()) for name in secret)
    return frozenset(each for each in values if len(each) > 3)


def _gave_nothing(planner: Planner, step: str) -> bool:
    """Whether a step, or an item of it, did not finish."""
    nodes = [step, *planner.graph.items.get(step, [])]
    return any(node in planner.endings or node not in planner.views for node in nodes)


def _text_of(planner: Planner, output: Output) -> str | None:
    """Return the step whose text an output is, as it stands or read as JSON."""
    value = output.value
    if isinstance(value, Template) and value.exact and value.parts is not None and len(value.refs) == 1:
        match value.refs[0].path:
            case ("steps", str(step), "text" | "json") if step in planner.graph.nodes:
                return step
    return None


def find_folder(store: Store, delivery: Delivery, beside: Path) -> tuple[str, Path] | None:
    """Return the run and folder that already hold exactly these files, if any, among those ``beside`` each other.

    Only a run that came to what this delivery comes to: once a recipe is mended, a failed run is not the answer.
    """
    found = store.deliveries.find_delivery(delivery_signature(delivery.digests, beside))
    same = found is not None and store.journal.status_of(found[0]) == delivery.status
    return found if same else None


def hand_over(store: Store, delivery: Delivery, folder: Path) -> int:
    """Put every file into ``folder`` and return how many were not there before."""
    files = ((artifact.digest, folder / name) for name, artifact in delivery.files)
    return deliver_all(store.blobs, files, delivery.texts)


def settle(store: Store, delivery: Delivery, *, run: str, folder: Path) -> None:
    """Remember where the files lie and let ``latest`` point there."""
    store.deliveries.remember_delivery(delivery_signature(delivery.digests, folder.parent), run, folder)
    point_latest(folder)
