"""From a step with its values to the call that would be made: the kind, the model, the inputs as sent, the key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rhflow.core import canonical
from rhflow.core.cost import UNKNOWN, Estimate, estimate, result_seconds, with_defaults
from rhflow.core.errors import Problem, did_you_mean
from rhflow.core.graph.graph import Node
from rhflow.core.inputs.coerce import LocalFile
from rhflow.core.inputs.signature import Bound, Signature, Trouble
from rhflow.core.kinds import KindSpec, Model, Models
from rhflow.core.plan.promises import Promise
from rhflow.core.recipe.document import Step
from rhflow.core.text.located import Pointer
from rhflow.core.values import Entry, Family, Money, Outputs, Pending, Realm, media_in

_NAMES_OF_FAMILY: Mapping[str, Family] = {
    "image": "image", "images": "image", "video": "video", "videos": "video", "audio": "audio",
}  # fmt: skip


_OF_STEP = frozenset(
    """model foreach matrix variations chain if needs on_error retry timeout pool cache save_as description""".split()
)
_OF_MODEL = frozenset({"late-model", "unknown-model", "wrong-task", "not-callable", "no-default"})


@dataclass(frozen=True, slots=True)
class StepCall:
    """One resolved node, ready to be carried out: the single seam for real, fake and remote execution.

    ``inputs`` are by the service's own names; values are JSON, artifacts, or links. ``ingredients`` are what ``key``
    was made of. ``timeout`` bounds the waiting, in seconds.
    """

    node: str
    kind: KindSpec
    model: Model | None
    inputs: Mapping[str, Any]
    key: str
    ingredients: Mapping[str, Any]
    timeout: float | None = None

    @property
    def subject(self) -> str | None:
        """What is called, by name: a model, a workflow …; None for what rhflow does by itself."""
        return subject_of(self.kind, self.model, self.inputs)


def subject_of(kind: KindSpec, model: Model | None, inputs: Mapping[str, Any]) -> str | None:
    """Return the name of the model, or of what the kind itself calls."""
    if model is not None:
        return model.id
    named = inputs.get(kind.subject) if kind.subject is not None else None
    return f"{kind.subject} {named}" if isinstance(named, str) else None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What carrying a call out gave. ``seconds`` from submit to result; ``cost`` as billed, None where not told."""

    outputs: Outputs
    seconds: float = 0.0
    cost: Money | None = None
    task_id: str | None = None

    def entry(self, key: str, *, ingredients: Mapping[str, Any], model: str | None, created: float) -> Entry:
        """Return what the cache keeps of it under the key of the call."""
        return Entry(key, self.outputs, ingredients, created, self.seconds, self.cost, model, self.task_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """A call as far as it is known: what ``check`` reads, and what becomes a StepCall once nothing is pending."""

    kind: KindSpec
    model: Model | None
    bound: Bound
    tasks: tuple[str, ...] = ()

    @property
    def subject(self) -> str | None:
        """What will be called, by name."""
        return subject_of(self.kind, self.model, self.bound.values)

    def promise(self) -> Promise:
        """Return what the call will give, as far as that can be told."""
        family = self.model.output if self.model is not None else self._own_output()
        if self.kind.joins is not None:
            return Promise(family, _joined_seconds(self.bound.values.get(self.kind.joins)))
        values = self.bound.values if self.model is None else with_defaults(self.model, self.bound.values)
        return Promise(family, result_seconds(values, self.bound.pending))

    def _own_output(self) -> Family:
        """Return what a kind without a model gives."""
        given = [each.type for each in self.kind.fields if each.is_media and each.name in self.bound.values]
        return given[0] if self.kind.keeps and given else self.kind.output  # type: ignore[return-value]

    def estimate(self) -> Estimate:
        """Return what the call costs by the list."""
        if not self.kind.paid:
            return Estimate()
        if self.model is None:
            return UNKNOWN
        return estimate(self.model, self.bound.values, unknown=self.bound.pending)


def _joined_seconds(value: Any) -> float | None:
    """Return the length of media that come one after another, None while one of them is not known."""
    lengths = [None if isinstance(each, Pending) and each.many else each.duration for each in media_in(value)]
    return None if None in lengths or not lengths else sum(each for each in lengths if each is not None)


class NoModelError(Exception):
    """A step whose model cannot be told."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class Calls:
    """Turns steps with values into calls, by the kinds and the catalogue it is given."""

    def __init__(self, kinds: Mapping[str, KindSpec], models: Models) -> None:
        self.kinds = kinds
        self.models = models
        self._signatures: dict[tuple[str, str], Signature] = {}

    def draft(
        self, step: Step, model: Any, given: Mapping[str, Any], local: LocalFile, *, tainted: Collection[str] = ()
    ) -> Draft:
        """Return the call of ``step`` with ``given`` inputs. Raises NoModelError; troubles stay in the draft."""
        kind = self.kinds[step.kind]
        if not kind.tasks:
            signature = self._signature(kind.name, None, kind)
            return Draft(kind, None, signature.bind(given, local, tainted=tainted))
        chosen = self.model_for(kind, model, given)
        signature = self._signature(kind.name, chosen, kind)
        return Draft(kind, chosen, signature.bind(given, local, tainted=tainted))

    def _signature(self, kind_name: str, model: Model | None, kind: KindSpec) -> Signature:
        name = model.id if model is not None else kind_name
        found = self._signatures.get((kind_name, name))
        if found is None:
            found = Signature(name, model.fields if model is not None else kind.fields, model, kind=kind)
            self._signatures[kind_name, name] = found
        return found

    def signature(self, draft: Draft) -> Signature:
        """Return what the model or kind of a draft takes."""
        return self._signature(draft.kind.name, draft.model, draft.kind)

    def model_for(self, kind: KindSpec, reference: Any, given: Mapping[str, Any]) -> Model:
        """Return the model that the step names, or else the default for its task. Raises NoModelError."""
        if isinstance(reference, Pending):
            raise NoModelError(Trouble("model", "late-model", "`model` cannot depend on the output of a step"))
        if reference is None:
            return self._default(kind, given)
        model = self.models.find(str(reference))
        if model is None:
            hint = did_you_mean(str(reference), self.models.names(kind.tasks) or self.models.names(), limit=0)
            hint = hint or f"`rhflow models list --kind {kind.name}` shows what there is"
            raise NoModelError(Trouble("model", "unknown-model", f"there is no model `{reference}`", hint))
        if not set(model.tasks) & set(kind.tasks):
            does = " and ".join(f"`{each}`" for each in model.tasks)
            message = f"model `{model.id}` does {does}, not `{kind.name}`"
            raise NoModelError(Trouble("model", "wrong-task", message, self._other_kind(model)))
        if not model.callable:
            message = f"model `{model.id}` cannot be called: {model.note or 'too little is known of it'}"
            others = f"`rhflow models list --kind {kind.name}` shows others"
            hint = others if model.successor is None else f"use `model: {model.successor}`; {others}"
            raise NoModelError(Trouble("model", "not-callable", message, hint))
        return model

    def _other_kind(self, model: Model) -> str | None:
        fitting = [kind.name for kind in self.kinds.values() if set(kind.tasks) & set(model.tasks)]
        return f"write `uses: {fitting[0]}`" if fitting else None

    def _default(self, kind: KindSpec, given: Mapping[str, Any]) -> Model:
        for task in self._tasks_for(kind, given):
            if (model := self.models.default_for(task)) is not None:
                return model
        names = self.models.names(kind.tasks)
        hint = f"add `model:`, such as `{names[0]}`" if names else f"no model of the catalogue does `{kind.name}`"
        raise NoModelError(Trouble("model", "no-default", f"`{kind.name}` has no default model", hint))

    def _tasks_for(self, kind: KindSpec, given: Mapping[str, Any]) -> Collection[str]:
        """Return the tasks of a kind that fit the media that goes in, best first."""
        if len(kind.tasks) == 1:
            return kind.tasks
        families = [_NAMES_OF_FAMILY.get(name) or family_of_value(value) for name, value in given.items()]
        fitting = [task for family in families if family for task in kind.tasks if task.endswith(f"-{family}")]
        return fitting or kind.tasks


def family_of_value(value: Any) -> Family | None:
    """Return the family of the file that a value holds, or None."""
    first = next(media_in(value), None)
    return None if first is None or first.family == "text" else first.family


def finish(draft: Draft, node: Node, realm: Realm, *, secret: Collection[str] = ()) -> StepCall:
    """Return the call of a draft in which nothing is pending, with its key.

    Of the fields in ``secret`` only a hash goes into the ingredients, which are kept.
    """
    step = node.step
    values = draft.bound.values
    variation = node.binding.variation if node.binding is not None else None
    if variation is not None:
        values = _reseeded(draft, variation)
    keyed: Mapping[str, Any] = values
    if draft.kind.fields and (unkeyed := draft.kind.unkeyed):
        keyed = {name: value for name, value in values.items() if name not in unkeyed}
    ingredients: dict[str, Any] = {
        "kind": draft.kind.name,
        "version": draft.kind.version,
        "endpoint": draft.model.endpoint if draft.model is not None else None,
        "inputs": canonical.canonical(keyed),
        "realm": realm,
    }
    for name in secret:
        if name in ingredients["inputs"]:
            ingredients["inputs"][name] = {"secret": canonical.digest("secret", ingredients["inputs"][name])}
    if step.salt is not None:
        ingredients["salt"] = step.salt
    if variation is not None:
        ingredients["variation"] = variation
    key = canonical.digest("call", ingredients)
    return StepCall(node.id, draft.kind, draft.model, values, key, ingredients, step.timeout)


def _reseeded(draft: Draft, variation: int) -> dict[str, Any]:
    """Return the inputs of one take: where a seed is given, take i uses seed + i - 1, as far as seeds go."""
    values = dict(draft.bound.values)
    for each in draft.model.fields if draft.model is not None else ():
        if each.alias == "seed" and isinstance(seed := values.get(each.name), int) and seed >= 0:
            low, seed = int(each.minimum or 0), seed + variation - 1
            values[each.name] = seed if each.maximum is None else low + (seed - low) % (int(each.maximum) - low + 1)
    return values


def changes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> tuple[str, ...]:
    """Say in words why a call is not the one that was made before."""
    if before is None:
        return ("new",)
    found = []
    if before.get("kind") != now["kind"]:
        found.append("another kind")
    elif before.get("version") != now["version"]:
        found.append("a newer version of its kind")
    if before.get("endpoint") != now["endpoint"]:
        found.append("another model")
    if before.get("salt") != now.get("salt"):
        found.append("another salt")
    if before.get("variation") != now.get("variation"):
        found.append("another take")
    old: Mapping[str, Any] = before.get("inputs", {})
    new: Mapping[str, Any] = now["inputs"]
    found += _changed(old, new)
    return tuple(found) or ("its result is not in the store",)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """Say which members changed; of mappings, which of theirs."""
    for name in new:
        if name not in old:
            yield f"`{inside}{name}` added"
        elif _has_members(old[name]) and _has_members(new[name]) and not inside:
            yield from _changed(old[name], new[name], f"{name}: ")
        elif old[name] != new[name]:
            yield f"`{inside}{name}` changed"
    yield from (f"`{inside}{name}` removed" for name in old if name not in new)


def _has_members(value: Any) -> bool:
    return isinstance(value, dict) and not value.keys() <= {"sha256", "secret"}  # those are files, and hashes


def withdrawn_problem(step: Step, model: Model) -> Problem:
    """Return the problem of a step whose model the service does not offer any more."""
    hint = f"use `model: {model.successor}`" if model.successor else None
    return step.problem("withdrawn-model", f"step `{step.id}`: model `{model.id}` was withdrawn", ("model",), hint=hint)


def trouble_problem(step: Step, trouble: Trouble) -> Problem:
    """Return the problem of an input trouble, at the input, at the model, or else at the step."""
    message = f"step `{step.id}`: {trouble.message}"
    if trouble.code == "unknown-input" and trouble.name in _OF_STEP:
        trouble = replace(trouble, hint=f"move `{trouble.name}` up one level, next to `with`")
    if trouble.name is not None and step.located is not None:
        tail: Pointer = ("model",) if trouble.name == "model" and trouble.code in _OF_MODEL else ("with", trouble.name)
        for head in (step.pointer, ("defaults", step.kind)):
            if (pointer := (*head, *tail)) in step.located.places:
                if trouble.item is not None and (*pointer, trouble.item) in step.located.places:
                    pointer = (*pointer, trouble.item)
                at = step.located.key_span if trouble.code == "unknown-input" else step.located.span
                return Problem(trouble.code, message, at(pointer), trouble.hint)
    return step.key_problem(trouble.code, message, hint=trouble.hint)
