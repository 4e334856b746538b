"""The catalogue as users look at it: listed, searched, and one model in full."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rhflow.app.catalog.example import example, kind_of
from rhflow.catalog.catalog import Catalog
from rhflow.catalog.rows import display_names
from rhflow.core.errors import Problem, UsageError, did_you_mean, nearest
from rhflow.core.inputs.describe import limit_words, type_words, usual_price, value_words, values_words
from rhflow.core.inputs.inputs import Signature
from rhflow.core.kinds import Field, KindSpec, Model, Price
from rhflow.steps.kinds import all_kinds

_STAND_INS = ("image", "images", "first_frame", "video", "videos", "audio", "audios")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which models to list; an empty condition holds for all. ``every`` adds those that are of no use to a recipe."""

    task: str | None = None
    output: str | None = None
    vendor: str | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in a list. ``default_for`` names the tasks it serves when a step names no model."""

    model: Model
    price: str
    default_for: tuple[str, ...]

    @property
    def mark(self) -> str:
        """What sets this model apart, in words."""
        if not _usable(self.model):
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

    def entry(self, model: Model) -> Entry:
        """Return a model as it is listed."""
        return Entry(model, usual_price(model), tuple(self._defaults.get(model.id, ())))

    def select(self, wanted: Wanted) -> Sequence[Entry]:
        """Return the models that meet every condition, by id. Raises UsageError for a value that no model has."""
        models = self._catalog.all()
        tasks = self._tasks(wanted.task, models)
        _check("output", wanted.output, {each.output for each in models})
        _check("vendor", wanted.vendor, {each.vendor for each in models})
        return [
            self.entry(each)
            for each in models
            if (wanted.every or _usable(each))
            and (tasks is None or set(each.tasks) & tasks)
            and wanted.output in (None, each.output)
            and wanted.vendor in (None, each.vendor)
        ]

    def _tasks(self, named: str | None, models: Sequence[Model]) -> set[str] | None:
        """Return the tasks of a kind or of the catalogue that a name stands for."""
        if named is None:
            return None
        if (kind := self._kinds.get(named)) is not None and kind.tasks:
            return set(kind.tasks)
        tasks = {task for each in models for task in each.tasks}
        _check("task", named, tasks | {name for name, kind in self._kinds.items() if kind.tasks})
        return {named}

    def search(self, words: Sequence[str]) -> Sequence[Entry]:
        """Return the models in which every word is found, the best first. Raises UsageError when there is none."""
        asked = [word for each in words for word in each.casefold().split()]
        found = []
        for model in self._catalog.all():
            texts = self._texts(model)
            scores = [_score(word, texts) for word in asked]
            if scores and all(scores):
                found.append((not _usable(model), -sum(scores), len(model.id), model.id, model))
        if not found:
            raise UsageError(Problem("no-match", f"no model matches `{' '.join(words)}`", hint=self._near(asked)))
        return [self.entry(model) for *_, model in sorted(found, key=lambda each: each[:4])]

    def _texts(self, model: Model) -> Sequence[tuple[int, str]]:
        """Return where words are looked for, with what a find there is worth."""
        row = self._catalog.row(model.id)
        others = [*display_names(row), model.vendor, row["family"]]
        named = [(4, model.id), *((2, text) for text in others), *((1, task) for task in model.tasks)]
        return [(worth, text.casefold()) for worth, text in named]

    def _near(self, words: Sequence[str]) -> str:
        texts = {text for each in self._catalog.all() for _, text in self._texts(each)}
        known = {part for text in texts for part in re.split(r"[^a-z]+", text) if len(part) > 2}
        corrected = [word if any(word in text for text in texts) else nearest(word, sorted(known)) for word in words]
        if all(corrected) and corrected != [*words]:
            return f"did you mean `rhflow models search {' '.join(map(str, corrected))}`?"
        return "`rhflow models list` shows them all; fewer words find more"

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
        hint = f"`rhflow models show {model.successor}`" if model.successor else "`rhflow models search` finds others"
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


def _score(word: str, texts: Sequence[tuple[int, str]]) -> int:
    """Return how well a word is found: most as a whole part of an id, least inside another word."""
    best = 0
    for worth, text in texts:
        if word in text:
            parts = re.split(r"[^a-z0-9]+", text)
            fit = (
                4 if word == text else 3 if word in parts else 2 if any(each.startswith(word) for each in parts) else 1
            )
            best = max(best, worth * fit)
    return best


def _check(what: str, value: str | None, known: Collection[str]) -> None:
    if value is not None and value not in known:
        hint = did_you_mean(value, sorted(known), limit=40)
        raise UsageError(Problem("bad-option", f"no model has the {what} `{value}`", hint=hint))
