"""The name ``steps`` in a template: what has ended, under the ids that the template knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rhflow.core.graph.edges import item_ids
from rhflow.core.plan.views import ItemView


class OpenLoopView(Mapping[str, Any]):
    """A loop that has not ended: by key those of its items that have, which is all that may be read of it by then."""

    __slots__ = ("_item", "_nodes", "_step", "_views")

    def __init__(
        self, step: str, nodes: Sequence[str], views: Mapping[str, Any], item: Callable[[str], ItemView]
    ) -> None:
        self._step, self._nodes, self._views, self._item = step, nodes, views, item

    def __getitem__(self, key: str | int) -> Any:
        for node in item_ids(self._step, key):
            if node in self._views:
                return self._item(node)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (self._item(node)["key"] for node in self._nodes if node in self._views)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class StepsView(Mapping[str, Any]):
    """What ``steps`` holds: by id what has ended, and loops of which some items have.

    ``loops`` are the nodes of loops by their ids, ``item`` makes the view of one of those.
    """

    __slots__ = ("_item", "_loops", "_views")

    def __init__(
        self, views: Mapping[str, Any], loops: Mapping[str, Sequence[str]], item: Callable[[str], ItemView]
    ) -> None:
        self._views, self._loops, self._item = views, loops, item

    def __getitem__(self, name: str) -> Any:
        if name in self._views:
            return self._views[name]
        return OpenLoopView(name, self._loops[name], self._views, self._item)

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


class ScopedViews(Mapping[str, Any]):
    """The steps of one variant, by the ids that its templates know them by."""

    __slots__ = ("_scope", "_views")

    def __init__(self, views: Mapping[str, Any], scope: str) -> None:
        self._views, self._scope = views, scope

    def __getitem__(self, name: str) -> Any:
        return self._views[f"{self._scope}{name}"]

    def __iter__(self) -> Iterator[str]:
        return (name.removeprefix(self._scope) for name in self._views if name.startswith(self._scope))

    def __len__(self) -> int:
        return sum(1 for _ in self)
