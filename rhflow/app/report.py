"""What a run came to: what the console draws, what ``--json`` prints, what a memo keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

NO_REQUESTS: Mapping[str, int] = {"submit": 0, "query": 0, "upload": 0, "download": 0}
HEAD = 40
"""How many nodes a table, and how many values a report, shows before it says how many more there are."""

PREVIEW = 400
"""How many characters of a value a report keeps for people; what is longer is to be read in its file."""


def pairs(cost: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each amount of a bill with its currency."""
    return zip(cost[::2], cost[1::2], strict=True)


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node of a finished run; ``cost`` is amounts and currencies by turns, ``files`` are delivered paths."""

    id: str
    step: str
    status: str
    cached: bool
    model: str | None = None
    cost: tuple[str, ...] | None = None
    seconds: float = 0.0
    files: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the node as ``run --json`` shows it."""
        return {
            "id": self.id,
            "step": self.step,
            "status": self.status,
            "cached": self.cached,
            "model": self.model,
            "cost": None if self.cost is None else float(self.cost[0]),
            "currency": None if self.cost is None else self.cost[1],
            "costs": {currency: float(amount) for amount, currency in pairs(self.cost or ())},
            "seconds": round(self.seconds, 3),
            "files": list(self.files),
        }


@dataclass(frozen=True, slots=True)
class Told:
    """An output that is a value: ``text`` is its beginning on one line, of ``size`` characters in all.

    ``file`` is where all of it lies, in the folder of the run; None where it is no text.
    """

    label: str
    text: str
    size: int = 0
    file: str | None = None

    @property
    def whole(self) -> bool:
        """Whether ``text`` is all of it."""
        return self.size <= PREVIEW


Outcome = Literal["fetched", "failed", "under-way", "unknown", "gone", "lost", "given-up", "elsewhere", "cancelled"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A call whose outcome nobody knows: of which run, when it was sent (seconds since 1970), its price by the list."""

    node: str
    run: str
    at: float
    price: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """What became of a call that an earlier run left open; ``files`` are paths in the store, ``why`` explains."""

    run: str
    node: str
    outcome: Outcome
    task_id: str | None = None
    why: str = ""
    files: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it is still to be settled."""
        return self.outcome in ("under-way", "unknown", "gone", "elsewhere")

    def to_json(self) -> dict[str, Any]:
        """Return the call as ``--json`` shows it."""
        return {
            "run": self.run,
            "node": self.node,
            "outcome": self.outcome,
            "task_id": self.task_id,
            "why": self.why,
            "files": list(self.files),
        }


@dataclass(frozen=True, slots=True)
class RunReport:
    """A whole run. ``head`` are its first nodes and ``count`` how many there are; ``nodes`` fetches all of them.

    ``told`` are the first outputs that are values, ``values`` is how many there are; ``empty`` of the nodes are loops
    without items. ``reused``: nothing had to run, and the files are those of run ``run``. ``mend``: every step is done,
    and only the outputs are not as the recipe asks. ``faults``: what went wrong by a plan of
    faults, with the calls accepted, and how many of these more than once. ``earlier``: calls that earlier runs of the
    recipe had left open, and that no step of this one makes.
    """

    run: str
    status: str
    realm: str
    count: int
    folder: str | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=lambda: NO_REQUESTS)
    head: Sequence[NodeRow] = ()
    rest: Sequence[NodeRow] = ()
    reused: bool = False
    restored: int = 0
    seconds: float = 0.0
    currency_totals: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Any] | None = None
    earlier: Sequence[Leftover] = ()
    told: Sequence[Told] = ()
    values: int = 0
    empty: int = 0
    mend: bool = False

    @property
    def leaves_open(self) -> bool:
        """Whether something that an earlier run paid for is still to come."""
        return any(each.open for each in self.earlier)

    @property
    def nodes(self) -> Sequence[NodeRow]:
        """Every node, in order."""
        return [*self.head, *self.rest]

    def to_json(self) -> dict[str, Any]:
        """Return the document that ``run --json`` prints."""
        return {
            "run": self.run,
            "status": self.status,
            "realm": self.realm,
            "nodes": [each.to_json() for each in self.nodes],
            "outputs": dict(self.outputs),
            "requests": dict(self.requests),
            "faults": self.faults,
            "earlier": [each.to_json() for each in self.earlier],
        }
