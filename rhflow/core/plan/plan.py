"""What can happen to a node, the plan that holds it for all of them, and what a planner must be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from rhflow.core.cost import UNKNOWN, Estimate, Total, total
from rhflow.core.errors import Problem
from rhflow.core.graph.graph import Graph
from rhflow.core.graph.select import EVERYTHING, Selection
from rhflow.core.inputs.coerce import LocalFile
from rhflow.core.plan.calls import Draft, StepCall
from rhflow.core.plan.former import Earlier, OnUnknown, OpenCall
from rhflow.core.recipe.loops import Binding
from rhflow.core.values import Entry, Money, Realm


@dataclass(frozen=True, slots=True)
class Reuse:
    """The result is in the store."""

    call: StepCall
    entry: Entry


@dataclass(frozen=True, slots=True)
class Run:
    """The call must be made; ``again`` when it was made before and its result has been lost."""

    call: StepCall
    reasons: tuple[str, ...]
    estimate: Estimate
    again: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """The call was made by an earlier run and is open: its task is waited for, and nothing new is paid.

    ``price`` is what was paid for it already, as far as that is known.
    """

    call: StepCall
    former: OpenCall
    price: Estimate


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Nobody here knows what came of a call of an earlier run: it is not made again unless the user says so.

    ``on_unknown`` is what the user has said; ``price`` is that of the call, should it be made again.
    """

    call: StepCall
    former: OpenCall
    price: Estimate
    elsewhere: bool
    on_unknown: OnUnknown


@dataclass(frozen=True, slots=True)
class Wait:
    """What goes in is not known yet: it depends on nodes that must run first."""

    draft: Draft
    on: tuple[str, ...]
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Skip:
    """The node is not carried out."""

    why: str


@dataclass(frozen=True, slots=True)
class Fail:
    """What an earlier step gave does not fit, and the author lets the others go on; only plans hold this."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Grow:
    """The items of a loop are known: these are its nodes."""

    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class Gather:
    """Every item of a loop has ended; a plan holds this for a loop that has none."""


@dataclass(frozen=True, slots=True)
class Later:
    """How many nodes there will be is known once others have run."""

    on: tuple[str, ...]
    estimate: Estimate = UNKNOWN


NOT_SELECTED = "not selected"
Decision: TypeAlias = Reuse | Run | Resume | InDoubt | Wait | Skip | Fail | Grow | Gather | Later
Ended: TypeAlias = Literal["failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision for every node, in order, and what it costs."""

    graph: Graph
    decisions: Mapping[str, Decision]

    @property
    def cost(self) -> Total:
        """At least and at most, in each currency."""
        return total(each.estimate for each in self.decisions.values() if isinstance(each, Run | Wait | Later))

    @property
    def paid_already(self) -> Total:
        """What is open and only to be fetched: no part of ``cost``."""
        return total(each.price for each in self.decisions.values() if isinstance(each, Resume))

    def count(self, kind: type) -> int:
        """Return how many decisions are of one kind."""
        return sum(isinstance(each, kind) for each in self.decisions.values())


@dataclass(frozen=True, slots=True)
class Names:
    """What templates may read besides steps."""

    params: Mapping[str, Any] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, str] = field(default_factory=dict)


class Recall(Protocol):
    """What the cache can answer; reads only, in bulk."""

    def entries(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """Return the entries that stand under ``keys``."""

    def lost(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is wrong with the files of those entries that ``entries`` left out for it."""

    def previous(self, nodes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the ingredients of the last call that each node of this pipeline made."""

    def bills(self) -> Mapping[str, Sequence[Money]]:
        """Return what the last calls of each label cost, the latest last: see ``core/learnt.py``."""


@dataclass(frozen=True, slots=True)
class World:
    """What a planner must be told of the world outside the recipe.

    ``scopes`` are the names of each variant of a sweep, where there is one; ``names`` are those of the usual case.
    ``local`` reads files next to the recipe, ``beside`` gives the same for another file. ``money`` is the currency
    that the site of the account charges in. ``earlier`` tells of open calls, where there may be any.
    """

    recall: Recall
    names: Names
    realm: Realm
    local: LocalFile
    selection: Selection = EVERYTHING
    scopes: Mapping[str, Names] = field(default_factory=dict)
    beside: Callable[[str], LocalFile] | None = None
    money: str = "CNY"
    earlier: Earlier | None = None
