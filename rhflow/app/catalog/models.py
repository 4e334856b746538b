"""The catalogue as users look at it: listed, searched, and one model in full."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rhflow.app.catalog.abilities import Abilities
from rhflow.app.catalog.example import example, kind_of
from rhflow.app.catalog.search import Search
from rhflow.app.catalog.wanted import Wanted
from rhflow.catalog.catalog import Catalog
from rhflow.core.errors import Problem, UsageError, did_you_mean
from rhflow.core.inputs.describe import limit_words, type_words, value_words, values_words
from rhflow.core.inputs.signature import Signature
from rhflow.core.kinds import Field, KindSpec, Model, Price
from rhflow.steps.kinds import all_kinds

_STAND_INS = ("image", "images", "first_frame", "video", "videos", "audio", "audios")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in a list. ``default_for`` names the tasks it serves when a step names no model.

    ``kind`` is what it is listed as: the kind that was asked for, or else the first that it serves.
    """

    model: Model
    kind: str
    price: str
    default_for: tuple[str, ...]

    @property
    def of_no_use(self) -> bool:
        """Whether a recipe should not name it."""
        return not _usable(self.model)

    @property
    def takes(self) -> list[str]:
        """What it can be asked for, in short."""
        return Abilities(self.model).words()

    @property
    def mark(self) -> str:
        """What sets this model apart, in words."""
        if self.of_no_use:
            why = "withdrawn" if self.model.callable else "cannot be called"
            return f"{why}, use {self.model.successor}" if self.model.successor else why
        return f"default for {', '.join(self.default_for)}" if self.default_for else ""

    def to_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        model = self.model
        return {
            "id": model.id,
            "title": model.title,
            "tasks": list(model.tasks),
            "output": model.output,
            "vendor": model.vendor,
            "price": self.price,
            "can": Abilities(model).to_json(),
            "default_for": list(self.default_for),
            "status": model.status,
            "callable": model.callable,
            "successor": model.successor,
        }


@dataclass(frozen=True, slots=True)
class Input:
    """One input in words. ``own`` is the service's name for it where that is another."""

    name: str
    own: str
    type: str
    required: bool
    default: Any
    values: str
    limits: str


