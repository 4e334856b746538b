"""What one call of a model costs: by the list, as the last ones did, and as the service says when it is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rhflow.app.account.account import open_account
from rhflow.app.catalog.example import kind_of
from rhflow.app.catalog.in_force import load_catalog
from rhflow.app.catalog.models import ModelGuide
from rhflow.app.recipes.files import LocalFiles
from rhflow.app.request import Request
from rhflow.app.runs.quotes import Quote, ask
from rhflow.app.runs.records import RecallFromStore
from rhflow.catalog.catalog import Catalog
from rhflow.core.cost import wire_text
from rhflow.core.errors import Problem, UsageError
from rhflow.core.inputs.signature import Bound, Signature
from rhflow.core.kinds import Model
from rhflow.core.plan.calls import Draft, StepCall
from rhflow.core.plan.prices import Prices
from rhflow.core.values import Artifact, Pending
from rhflow.settings import Settings
from rhflow.steps.kinds import all_kinds
from rhflow.store.store import Store

_MISSING = "missing-input"


@dataclass(frozen=True, slots=True)
class Priced:
    """The price of one call: what is expected, and what the service says where it was asked (``asked``).

    ``given`` are the inputs as they are sent, in words; ``missing`` are those without which nothing goes and which
    were not given: the price holds whatever they are.
    """

    model: Model
    given: Mapping[str, str]
    missing: Sequence[str]
    quote: Quote
    asked: bool


def price_of(
    settings: Settings, name: str, given: Sequence[tuple[str, str]], *, quote: bool, upload: bool, simulate: bool
) -> Priced:
    """Return the price of one call of a model, its inputs as typed. Raises RhflowError."""
    catalog = load_catalog(settings)
    model, request = ModelGuide(catalog).find(name), Request(Path(), settings, simulate=simulate)
    kind = kind_of(model, all_kinds())
    if kind is None:
        raise UsageError(Problem("not-callable", f"model `{model.id}` serves no kind of step"))
    with Store.open(settings.store) as store:
        bound, missing = _bound(model, given, LocalFiles(store, Path.cwd()))
        draft = Draft(kind, model, bound)
        expected = Quote(Prices(RecallFromStore(store, "", request.realm)).of(draft))
        inputs = {each: value for each, value in bound.values.items() if not isinstance(value, Pending)}
        if quote:
            if missing:
                hint = "add " + " ".join(f"`{each}=…`" for each in missing)
                raise UsageError(Problem(_MISSING, "the service quotes calls with all their inputs", hint=hint))
            call = StepCall("price", kind, model, inputs, "", {})
            expected = asyncio.run(_quoted(request, store, catalog, call, expected, upload=upload))
    words = {model.by_name[each].alias or each: _word(value) for each, value in inputs.items()}
    return Priced(model, words, missing, expected, quote)


async def _quoted(
    request: Request, store: Store, catalog: Catalog, call: StepCall, expected: Quote, *, upload: bool
) -> Quote:
    async with open_account(request, store, catalog) as account:
        return (await ask([(call, expected.expected)], account.tools, upload=upload))[0]


def _bound(model: Model, given: Sequence[tuple[str, str]], files: LocalFiles) -> tuple[Bound, Sequence[str]]:
    """Return the inputs by the service's own names, and the names of those that are missing, which are left pending.

    Raises UsageError for an input that the model does not take.
    """
    signature = Signature(model.id, model.fields, model)
    bound = signature.bind({name: _value(signature, name, text) for name, text in given}, files)
    if wrong := [each for each in bound.troubles if each.code != _MISSING]:
        raise UsageError(Problem(each.code, each.message, hint=each.hint) for each in wrong)
    needed: list[tuple[str, ...]] = [
        (each.name,) for each in model.fields if each.required and each.name not in bound.values
    ]
    needed += [group for group in model.any_of if not bound.values.keys() & set(group)]
    bound.values |= {group[0]: Pending() for group in needed}
    return replace(bound, troubles=[]), [model.by_name[group[0]].alias or group[0] for group in needed]


def _value(signature: Signature, name: str, text: str) -> Any:
    """Return an input as it was typed: JSON where it is that, a list by commas where the model takes one, else text."""
    try:
        return json.loads(text)
    except ValueError:
        field = signature.field_for(name)
        return text.split(",") if field is not None and field.is_list else text


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_word, value))
    return value.name if isinstance(value, Artifact) else wire_text(value)
