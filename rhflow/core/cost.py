"""What a call costs: by the list, or else as its last ones did; at least, at most, or unknown.

One function serves the plan, the budget and the simulator's bill. An unknown price is never zero: ``high`` is None.
Amounts of two currencies are never added up.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from rhflow.core.kinds import Field, Model, Price
from rhflow.core.values import Value, media_in

ZERO = Decimal(0)
_COUNTS = ("imageNum", "n", "maxImages")
_TEXTS = ("text", "prompt")
Basis: TypeAlias = Literal["list", "learnt", "unknown"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bounds of a price; ``high`` is None where no upper bound is known, ``currency`` empty where that is not known.

    ``learnt`` is from how many calls that were made they were learnt, 0 for a price by the list. ``also`` is what is
    paid next to it in other currencies, which only bills tell.
    """

    low: Decimal = ZERO
    high: Decimal | None = ZERO
    currency: str = "CNY"
    learnt: int = 0
    also: tuple[Estimate, ...] = ()

    @property
    def parts(self) -> tuple[Estimate, ...]:
        """The bounds in each currency by itself."""
        return (replace(self, also=()), *self.also) if self.also else (self,)

    def or_nothing(self) -> Estimate:
        """Return the bounds of a call that may not be made: it is skipped, or turns out to be cached."""
        return replace(self, low=ZERO, also=tuple(each.or_nothing() for each in self.also))

    @property
    def known(self) -> bool:
        """Whether there is an upper bound."""
        return self.high is not None

    @property
    def basis(self) -> Basis:
        """Where the upper bound comes from."""
        return "unknown" if self.high is None else "learnt" if self.learnt else "list"

    def __str__(self) -> str:
        if self.also:
            return " + ".join(map(str, self.parts))
        about = "~" if self.learnt else ""
        if self.high is None:
            return f"at least {plain(self.low)} {self.currency}" if self.low else "unknown"
        if self.low == self.high:
            return f"{about}{plain(self.low)} {self.currency}" if self.high else "0"
        if not self.low:
            return f"at most {about}{plain(self.high)} {self.currency}"
        return f"{about}{plain(self.low)} to {plain(self.high)} {self.currency}"


UNKNOWN = Estimate(ZERO, None, "")


@dataclass(frozen=True, slots=True)
class Total:
    """What several calls cost together, currency by currency; one without an upper bound leaves all without.

    ``sums`` holds only what is not free.
    """

    sums: tuple[Estimate, ...] = ()
    known: bool = True

    @property
    def basis(self) -> Basis:
        """Where the upper bounds come from; ``learnt`` where some of them are."""
        return "unknown" if not self.known else "learnt" if any(each.learnt for each in self.sums) else "list"

    def __str__(self) -> str:
        if self.known:
            return _listed(str(each) for each in self.sums) or "0"
        least = _listed(f"{plain(each.low)} {each.currency}" for each in self.sums if each.low)
        return f"at least {least}" if least else "unknown"


def total(estimates: Iterable[Estimate]) -> Total:
    """Return what calls cost together."""
    known = True
    sums: dict[str, Estimate] = {}
    for each in (part for price in estimates for part in price.parts):
        known = known and each.high is not None
        if each.low or each.high:
            former = sums.get(each.currency)
            sums[each.currency] = each if former is None else _sum(former, each)
    return Total(tuple(sums.values() if known else (replace(each, high=None) for each in sums.values())), known)


def _sum(one: Estimate, other: Estimate) -> Estimate:
    """Return the sum of prices in one currency; what was learnt least counts for how well it is known."""
    high = None if one.high is None or other.high is None else one.high + other.high
    learnt = min(filter(None, (one.learnt, other.learnt)), default=0)
    return Estimate(one.low + other.low, high, one.currency, learnt)


def _listed(texts: Iterable[str]) -> str:
    *others, last = [*texts] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def plain(amount: Decimal) -> str:
    """Return an amount without exponent or trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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
    least, most = _quantities(model, price.unit, unknown) if quantity is None else (quantity, quantity)
    rates = _rates(price, seen, frozenset(unknown))
    if not rates:
        return Estimate((price.lowest or ZERO) * least, None, price.currency)
    certain = not price.floor and not _has_unknown_factor(price, unknown)
    if most is None or not certain or not _always_priced(model, price, seen, unknown):
        return Estimate(min(rates) * least, None, price.currency)
    return Estimate(min(rates) * least, max(rates) * most, price.currency)


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


def _quantities(model: Model, unit: str, unknown: Collection[str]) -> tuple[Decimal, Decimal | None]:
    """Return how many units one call takes at least and at most, where that hangs on what is not known yet."""
    names = {"image": _COUNTS, "1000-characters": _TEXTS}.get(unit, ("duration",))
    field = next((found for name in names if name in unknown and (found := model.field_named(name))), None)
    least, most = (ZERO, None) if field is None else _range_of(field, unit)
    if unit == "5-seconds":
        return max(Decimal(1), Decimal(math.ceil(least / 5))), None if most is None else Decimal(math.ceil(most / 5))
    return least, most


def _range_of(field: Field, unit: str) -> tuple[Decimal, Decimal | None]:
    """Return the least and the most that a field can count for; a length of 0 or less is for the service to choose."""
    if unit == "1000-characters":
        return ZERO, None if field.max_length is None else Decimal(field.max_length) / 1000
    if field.enum:
        try:
            numbers = [Decimal(each) for each in field.enum]
        except ArithmeticError:
            return ZERO, None
        return (min(numbers), max(numbers)) if min(numbers) > 0 else (ZERO, None)
    low = Decimal(str(field.minimum or (1 if unit == "image" else 0)))
    return (low, None if field.maximum is None else Decimal(str(field.maximum))) if low > 0 else (ZERO, None)


def _count(inputs: Mapping[str, Value], unknown: Collection[str]) -> Decimal | None:
    for name in _COUNTS:
        if name in unknown:
            return None
        if name in inputs:
            return Decimal(wire_text(inputs[name]))
    return Decimal(1)


def _characters(inputs: Mapping[str, Value], unknown: Collection[str]) -> Decimal | None:
    for name in _TEXTS:
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
