"""What may start now: deterministic, free of I/O. The loop is its servant.

A node is *blocked* until all before it have ended, then *ready* to be decided on, then *queued* if it must run, and
*running* once every pool it needs has room. Pools are taken all at once, so two half-holders cannot deadlock; the
node on the longest remaining path goes first.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from typing import Literal

from rhflow.core.graph.graph import Graph

Ending = Literal["succeeded", "failed", "skipped", "not-run"]


class Schedule:
    """The state of a run's nodes and what follows from it."""

    def __init__(self, graph: Graph, urgency: Mapping[str, float], pools: Mapping[str, int]) -> None:
        self._graph = graph
        self._urgency = dict(urgency)
        self._room = dict(pools)
        self._blockers = {node: len(graph.before[node]) for node in graph.nodes}
        self._place = {node: at for at, node in enumerate(graph.order)}
        self._ready = [node for node in graph.order if not self._blockers[node]]
        self._queues: dict[tuple[str, ...], list[tuple[float, int, str]]] = {}
        self._running: dict[str, tuple[str, ...]] = {}
        self.ended: dict[str, Ending] = {}

    @property
    def done(self) -> bool:
        """Whether nothing is running and nothing more can start."""
        return not self._running and not self._ready and not any(self._queues.values())

    @property
    def running(self) -> int:
        """How many nodes are running."""
        return len(self._running)

    def take_ready(self) -> list[str]:
        """Return the nodes whose inputs are known and which were not handed out before, in order."""
        ready, self._ready = self._ready, []
        return ready

    def queue(self, node: str, pools: tuple[str, ...]) -> None:
        """Note that ``node`` must run and needs a place in each of ``pools``; after ``stop`` it does not run."""
        if node in self.ended:
            return
        heapq.heappush(self._queues.setdefault(pools, []), (-self._urgency[node], self._place[node], node))

    def start(self) -> list[str]:
        """Return the nodes that start now, taking their places."""
        return list(iter(self.start_one, None))

    def start_one(self) -> str | None:
        """Return the most urgent node for which there is room, taking its places, or None."""
        pools = self._best_queue()
        if pools is None:
            return None
        _, _, node = heapq.heappop(self._queues[pools])
        for pool in pools:
            self._room[pool] -= 1
        self._running[node] = pools
        return node

    def _best_queue(self) -> tuple[str, ...] | None:
        open_queues = (
            (queue[0], pools)
            for pools, queue in self._queues.items()
            if queue and all(self._room[pool] > 0 for pool in pools)
        )
        return min(open_queues, default=(None, None))[1]

    def finished(self, node: str, how: Ending = "succeeded") -> None:
        """Note that ``node`` has ended in a way that those after it can be decided on."""
        self._leave(node)
        self._end(node, how)
        for later in self._graph.after[node]:
            self._blockers[later] -= 1
            if not self._blockers[later] and later not in self.ended:
                self._ready.append(later)

    def added(self, nodes: Sequence[str]) -> None:
        """Take in nodes that the graph has grown by; they are as urgent as the loop they come from."""
        for node in nodes:
            before = self._graph.before[node]
            self._blockers[node] = sum(each not in self.ended for each in before)
            self._urgency[node] = max((self._urgency.get(each, 0.0) for each in before), default=0.0)
            self._place[node] = len(self._place)
            for later in self._graph.after[node]:
                self._blockers[later] = self._blockers.get(later, 0) + 1
            if not self._blockers[node]:
                self._ready.append(node)

    def failed(self, node: str) -> list[str]:
        """Note that ``node`` failed; returns the nodes that can therefore never run."""
        self._leave(node)
        self._end(node, "failed")
        cone = self._graph.cone(node)
        lost = [each for each in self._graph.order if each in cone and each not in self.ended]
        for each in lost:
            self._end(each, "skipped")
        return lost

    def stop(self) -> list[str]:
        """Start nothing more; returns the nodes that are thereby not run."""
        self._queues.clear()
        self._ready.clear()
        left = [node for node in self._graph.order if node not in self.ended and node not in self._running]
        for node in left:
            self._end(node, "not-run")
        return left

    def _leave(self, node: str) -> None:
        for pool in self._running.pop(node, ()):
            self._room[pool] += 1

    def _end(self, node: str, how: Ending) -> None:
        self.ended[node] = how

    def resize(self, pool: str, by: int) -> None:
        """Give a pool more room, or less: running nodes keep their places."""
        self._room[pool] += by
