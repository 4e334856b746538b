"""What calls without a list price cost: as much as their last ones did.

Workflows and AI apps are charged by what they took, and some models are on no list. A call is held to be like an
earlier one when the same is run with the same settings on the same machine: texts, files and seeds may differ, as they
seldom change the price. So the range of the last bills is told, and always as an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rhflow.core.cost import UNKNOWN, Estimate, estimate, result_seconds, wire_text, with_defaults
from rhflow.core.kinds import Field, KindSpec, Model
from rhflow.core.values import Artifact, Money, Pending, media_in

_SETTINGS = frozenset({"enum", "enum[]", "boolean", "integer", "number"})
_NO_SETTINGS = frozenset({"seed", "password"})


def label_of(kind: KindSpec, model: Model | None, inputs: Mapping[str, Any], money: str = "CNY") -> str | None:
    """Return what the price of a call is learnt by, None for one that is free or has a list price in ``money``.

    ``inputs`` are by the service's own names. None as well while something that belongs to it is not known yet.
    """
    if not kind.paid:
        return None
    given = inputs if model is None else with_defaults(model, inputs)
    fields = kind.fields if model is None else model.fields
    settings = sorted(
        (each.name, given[each.name]) for each in fields if each.name in given and _is_setting(each, model)
    )
    unknown = {name for name, value in given.items() if any(isinstance(each, Pending) for each in media_in(value))}
    if any(name in unknown for name, _ in settings):
        return None
    listed = UNKNOWN if model is None else estimate(model, inputs, unknown=unknown, seconds=1.0)
    if listed.known and listed.currency == money:
        return None  # the list tells, be it only once the length of the result is known
    parts = [f"{name}={_text(value)}" for name, value in settings if value is not None]
    if model is not None and "duration" not in given and (length := result_seconds(given, unknown)) is not None:
        parts.append(f"{math.ceil(length)}s")
    return " ".join([kind.name if model is None else model.id, *parts])


def learnt(bills: Sequence[Money]) -> Estimate | None:
    """Return the range of what calls of one label cost, the latest last; None where nothing is known.

    Only what was paid in the currencies of the last one counts. A bill of nothing teaches nothing: no price is ever
    taken for zero by mistake.
    """
    paid = [amounts for each in bills if any((amounts := {part.currency: part.amount for part in each.parts}).values())]
    alike = [each for each in paid if each.keys() == paid[-1].keys()]
    if not alike:
        return None
    found = {name: [each[name] for each in alike] for name in alike[-1]}
    first, *also = [Estimate(min(each), max(each), name, len(alike)) for name, each in found.items()]
    return replace(first, also=tuple(also))


def _is_setting(field: Field, model: Model | None) -> bool:
    """Whether a field is taken to make a price differ; of a kind of rhflow's own, its texts say what is run."""
    if field.name in _NO_SETTINGS or field.alias in _NO_SETTINGS:
        return False
    return field.type in _SETTINGS or (model is None and field.type in ("string", "file"))


def _text(value: Any) -> str:
    if isinstance(value, Artifact):
        return value.digest[:16]
    return ",".join(map(_text, value)) if isinstance(value, list) else wire_text(value)
