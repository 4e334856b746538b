"""A task: QUEUED, then RUNNING, then SUCCESS or FAILED, in simulated time."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, cast

from rhflow.core.cost import Estimate, estimate, plain
from rhflow.core.kinds import Model
from rhflow.core.values import Json, Value
from rhflow.media.errors import UnreadableMediaError
from rhflow.simulator.job import InputError
from rhflow.simulator.replies import MESSAGES
from rhflow.simulator.workshop import Product

Status = Literal["QUEUED", "RUNNING", "SUCCESS", "FAILED"]
STATUSES: tuple[Status, ...] = ("QUEUED", "RUNNING", "SUCCESS", "FAILED")

_TYPICAL: Mapping[str, float] = {"image": 8, "video": 20, "audio": 6, "model3d": 30, "text": 3, "file": 3}
_TYPICAL_TASK: Mapping[str, float] = {
    "image-to-image": 10,
    "upscale-image": 12,
    "upscale-video": 2,
    "interpolate-video": 2,
}
_PER_SECOND: Mapping[str, float] = {"upscale-video": 6, "interpolate-video": 4}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, by the service's code."""

    code: str
    message: str


@dataclass(slots=True)
class Task:
    """One accepted call. Times are in simulated seconds; ``queue`` and ``run`` are how long it waits and works.

    A task is final when its time is over *and* its result exists (or could not be made).
    """

    id: str
    model: Model
    inputs: Mapping[str, Json]
    product: Future[Product]
    submitted: float
    queue: float
    run: float
    outcome: Product | Failure | None = None
    links: tuple[str, ...] = field(default=())

    @property
    def final(self) -> bool:
        """Whether nothing changes any more, as far as has been looked."""
        return self.outcome is not None

    def status(self, now: float) -> Status:
        """Return the state at ``now`` and settle the outcome when it is due."""
        if self.outcome is None and now >= self.submitted + self.queue + self.run and self.product.done():
            self.outcome = _outcome(self.product)
        if self.outcome is not None:
            return "FAILED" if isinstance(self.outcome, Failure) else "SUCCESS"
        return "QUEUED" if now < self.submitted + self.queue else "RUNNING"

    def cost(self) -> str | None:
        """Return the price as the service writes it, or None where none is known or nothing was made."""
        if not isinstance(self.outcome, Product):
            return None
        price = price_of(self.model, self.inputs, seconds=self.outcome.seconds)
        amount = price.low if price.high is None else price.high
        return plain(amount) if amount or price.known else None


def price_of(model: Model, inputs: Mapping[str, Json], *, seconds: float | None) -> Estimate:
    """Return the list price of a call, its media inputs given as links; ``seconds`` is the length of the result."""
    return estimate(model, cast("Mapping[str, Value]", inputs), seconds=seconds)


def _outcome(product: Future[Product]) -> Product | Failure:
    """Return what came of a job, or the service's words for what went wrong."""
    if product.cancelled():
        return Failure("1015", MESSAGES["1015"])
    match product.exception():
        case None:
            return product.result()
        case InputError() as error:
            return Failure(error.code, f"{MESSAGES[error.code]}: {error}")
        case UnreadableMediaError() as error:
            return Failure("1013", f"{MESSAGES['1013']}: {error}")
        case _:
            return Failure("1015", MESSAGES["1015"])


def typical_seconds(model: Model, *, length: float, seed: int) -> tuple[float, float]:
    """Return how long a call waits and works, in simulated seconds, a little different for every payload.

    ``length`` is that of the clip to be made, in seconds.
    """
    task = model.tasks[0]
    work = _TYPICAL_TASK.get(task, _TYPICAL[model.output])
    if model.output == "video":
        work += _PER_SECOND.get(task, 4) * length
    return 0.5 + (seed % 1000) / 700, work * (0.85 + (seed // 1000 % 1000) / 3333)
