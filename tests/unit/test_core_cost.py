"""What a call costs by the list: exactly, between bounds, or unknown; never zero for what is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rhflow.core.cost import UNKNOWN, Estimate, estimate, plain, result_seconds, total
from rhflow.core.kinds import Field, Model, Price
from rhflow.core.values import Pending
from tests.fakes import artifact
from tests.support import catalog

TWO, THREE = Decimal("0.2"), Decimal("0.3")


def priced(price: Price | None, *fields: Field) -> Model:
    return Model("m", "M", "m", ("t",), "image", fields, price)


def cost(price: Price | None, inputs: dict[str, Any], *, unknown: tuple[str, ...] = (), **told: Any) -> str:
    sizes = ("720p", "1080p")
    fields = (Field("resolution", "enum", default="720p", enum=sizes), Field("sound", "boolean", default=False))
    return str(estimate(priced(price, *fields), inputs, unknown=unknown, **told))


FIXED = Price("call", fixed=TWO)
SECOND = Price("second", fixed=TWO)
RULES = Price("call", rules=(
    ({"resolution": "720p", "sound": "false"}, Decimal("1")),
    ({"resolution": "720p", "sound": "true"}, Decimal("2")),
    ({"resolution": "1080P"}, Decimal("4.50")),
))  # fmt: skip
FACTOR = Price("call", rules=(({"count": ""}, TWO),))


def test_a_fixed_price_per_call() -> None:
    assert cost(FIXED, {}) == "0.2 CNY"


def test_no_price_is_unknown_not_free() -> None:
    assert cost(None, {}) == "unknown"
    assert UNKNOWN.high is None
    assert not UNKNOWN.known


@pytest.mark.parametrize(
    ("inputs", "shown"),
    [
        ({}, "1 CNY"), ({"sound": True}, "2 CNY"), ({"resolution": "720P", "sound": "TRUE"}, "2 CNY"),
        ({"resolution": "1080p"}, "4.5 CNY"), ({"resolution": "1080p", "sound": True}, "4.5 CNY"),
        ({"resolution": "8k"}, "unknown"),
    ],
)  # fmt: skip
def test_the_first_rule_that_holds_gives_the_price(inputs: dict[str, Any], shown: str) -> None:
    assert cost(RULES, inputs) == shown


@pytest.mark.parametrize(
    ("inputs", "unknown", "shown"),
    [
        ({}, ("sound",), "1 to 2 CNY"),
        ({"sound": True}, ("resolution",), "2 to 4.5 CNY"),
        ({}, ("resolution", "sound"), "1 to 4.5 CNY"),
        ({"resolution": "1080p"}, ("sound",), "4.5 CNY"),
        ({}, ("prompt",), "1 CNY"),
    ],
)
def test_what_is_not_known_yet_gives_bounds(inputs: dict[str, Any], unknown: tuple[str, ...], shown: str) -> None:
    assert cost(RULES, inputs, unknown=unknown) == shown


def test_a_value_to_come_that_no_rule_names_leaves_the_price_open_above() -> None:
    sizes = Field("resolution", "enum", default="720p", enum=("720p", "1080p", "8k"))
    model = priced(RULES, sizes, Field("sound", "boolean", default=False))
    assert str(estimate(model, {}, unknown=("resolution",))) == "at least 1 CNY"
    assert str(estimate(model, {}, unknown=("sound",))) == "1 to 2 CNY"


def test_what_is_left_out_has_its_default() -> None:
    model = priced(SECOND, Field("duration", "enum", default="8", enum=("4", "8")))
    assert str(estimate(model, {})) == "1.6 CNY"
    assert str(estimate(priced(Price("image", fixed=TWO), Field("n", "integer", default=2)), {})) == "0.4 CNY"


def test_a_lowest_price_is_a_lower_bound() -> None:
    assert cost(Price("second", lowest=TWO), {"duration": "5"}) == "at least 1 CNY"
    assert cost(Price("second", lowest=TWO), {}) == "unknown"
    assert cost(Price("call", lowest=TWO), {}) == "at least 0.2 CNY"
    assert cost(Price("second", fixed=TWO, floor=True), {"duration": 5}) == "at least 1 CNY"


def test_a_factor_multiplies() -> None:
    assert cost(FACTOR, {"count": 3}) == "0.6 CNY"
    assert cost(FACTOR, {"count": "3"}) == "0.6 CNY"
    assert cost(FACTOR, {}) == "0.2 CNY"


def test_a_factor_to_come_leaves_the_price_open_above() -> None:
    assert cost(FACTOR, {"count": Pending()}, unknown=("count",)) == "at least 0.2 CNY"


# --- units -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "unknown", "shown"),
    [
        ({"duration": "5"}, (), "1 CNY"),
        ({"duration": 2.5}, (), "0.5 CNY"),
        ({"video": artifact("a.mp4", duration=7.25)}, (), "1.45 CNY"),
        ({"audio": artifact("a.mp3", duration=3.0)}, (), "0.6 CNY"),
        ({"videos": [artifact("a.mp4", duration=4.0)]}, (), "0.8 CNY"),
        ({"video": artifact("a.mp4", duration=9.0), "duration": "5"}, (), "1 CNY"),
        ({"video": artifact("a.mp4", duration=9.0), "duration": "auto"}, (), "1.8 CNY"),
        ({"video": Pending("video", duration=2.0)}, ("video",), "0.4 CNY"),
        ({"video": Pending("video")}, ("video",), "unknown"),
        ({"duration": Pending()}, ("duration",), "unknown"),
        ({}, (), "unknown"),
    ],
)
def test_by_the_second(inputs: dict[str, Any], unknown: tuple[str, ...], shown: str) -> None:
    assert cost(SECOND, inputs, unknown=unknown) == shown


def test_by_the_second_when_the_length_is_known_better() -> None:
    assert cost(SECOND, {"duration": 5}, seconds=6.0) == "1.2 CNY"


@pytest.mark.parametrize(("seconds", "shown"), [(0.1, "0.2 CNY"), (5, "0.2 CNY"), (5.1, "0.4 CNY"), (11, "0.6 CNY")])
def test_by_five_seconds_begun(seconds: float, shown: str) -> None:
    assert cost(Price("5-seconds", fixed=TWO), {"duration": seconds}) == shown


@pytest.mark.parametrize(
    ("inputs", "unknown", "shown"),
    [({}, (), "0.2 CNY"), ({"n": 3}, (), "0.6 CNY"), ({"imageNum": "4"}, (), "0.8 CNY"), ({}, ("n",), "unknown")],
)
def test_by_the_image(inputs: dict[str, Any], unknown: tuple[str, ...], shown: str) -> None:
    assert cost(Price("image", fixed=TWO), inputs, unknown=unknown) == shown


@pytest.mark.parametrize(
    ("inputs", "unknown", "shown"),
    [
        ({"text": "x" * 1500}, (), "0.3 CNY"), ({"prompt": "中" * 10}, (), "0.002 CNY"), ({"text": ""}, (), "0"),
        ({}, (), "unknown"), ({}, ("text",), "unknown"),
    ],
)  # fmt: skip
def test_by_the_thousand_characters(inputs: dict[str, Any], unknown: tuple[str, ...], shown: str) -> None:
    assert cost(Price("1000-characters", fixed=TWO), inputs, unknown=unknown) == shown


def test_the_length_of_a_result() -> None:
    clip, sound = artifact("a.mp4", duration=4.0), artifact("b.mp3", duration=9.0)
    assert result_seconds({"audio": sound, "video": clip}) == 4.0
    assert result_seconds({"image": artifact("a.png")}) is None
    assert result_seconds({"duration": "0", "video": clip}) == 4.0


# --- sums ------------------------------------------------------------------------------------------------------------


def test_sums_add_both_bounds() -> None:
    assert str(total([Estimate(TWO, TWO), Estimate(THREE, Decimal(1))])) == "0.5 to 1.2 CNY"
    assert str(total([])) == "0"


def test_one_unknown_makes_the_sum_unknown_above() -> None:
    assert str(total([Estimate(TWO, TWO), UNKNOWN, Estimate(THREE, THREE)])) == "at least 0.5 CNY"
    assert str(total([UNKNOWN, UNKNOWN])) == "unknown"


def test_what_may_be_cached_costs_nothing_at_least() -> None:
    assert str(Estimate(TWO, THREE).or_nothing()) == "at most 0.3 CNY"
    assert str(UNKNOWN.or_nothing()) == "unknown"


def test_no_binary_fractions() -> None:
    assert str(total([Estimate(Decimal("0.1"), Decimal("0.1"))] * 3)) == "0.3 CNY"
    assert str(total([Estimate(TWO, TWO)] * 10_000)) == "2000 CNY"


@pytest.mark.parametrize(("amount", "shown"), [("100", "100"), ("1.50", "1.5"), ("0.00", "0"), ("1E+2", "100")])
def test_amounts_are_plain(amount: str, shown: str) -> None:
    assert plain(Decimal(amount)) == shown


def test_every_price_of_the_catalogue_is_understood() -> None:
    for model in catalog().all():
        if model.price is None:
            continue
        field = model.field_named("duration")
        length = 5 if field is None else field.default or (field.enum[0] if field.enum else field.minimum or 5)
        found = estimate(model, {"duration": length, "text": "x", "prompt": "x"})
        assert found.low >= 0
        assert found.high is None or found.high >= found.low
        assert found.currency == "CNY"  # sums would mix currencies
        unknown = [each.name for each in model.fields]
        blurred = estimate(model, {}, unknown=unknown)
        assert blurred.low <= found.low or found.low == 0, model.id
        assert blurred.high is None or found.high is None or blurred.high >= found.high, model.id


def quantity(model: Model, inputs: dict[str, Any]) -> Decimal:
    """Return how many units a call takes, reckoned another way than by the code under test."""
    assert model.price is not None
    asked = inputs.get("duration") or next((f.default for f in model.fields if f.name == "duration"), None)
    seconds = Decimal(str(asked)) if asked and Decimal(str(asked)) > 0 else Decimal(7)
    count = Decimal(str(inputs.get("imageNum", 1)))
    return {"call": Decimal(1), "second": seconds, "image": count, "5-seconds": -(-seconds // 5)}[model.price.unit]


def test_every_rule_of_the_catalogue_gives_its_price_and_lies_within_what_is_told_early() -> None:
    looked_at = 0
    for model in catalog().all():
        rules = model.price.rules if model.price is not None else ()
        for conditions, amount in rules:
            inputs: dict[str, Any] = {name: wanted or 3 for name, wanted in conditions.items()}
            factor = 3 if "" in conditions.values() else 1
            clip = {"videoUrl": artifact("a.mp4", duration=7.0)} if "duration" not in inputs else {}
            told = estimate(model, {**inputs, **clip})
            assert told.low == amount * factor * quantity(model, inputs), (model.id, conditions)
            assert told.high == (None if model.price is not None and model.price.floor else told.low)
            early = estimate(model, {each: Pending() for each in inputs}, unknown=tuple(inputs))
            assert early.low <= told.low, (model.id, conditions)
            assert early.high is None or (told.high is not None and told.high <= early.high), (model.id, conditions)
            looked_at += 1
    assert looked_at > 700
