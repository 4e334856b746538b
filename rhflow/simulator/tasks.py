"""A task: QUEUED, then RUNNING, then SUCCESS, FAILED or CANCEL, in simulated time."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol

from rhflow.core.cost import plain
from rhflow.core.values import Json
from rhflow.media.errors import UnreadableMediaError
from rhflow.simulator.accounts import Account
from rhflow.simulator.job import InputError, NodeError
from rhflow.simulator.replies import message_of
from rhflow.simulator.workshop import Product

Status = Literal["QUEUED", "RUNNING", "SUCCESS", "FAILED", "CANCEL"]
STATUSES: tuple[Status, ...] = ("QUEUED", "RUNNING", "SUCCESS", "FAILED", "CANCEL")
ENDED: frozenset[Status] = frozenset({"SUCCESS", "FAILED", "CANCEL"})


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, by the service's code; ``reason`` is what ComfyUI says of the node that did."""

    code: str
    message: str
    reason: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a task took: money for the time of machines, coins, seconds, and the price of a hosted model."""

    money: Decimal | None = None
    coins: Decimal | None = None
    seconds: int = 0
    third_party: Decimal | None = None

    def written(self) -> dict[str, Json]:
        """Return it as the service writes it: decimal text or null."""
        return {
            "consumeMoney": _text(self.money),
            "consumeCoins": _text(self.coins),
            "taskCostTime": str(self.seconds),
            "thirdPartyConsumeMoney": _text(self.third_party),
        }


class Work(Protocol):
    """What a task is asked to do."""

    @property
    def endpoint(self) -> str:
        """The path at which it was ordered, below ``/openapi/v2/`` or the site."""

    @property
    def is_graph(self) -> bool:
        """Whether it is a graph of ComfyUI and not a hosted model."""

    def usage(self, product: Product | None, seconds: float) -> Usage:
        """Return what it took when it ran for ``seconds``; nothing is paid for what made nothing."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the service says of a task when it accepts it, and to whom it shall tell its end.

    ``tips`` is ComfyUI's verdict on the graph as JSON text. Links in what the webhook is told begin with ``base``.
    """

    client_id: str = ""
    tips: str = ""
    webhook: str = ""
    base: str = ""


@dataclass(slots=True)
class Task:
    """One accepted call. Times are in simulated seconds; ``queue`` and ``run`` are how long it waits and works.

    A task is final when its time is over *and* its result exists (or could not be made). ``key`` is equal for equal
    calls. ``doom`` is what it ends in, whatever it made.
    """

    id: str
    account: Account
    work: Work
    product: Future[Product]
    submitted: float
    queue: float
    run: float
    key: str = ""
    ticket: Ticket = field(default_factory=Ticket)
    outcome: Product | Failure | None = None
    cancelled: bool = False
    links: tuple[str, ...] = field(default=())
    doom: Failure | None = None

    @property
    def due(self) -> float:
        """The time at which it ends, if its result is there by then."""
        return self.submitted + self.queue + self.run

    def status(self, now: float) -> Status:
        """Return the state at ``now`` and settle the outcome when it is due."""
        if self.cancelled:
            return "CANCEL"
        if self.outcome is None and now >= self.due and self.product.done():
            self.outcome = self.doom or _outcome(self.product)
            usage = self.usage()
            self.account.charge(coins=usage.coins, money=(usage.money or 0) + (usage.third_party or Decimal(0)))
        if self.outcome is not None:
            return "FAILED" if isinstance(self.outcome, Failure) else "SUCCESS"
        return "QUEUED" if now < self.submitted + self.queue else "RUNNING"

    def has_ended(self, now: float) -> bool:
        """Whether nothing changes any more."""
        return self.status(now) in ENDED

    def cancel(self, now: float) -> None:
        """End it here; what has ended already stays as it is."""
        self.cancelled = self.cancelled or not self.has_ended(now)

    def usage(self) -> Usage:
        """Return what it took so far: nothing before it succeeds."""
        return self.work.usage(self.outcome if isinstance(self.outcome, Product) else None, self.run)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _outcome(product: Future[Product]) -> Product | Failure:
    """Return what came of a job, or the service's words for what went wrong."""
    if product.cancelled():
        return Failure("1015", message_of("1015"))
    match product.exception():
        case None:
            return product.result()
        case NodeError() as error:
            return Failure("805", message_of("805"), error.reason)
        case InputError() as error:
            return Failure(error.code, f"{message_of(error.code)}: {error}")
        case UnreadableMediaError() as error:
            return Failure("1013", f"{message_of('1013')}: {error}")
        case _:
            return Failure("1015", message_of("1015"))
