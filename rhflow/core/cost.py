"""What a call costs by the list: at least, at most, or unknown.

One function serves the plan, the budget and the simulator's bill. An unknown price is never zero: ``high`` is None.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from rhflow.core.kinds import Model, Price
from rhflow.core.values import Value, media_in

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bounds of a price; ``high`` is None where no upper bound is known."""

    low: Decimal = ZERO
    high: Decimal | None = ZERO
    currency: str = "CNY"

    def __add__(self, other: Estimate) -> Estimate:
        high = None if self.high is None or other.high is None else self.high + other.high
        return Estimate(self.low + other.low, high, other.currency if self.high == ZERO else self.currency)

    def or_nothing(self) -> Estimate:
        """Return the bounds of a call that may turn out to be cached."""
        return Estimate(ZERO, self.high, self.currency)

    @property
    def known(self) -> bool:
        """Whether there is an upper bound."""
        return self.high is not None

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {plain(self.low)} {self.currency}" if self.low else "unknown"
        if self.low == self.high:
            return f"{plain(self.low)} {self.currency}" if self.high else "0"
        if not self.low:
            return f"at most {plain(self.high)} {self.currency}"
        return f"{plain(self.low)} to {plain(self.high)} {self.currency}"


UNKNOWN = Estimate(ZERO, None)


def plain(amount: Decimal) -> str:
    """Return an amount without exponent or trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def total(estimates: Iterable[Estimate]) -> Estimate:
    """Return the sum of bounds; one unknown makes the sum unknown above."""
    result = Estimate()
    for each in estimates:
        result = result + each
    return result


def wire_text(value: Value) -> str:
    """Return a value as the price rules spell it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def estimate(
    model: Model, inputs: Mapping[str, Value], *, unknown: Collection[str] = (), seconds: float | None = None
) -> Estimate:
    """Return the list price of one call of ``model`` with ``inputs`` by the service's own names.

    ``unknown`` names the inputs that will be there but are not known yet. ``seconds`` is the length of the result
    where the caller knows it better than the inputs tell.
    """
    price = model.price
    if price is None:
        return UNKNOWN
    seen = with_defaults(model, inputs)
    quantity = _quantity(price.unit, seen, unknown, seconds)
    times = Decimal(0) if quantity is None else quantity
    rates = _rates(price, seen, frozenset(unknown))
    if not rates:
        return Estimate((price.lowest or ZERO) * times, None, price.currency)
    certain = quantity is not None and not price.floor and not _has_unknown_factor(price, unknown)
    open_ended = not certain or not _always_priced(model, price, seen, unknown)
    return Estimate(min(rates) * times, None if open_ended else max(rates) * times, price.currency)


def with_defaults(model: Model, inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Return the inputs as the service will see them: what is left out has its default."""
    defaults = {each.name: each.default for each in model.fields if each.default is not None}
    return {**defaults, **inputs}  # type: ignore[dict-item]


def _rates(price: Price, inputs: Mapping[str, Value], unknown: frozenset[str]) -> list[Decimal]:
    """Return the unit prices that may apply: one when everything that matters is known."""
    if price.fixed is not None:
        return [price.fixed]
    found: list[Decimal] = []
    for conditions, amount in price.rules:
        if any(not _may_hold(name, wanted, inputs, unknown) for name, wanted in conditions.items()):
            continue
        for name, wanted in conditions.items():
            amount *= _factor(inputs.get(name)) if wanted == "" and name not in unknown else 1
        if not any(name in unknown for name in conditions):
            return [*found, amount]
        found.append(amount)
    return found


def _factor(value: Value) -> Decimal:
    """Return the number that a field multiplies a price by; a field that is left out counts once."""
    return Decimal(1) if value is None else Decimal(wire_text(value))


def _has_unknown_factor(price: Price, unknown: Collection[str]) -> bool:
    """Whether a rate is to be multiplied by an input that is not known yet: counted once, it is a lower bound."""
    return any(wanted == "" and name in unknown for conditions, _ in price.rules for name, wanted in conditions.items())


def _always_priced(model: Model, price: Price, inputs: Mapping[str, Value], unknown: Collection[str]) -> bool:
    """Whether some rule holds whatever the inputs to come turn out to be: a list may leave values out."""
    names = sorted({name for conditions, _ in price.rules for name in conditions} & set(unknown))
    for values in itertools.product(*(_values_of(model, name) for name in names)):
        told = {**inputs, **dict(zip(names, values, strict=True))}
        if price.fixed is None and not _rates(price, told, frozenset()):
            return False
    return True


def _values_of(model: Model, name: str) -> tuple[Value, ...]:
    """Return every value that a field can have, as far as that matters; None stands for one that no rule names."""
    field = model.field_named(name)
    if field is not None and field.type == "boolean":
        return (True, False)
    return field.enum if field is not None and field.enum else (None,)


def _may_hold(name: str, wanted: str, inputs: Mapping[str, Value], unknown: frozenset[str]) -> bool:
    if wanted == "" or name in unknown:
        return True
    return wire_text(inputs.get(name)).casefold() == wanted.casefold()


def _quantity(
    unit: str, inputs: Mapping[str, Value], unknown: Collection[str], seconds: float | None
) -> Decimal | None:
    """Return how many units one call takes, or None while that is not known."""
    if unit == "call":
        return Decimal(1)
    if unit == "image":
        return _count(inputs, unknown)
    if unit == "1000-characters":
        return _characters(inputs, unknown)
    length = seconds if seconds is not None else result_seconds(inputs, unknown)
    if length is None:
        return None
    return Decimal(math.ceil(length / 5)) if unit == "5-seconds" else Decimal(str(round(length, 3)))


def _count(inputs: Mapping[str, Value], unknown: Collection[str]) -> Decimal | None:
    for name in ("imageNum", "n", "maxImages"):
        if name in unknown:
            return None
        if name in inputs:
            return Decimal(wire_text(inputs[name]))
    return Decimal(1)


def _characters(inputs: Mapping[str, Value], unknown: Collection[str]) -> Decimal | None:
    for name in ("text", "prompt"):
        if name in unknown:
            return None
        if isinstance(text := inputs.get(name), str):
            return Decimal(len(text)) / 1000
    return None


def result_seconds(inputs: Mapping[str, Value], unknown: Collection[str] = ()) -> float | None:
    """Return the length of what a call gives: as asked, or else that of the clip or sound that goes in."""
    if "duration" in unknown:
        return None
    try:
        asked = float(wire_text(inputs["duration"]))
    except (KeyError, ValueError):
        asked = 0.0
    if asked > 0:
        return asked
    media = [each for value in inputs.values() for each in media_in(value)]
    for family in ("video", "audio"):
        for each in media:
            if each.family == family and each.duration:
                return each.duration
    return None