class ModelGuide:
    """Answers questions about the models of a catalogue, the shipped one by default."""

    def __init__(self, catalog: Catalog | None = None, kinds: Mapping[str, KindSpec] | None = None) -> None:
        self._catalog = catalog or Catalog.load()
        self._kinds = kinds or all_kinds()
        self._defaults: dict[str, list[str]] = {}
        for task in sorted({task for each in self._catalog.all() for task in each.tasks}):
            if (model := self._catalog.default_for(task)) is not None:
                self._defaults.setdefault(model.id, []).append(task)

    @property
    def as_of(self) -> str:
        """The day of the catalogue."""
        return self._catalog.as_of

    def entry(self, model: Model, wanted: Wanted | None = None) -> Entry:
        """Return a model as it is listed, with the price of a call as it is wanted."""
        wanted = wanted or Wanted()
        asked = self.tasks(wanted.kinds)
        task = next((each for each in model.tasks if each in asked), model.tasks[0])
        kind = next((name for name, each in self._kinds.items() if task in each.tasks), task)
        return Entry(model, kind, wanted.price(model), tuple(self._defaults.get(model.id, ())))

    def by_kind(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return entries in the order of the kinds, the default of each first."""
        order = {name: at for at, name in enumerate(self._kinds)}
        return sorted(entries, key=lambda each: (order.get(each.kind, len(order)), not each.default_for))

    def described(self, kind: str) -> str:
        """Return what a kind of step makes, in words."""
        return self._kinds[kind].description if kind in self._kinds else ""

    def select(self, wanted: Wanted) -> Sequence[Entry]:
        """Return the models that meet every condition, by id. Raises UsageError for a value that no model has."""
        self._require_known(wanted)
        tasks = self.tasks(wanted.kinds)
        found = [each for each in self._catalog.all() if wanted.every or _usable(each)]
        return [self.entry(each, wanted) for each in found if wanted.holds(each, tasks)]

    def search(self, words: Sequence[str], wanted: Wanted | None = None) -> Sequence[Entry]:
        """Return the models for which every word and condition holds, the best first; those of no use come last.

        Raises UsageError when there is none, with what to try.
        """
        wanted = wanted or Wanted()
        self._require_known(wanted)
        search = Search(self._catalog, self._kinds, self._defaults, self.tasks)
        asked = search.vocabulary.read(words)
        found = search.find(asked) if asked.terms or asked.cheap else []
        if not found:
            hint = search.instead(words)
            raise UsageError(Problem("no-match", f"no model matches `{' '.join(words)}`", hint=hint))
        tasks, listed = self.tasks(wanted.kinds), wanted.meant_as(asked.together)
        return [self.entry(each, listed) for each in found if wanted.holds(each, tasks)]

    def tasks(self, kinds: Sequence[str]) -> frozenset[str]:
        """Return the tasks of the catalogue that kinds of step, or the tasks themselves, stand for."""
        known = (self._kinds.get(each) for each in kinds)
        return frozenset(kinds).union(*(kind.tasks for kind in known if kind is not None))

    def _require_known(self, wanted: Wanted) -> None:
        """Raise UsageError for a condition that no model meets."""
        models = self._catalog.all()
        can = [Abilities(each) for each in models]
        tasks = {task for each in models for task in each.tasks}
        for kind in wanted.kinds:
            _check("kind", kind, tasks | {name for name, each in self._kinds.items() if each.tasks})
        _check("output", wanted.output, {each.output for each in models})
        _check("vendor", wanted.vendor, {each.vendor for each in models})
        _check("resolution", wanted.resolution, {text for each in can for text in each.resolutions})
        _check("aspect ratio", wanted.ratio, {text for each in can for text in each.ratios})

    def find(self, reference: str) -> Model:
        """Return the model with this id, display name or endpoint. Raises UsageError with the nearest id."""
        model = self._catalog.find(reference)
        if model is not None:
            return model
        hint = did_you_mean(reference, self._catalog.names(), limit=0)
        hint = hint or "`rhflow models search WORD` finds models by parts of their names"
        raise UsageError(Problem("unknown-model", f"there is no model `{reference}`", hint=hint))

    def does(self, model: Model) -> str:
        """Return in words what a model is for: what its kinds of step make."""
        served = [kind.description for kind in self._kinds.values() if set(kind.tasks) & set(model.tasks)]
        return "; ".join(served)

    def example(self, model: Model) -> str | None:
        """Return a recipe that calls the model, or None where that cannot work."""
        return example(model, self._kinds)

    def recipe(self, model: Model) -> str:
        """Return a recipe that calls the model. Raises UsageError for one that cannot be called, or not any more."""
        if (text := self.example(model)) is not None:
            return text
        why = "was withdrawn by the service" if model.callable else f"cannot be called: {model.note}"
        others = "`rhflow models search WORD` finds others"
        hint = f"`rhflow models show {model.successor}`" if model.successor else others
        raise UsageError(Problem("not-callable", f"model `{model.id}` {why}", hint=hint))

    def to_json(self, model: Model) -> dict[str, Any]:
        """Return everything about a model as scripts read it."""
        kind = kind_of(model, self._kinds)
        return {
            **self.entry(model).to_json(),
            "uses": kind.name if kind is not None else None,
            "endpoint": model.endpoint,
            "does": self.does(model),
            "note": model.note,
            "list_price": None if model.price is None else _price_json(model.price),
            "inputs": [_field_json(each) for each in model.fields],
            "one_of": [list(group) for group in model.any_of],
            "example": self.example(model),
        }


def inputs_of(model: Model) -> Iterator[Input]:
    """Yield the inputs of a model: those without which nothing goes first."""
    fields = sorted(model.fields, key=lambda each: not (each.required and each.default is None))
    for each in fields:
        name = each.alias or each.name
        yield Input(
            name=name,
            own=each.name if name != each.name else "",
            type=type_words(each),
            required=each.required and each.default is None,
            default=None if each.default is None else value_words(each.default),
            values=values_words(each),
            limits=limit_words(each),
        )
    for alias, names in model.spread.items():
        over = ", ".join(f"`{name}`" for name in names)
        yield Input(alias, "", "images", False, None, "", f"up to {len(names)}, one each for {over}")


def stand_ins(model: Model) -> Mapping[str, Sequence[str]]:
    """Return the inputs that are also taken by other uniform names, with these: what makes models easy to swap."""
    signature = Signature(model.id, model.fields, model)
    found: dict[str, list[str]] = {}
    for name in _STAND_INS:
        field = signature.field_for(name)
        if field is not None and name not in (field.name, field.alias) and name not in model.spread:
            found.setdefault(field.alias or field.name, []).append(name)
    return found


def _price_json(price: Price) -> dict[str, Any]:
    amounts = {name: None if (amount := getattr(price, name)) is None else str(amount) for name in ("fixed", "lowest")}
    rules = [{"when": dict(conditions), "price": str(amount)} for conditions, amount in price.rules]
    return {**asdict(price), **amounts, "rules": rules}


def _field_json(field: Field) -> dict[str, Any]:
    members = asdict(field)
    alias = members.pop("alias")
    return {**members, "name": alias or field.name, "own_name": field.name}


def _usable(model: Model) -> bool:
    return model.callable and model.status == "active"


def _check(what: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        hint = did_you_mean(value, sorted(known), limit=40)
        raise UsageError(Problem("bad-option", f"no model has the {what} `{value}`", hint=hint))
