"""What a model takes and costs, in words: one wording for the command line and for editors.

The meaning of an input is told by its uniform name, so that it reads the same on every model. Of the models' own
names only those have a meaning here that can mean one thing; the rest show what they take and leave it at that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rhflow.core.cost import UNKNOWN, Estimate, estimate, plain, result_seconds, wire_text
from rhflow.core.kinds import Field, Model, Price
from rhflow.core.values import Value

CLIP_SECONDS = 5  # the length a price is shown for where the model leaves the length open
TEXT_LENGTH = 1000

_MEANINGS = {
    "prompt": "what to make, in words",
    "text": "what to make, in words",
    "negative_prompt": "what to keep out, in words",
    "image": "a picture: the output of a step, a path or a link",
    "images": "pictures: outputs of steps, paths or links",
    "first_frame": "the picture that the clip begins with",
    "last_frame": "the picture that the clip ends with",
    "video": "a clip: the output of a step, a path or a link",
    "videos": "clips: outputs of steps, paths or links",
    "audio": "sound: the output of a step, a path or a link",
    "audios": "sounds: outputs of steps, paths or links",
    "file": "a file: a path, a link, or `sha256:…` of something stored",
    "workflow": "the id of a workflow that was saved and run on the site",
    "nodes": "values for inputs of nodes, each by `node.field`, such as `6.text`",
    "graph": "a graph in API format, run in place of the saved one, or by itself",
    "metadata": "whether pictures carry the workflow they were made by",
    "instance_type": "memory of the machine: 24, 48 or 84 GB",
    "personal_queue": "whether the call waits in the queue of rented machines",
    "retain_seconds": "how long the machine is kept warm, which is charged",
    "password": "the password of a protected workflow or app",
    "app": "the id of the app",
    "inputs": "values for the inputs of the form, by `node.field` or by what the form calls them",
    "code": 'the code of the module, such as `"002"`',
    "style_image": "a picture that lends its style",
    "character_image": "a picture that lends its figure",
    "object_image": "a picture that lends its object",
    "duration": "length in seconds",
    "aspect_ratio": "width to height, as in `16:9`",
    "resolution": "how fine the result is",
    "size": "width and height in pixels",
    "width": "width in pixels",
    "height": "height in pixels",
    "seed": "a number that makes results repeatable, as far as the model can",
    "with_audio": "whether the clip gets sound",
    "keep_audio": "whether the sound of the clip that goes in is kept",
    "count": "how many results one call gives",
    "voice": "the id of the voice",
    "output_format": "file format of the result",
    "quality": "how much effort goes into the result",
    "guidance": "how closely the result follows the prompt",
    "enhance_prompt": "whether the service works the prompt out first",
    "return_last_frame": "whether the last frame of the clip comes as a picture too",
    "backImageUrl": "a picture from behind",
    "frontImageUrl": "a picture from the front",
    "leftImageUrl": "a picture from the left",
    "rightImageUrl": "a picture from the right",
    "topImageUrl": "a picture from above",
    "bottomImageUrl": "a picture from below",
    "lora": "file name of a LoRA that the service knows",
    "lora_strength": "how strongly the LoRA counts; 0 is off",
    "lyrics": "the words of the song",
    "bgm": "whether music is put under the clip",
    "speed": "speed of the voice",
    "volume": "loudness of the voice",
    "pitch": "pitch of the voice",
    "emotion": "mood of the voice",
}
_TYPES = {
    "string": "text", "enum": "choice", "boolean": "true or false", "integer": "whole number", "number": "number",
    "object": "mapping", "values": "values by name",
    "image": "image", "video": "video", "audio": "audio", "file": "file",
    "string[]": "list of texts", "enum[]": "choices", "object[]": "list of mappings", "image[]": "images",
    "video[]": "videos", "audio[]": "audios", "file[]": "files",
}  # fmt: skip
_UNITS = {
    "call": "per call", "second": "per second of the result", "image": "per image",
    "5-seconds": "per 5 seconds of the result", "1000-characters": "per 1000 characters",
}  # fmt: skip


# --- inputs ----------------------------------------------------------------------------------------------------------


def meaning(name: str) -> str | None:
    """Return what the input ``name`` is for, or None where only the model knows."""
    return _MEANINGS.get(name)


def type_words(field: Field) -> str:
    """Return the type of a field, as in ``whole number``."""
    return "images or mappings" if field.item else _TYPES[field.type]


def value_words(value: Any) -> str:
    """Return a default or a listed value as an author would write it."""
    if isinstance(value, list):
        return ", ".join(value_words(each) for each in value)
    return wire_text(value) if value != "" else "empty"


def values_words(field: Field, most: int = 12) -> str:
    """Return the listed values or the range of a field; empty where it takes anything of its type."""
    if field.enum:
        more = len(field.enum) - most
        shown = field.enum if more <= 0 else field.enum[:most]
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    low, high = field.minimum, field.maximum
    if low is None and high is None:
        return ""
    if low is None:
        return f"at most {wire_text(high)}"
    return f"at least {wire_text(low)}" if high is None else f"{wire_text(low)} to {wire_text(high)}"


def limit_words(field: Field) -> str:
    """Return what limits a value beyond its type and its listed values, as in ``up to 4; as jpg, png``."""
    limits = []
    if field.step is not None and field.step > 1:
        limits.append(f"multiples of {wire_text(field.step)}")
    if field.max_items is not None:
        limits.append(f"up to {field.max_items}")
    if field.max_length is not None:
        limits.append(f"up to {field.max_length} characters")
    if field.formats:
        limits.append(f"as {', '.join(field.formats)}")
    if field.max_mb is not None:
        limits.append(f"up to {wire_text(field.max_mb)} MB{' each' if field.is_list else ''}")
    return "; ".join(limits)


def input_words(field: Field, name: str) -> str:
    """Return a field in a few sentences, by the ``name`` an author uses for it."""
    sentences = [field.about or meaning(name) or meaning(field.alias or field.name) or type_words(field)]
    if field.about is not None and field.form is not None:
        sentences.append(field.form)
    if values := values_words(field):
        sentences.append(values if not field.enum else f"{'any' if field.is_list else 'one'} of {values}")
    if limits := limit_words(field):
        sentences.append(limits)
    if field.default is not None:
        sentences.append(f"default: {value_words(field.default)}")
    elif field.required:
        sentences.append("required")
    if name != field.name:
        sentences.append(f"the service's `{field.name}`")
    return " ".join(f"{each[:1].upper()}{each[1:]}." for each in sentences)


# --- prices ----------------------------------------------------------------------------------------------------------


def usual_price(model: Model, given: Mapping[str, Value] | None = None) -> str:
    """Return the list price of a call with ``given`` and else everything at its default, as in ``1.05 CNY for 5 s``."""
    price = model.price
    if price is None:
        return "unknown"
    if price.fixed is None and not price.rules:
        return price_lines(model)[0].removesuffix(" per call")
    cost, suffix = _usual(model, price, given or {})
    amount = str(cost)
    return amount if amount == "unknown" else amount + suffix


def usual_cost(model: Model, given: Mapping[str, Value] | None = None) -> Estimate:
    """Return the bounds of the same price."""
    return UNKNOWN if model.price is None else _usual(model, model.price, given or {})[0]


def _usual(model: Model, price: Price, given: Mapping[str, Value]) -> tuple[Estimate, str]:
    """Return the price of the usual call and what it is for, where that is not simply a call."""
    inputs: dict[str, Any] = {each.name: each.default for each in model.fields if each.default is not None} | {**given}
    unknown = {each.name for each in model.fields if each.required} - set(inputs)
    suffix = ""
    if price.unit == "1000-characters":
        inputs |= {each.name: "x" * TEXT_LENGTH for each in model.fields if each.alias == "prompt"}
        unknown -= set(inputs)
        suffix = f" for {TEXT_LENGTH} characters"
    seconds = result_seconds(inputs, unknown)
    if price.unit in ("second", "5-seconds"):
        seconds = seconds or CLIP_SECONDS
    if seconds is not None:
        suffix = f" for {wire_text(seconds)} s"
    return estimate(model, inputs, unknown=unknown, seconds=seconds), suffix


def price_lines(model: Model) -> list[str]:
    """Return the list price with every rule, a line each; the first says what is counted, or all there is to say."""
    price = model.price
    if price is None:
        return ["unknown"]
    unit = _UNITS[price.unit]
    least = "at least " if price.floor else ""
    if price.fixed is not None:
        return [f"{least}{_money(price.fixed, price)} {unit}"]
    if not price.rules:
        return [f"at least {_money(price.lowest, price)} {unit}" if price.lowest is not None else "unknown"]
    return [unit, *(f"{least}{each}" for each in _rule_lines(model, price))]


def _rule_lines(model: Model, price: Price) -> Iterator[str]:
    for conditions, amount in price.rules:
        held = [f"{_name(model, name)} {wanted}" for name, wanted in conditions.items() if wanted]
        times = [f" × {_name(model, name)}" for name, wanted in conditions.items() if not wanted]
        yield _money(amount, price) + "".join(times) + (f" with {', '.join(held)}" if held else "")


def _money(amount: Decimal, price: Price) -> str:
    return f"{plain(amount)} {price.currency}"


def _name(model: Model, field: str) -> str:
    found = model.field_named(field)
    return found.alias or field if found is not None else field
