"""Calls of hosted models: what they take, how long they work, what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from rhflow.core.cost import Estimate, estimate, result_seconds, with_defaults
from rhflow.core.kinds import Model
from rhflow.core.values import Json, Value
from rhflow.simulator.files import StoredFile
from rhflow.simulator.tasks import Usage
from rhflow.simulator.workshop import Product

Media: TypeAlias = dict[str, list[StoredFile]]

_TYPICAL: Mapping[str, float] = {"image": 8, "video": 20, "audio": 6, "model3d": 30, "text": 3, "file": 3}
_TYPICAL_TASK: Mapping[str, float] = {
    "image-to-image": 10,
    "upscale-image": 12,
    "upscale-video": 2,
    "interpolate-video": 2,
}
_PER_SECOND: Mapping[str, float] = {"upscale-video": 6, "interpolate-video": 4}


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a hosted model with its inputs by the service's names, media as links."""

    model: Model
    inputs: Mapping[str, Json]

    is_graph = False

    @property
    def endpoint(self) -> str:
        """The path of the model."""
        return self.model.endpoint

    def usage(self, product: Product | None, _: float) -> Usage:
        """Return the price of the call as third-party money, None where none is known."""
        if product is None:
            return Usage()
        asked = result_seconds(with_defaults(self.model, cast("Mapping[str, Value]", self.inputs)))
        price = price_of(self.model, self.inputs, seconds=product.seconds if asked is None else asked)
        amount = price.low if price.high is None else price.high
        return Usage(third_party=amount if amount or price.known else None)


def price_of(model: Model, inputs: Mapping[str, Json], *, seconds: float | None) -> Estimate:
    """Return the list price of a call, its media inputs given as links; ``seconds`` is the length of the result."""
    return estimate(model, cast("Mapping[str, Value]", inputs), seconds=seconds)


def preview_of(model: Model, payload: Mapping[str, Json], media: Media) -> dict[str, Any]:
    """Return the price of a call as the service shows it."""
    price = price_of(model, payload, seconds=None if "duration" in payload else length_of(media))
    amount = float(price.low if price.high is None else price.high)
    sign = {"CNY": "¥", "USD": "$"}.get(price.currency, "")
    return {
        "estimatedPrice": amount,
        "currency": price.currency,
        "freeLimit": False,
        "isFreeThisCall": False,
        "priceText": f"{sign}{amount:.2f}/次",
        "priceTextEn": f"{price.currency} {amount:.2f}/call",
        "remainingFreeLimitCount": "0",
        "freeLimitCount": "0",
    }


def oversized(model: Model, media: Media) -> str | None:
    """Return the first input that is larger than the model takes, in words."""
    for field in model.fields:
        for file in media.get(field.name, ()):
            if field.max_mb is not None and file.size > field.max_mb * 1e6:
                return f"`{field.name}` takes at most {field.max_mb:g} MB"
    return None


def typical_seconds(model: Model, *, length: float, seed: int) -> tuple[float, float]:
    """Return how long a call waits and works, in simulated seconds, a little different for every payload.

    ``length`` is that of the clip to be made, in seconds.
    """
    task = model.tasks[0]
    work = _TYPICAL_TASK.get(task, _TYPICAL[model.output])
    if model.output == "video":
        work += _PER_SECOND.get(task, 4) * length
    return 0.5 + (seed % 1000) / 700, work * (0.85 + (seed // 1000 % 1000) / 3333)


def seconds_asked(inputs: Mapping[str, Json], media: Media) -> float:
    """Return the length of what is to be made: as asked, as long as the first clip or sound, or five seconds."""
    try:
        asked = float(str(inputs.get("duration")))
    except ValueError:
        asked = 0.0
    return (asked if asked > 0 else None) or length_of(media) or 5.0


def length_of(media: Media) -> float | None:
    """Return the length of the first clip or sound among the inputs, in seconds."""
    lengths = (each.info.duration for files in media.values() for each in files)
    return next((length for length in lengths if length), None)
