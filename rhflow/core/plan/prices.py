"""What the calls of a plan cost: by the list, or else as their last ones did.

A list price holds for accounts that pay in its currency. To others it says nothing: no rate between two is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from rhflow.core.cost import ZERO, Estimate
from rhflow.core.graph.graph import Node
from rhflow.core.learnt import label_of, learnt
from rhflow.core.plan.calls import Draft
from rhflow.core.plan.plan import Recall
from rhflow.core.plan.promises import Promise
from rhflow.core.values import Money, Pending, media_in


class Prices:
    """Prices calls in ``money``. The store is asked once, and only when the list says nothing of some call."""

    def __init__(self, recall: Recall, money: str = "CNY") -> None:
        self._recall, self._money = recall, money

    def of(self, draft: Draft) -> Estimate:
        """Return what a call costs, as far as its inputs are known."""
        listed = draft.estimate()
        if draft.model is not None and listed.high != 0 and listed.currency != self._money:
            listed = Estimate(ZERO, None, self._money)
        if listed.known or (label := label_of(draft.kind, draft.model, draft.bound.values, self._money)) is None:
            return listed
        return learnt(self._bills.get(label, ())) or listed

    @cached_property
    def _bills(self) -> Mapping[str, Sequence[Money]]:
        return self._recall.bills()


class Certainty:
    """Tells which calls are sure to be paid although they wait for others: what they cost at least, they will cost.

    One that waits may turn out to be skipped, or to be cached. Not the latter where a model makes anew what goes in:
    no earlier call has seen that. What texts and local steps give may well have been there before.
    """

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._may_skip: set[str] = set()
        self._new: dict[str, str] = {}
        self._first: dict[str, str] = {}

    def note_skips(self, node: str, waiting: Sequence[str], *, late: bool) -> None:
        """Note that a node may yet be skipped: by an ``if`` of its own, or of what it waits for."""
        if late or any(each in self._may_skip for each in waiting):
            self._may_skip.add(node)

    def note_call(self, node: str, draft: Draft) -> None:
        """Note a call that was never made before."""
        if draft.kind.paid and _makes_media(draft):
            self._new[node] = node

    def note_twin(self, node: str, twin: str) -> None:
        """Note a node that will have the result of another one."""
        if twin in self._new:
            self._new[node] = self._new[twin]

    def promise(self, draft: Draft, node: str) -> Promise:
        """Return what a node will give, and whether it is new."""
        return replace(draft.promise(), new=self._new.get(node, ""))

    def price_of(self, draft: Draft, node: Node) -> Estimate:
        """Return the price of a call that waits: nothing at least, where it may not be made."""
        price, values = self._prices.of(draft), draft.bound.values
        new = any(each.new for value in values.values() for each in media_in(value) if isinstance(each, Pending))
        if new and _makes_media(draft) and node.id not in self._may_skip:
            self._new[node.id] = node.id
        if node.id in self._may_skip or (node.step.cache and not new) or price.high == 0:
            return price.or_nothing()
        take = node.binding.variation if node.binding is not None else None
        alike = repr((draft.kind.name, draft.subject, node.step.salt, take, sorted(values.items())))
        twin = node.step.cache and self._first.setdefault(alike, node.id) != node.id
        return price.or_nothing() if twin else price


def _makes_media(draft: Draft) -> bool:
    made = draft.promise().family if draft.model is None else draft.model.output
    return made in ("image", "video", "audio", "model3d")
