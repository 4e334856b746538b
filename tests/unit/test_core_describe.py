"""Models in words: what is said of inputs and prices, and that nothing is promised that the list does not say."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rhflow.core.inputs.describe import input_words, limit_words, price_lines, usual_price, values_words
from rhflow.core.kinds import Field, Model, Price
from tests.support import catalog

PROMPT = Field("prompt", "string", required=True, alias="prompt")
LENGTH = Field("duration", "enum", enum=("5", "10"), default="5", alias="duration")


def model(price: Price | None, *fields: Field) -> Model:
    return Model("m", "M", "m", ("text-to-video",), "video", (PROMPT, *fields), price)


@pytest.mark.parametrize(
    ("price", "fields", "words"),
    [
        (None, (), "unknown"),
        (Price("call", fixed=Decimal("0.20")), (), "0.2 CNY"),
        (Price("call", fixed=Decimal("1.05")), (LENGTH,), "1.05 CNY for 5 s"),
        (Price("second", fixed=Decimal("0.2")), (), "1 CNY for 5 s"),
        (Price("second", fixed=Decimal("0.2")), (Field("duration", "integer", default=8),), "1.6 CNY for 8 s"),
        (Price("5-seconds", fixed=Decimal("0.35")), (), "0.35 CNY for 5 s"),
        (Price("1000-characters", fixed=Decimal("0.3")), (), "0.3 CNY for 1000 characters"),
        (Price("image", fixed=Decimal("0.1")), (Field("imageNum", "enum", enum=("1", "4"), default="4"),), "0.4 CNY"),
        (Price("call", lowest=Decimal("0.01")), (LENGTH,), "at least 0.01 CNY"),
        (Price("second", lowest=Decimal("0.07")), (), "at least 0.07 CNY per second of the result"),
        (Price("call", fixed=Decimal(1), floor=True), (), "at least 1 CNY"),
        (Price("call"), (), "unknown"),
    ],
)
def test_the_usual_price(price: Price | None, fields: tuple[Field, ...], words: str) -> None:
    assert usual_price(model(price, *fields)) == words


def test_the_usual_price_goes_by_the_defaults_and_spans_what_they_leave_open() -> None:
    rules = (({"quality": "high"}, Decimal(4)), ({"quality": "low"}, Decimal(1)))
    listed = Price("call", rules=rules)
    assert usual_price(model(listed, Field("quality", "enum", enum=("low", "high"), default="low"))) == "1 CNY"
    must = Field("quality", "enum", required=True, enum=("low", "high"))
    assert usual_price(model(listed, must)) == "1 to 4 CNY"
    assert usual_price(model(listed, Field("quality", "enum", enum=("low", "high")))) == "unknown"


def test_price_rules_name_inputs_as_authors_do() -> None:
    size = Field("targetResolution", "enum", enum=("1k", "2k"), alias="resolution")
    count = Field("maxImages", "integer", alias="count")
    rules = (({"targetResolution": "2k", "maxImages": ""}, Decimal("0.50")), ({"targetResolution": "1k"}, Decimal(1)))
    lines = price_lines(model(Price("call", rules=rules, floor=True), size, count))
    assert lines == ["per call", "at least 0.5 CNY × count with resolution 2k", "at least 1 CNY with resolution 1k"]
    assert price_lines(model(Price("second", fixed=Decimal("0.2")))) == ["0.2 CNY per second of the result"]
    assert price_lines(model(None)) == ["unknown"]


def test_an_input_in_words() -> None:
    pictures = Field(
        "imageUrls", "image[]", required=True, max_items=4, max_mb=10, formats=("jpg", "png"), alias="images"
    )
    assert input_words(pictures, "images") == (
        "Pictures: outputs of steps, paths or links. Up to 4; as jpg, png; up to 10 MB each. Required. "
        "The service's `imageUrls`."
    )
    assert input_words(LENGTH, "duration") == "Length in seconds. One of 5, 10. Default: 5."
    assert input_words(Field("chaos", "integer", minimum=0), "chaos") == "Whole number. At least 0."
    assert input_words(Field("flag", "boolean", default=False), "flag") == "True or false. Default: false."


def test_values_and_limits() -> None:
    many = Field("style", "enum", enum=tuple(f"s{at}" for at in range(20)))
    assert values_words(many, most=3) == "s0, s1, s2 and 17 more"
    assert values_words(Field("a", "number", minimum=0, maximum=0.5)) == "0 to 0.5"
    assert values_words(Field("a", "number", maximum=2)) == "at most 2"
    assert values_words(PROMPT) == ""
    assert limit_words(Field("width", "integer", step=8)) == "multiples of 8"
    assert limit_words(Field("seed", "integer", step=1)) == ""


def test_every_model_can_be_told_in_words() -> None:
    for each in catalog().all():
        assert price_lines(each)[0]
        assert "None" not in usual_price(each) + "".join(input_words(field, field.name) for field in each.fields)
