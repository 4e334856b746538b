"""What may start now: pools taken all at once, the longest path first, what a failure means for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import pytest

from rhflow.core.graph.graph import Graph, Node
from rhflow.core.graph.schedule import Schedule
from rhflow.core.recipe.document import Step

ONE: Mapping[str, int] = {"account": 1}


def graph(nodes: Iterable[str], edges: Iterable[tuple[str, str]] = ()) -> Graph:
    return Graph((Node(each, Step(each, "text-to-image", ("steps", each), {})) for each in nodes), edges)


def schedule(made: Graph, pools: Mapping[str, int], urgency: Mapping[str, float] | None = None) -> Schedule:
    return Schedule(made, urgency or made.urgency(lambda _: 1.0), pools)


def queue_all(made: Schedule, pools: tuple[str, ...] = ("account",)) -> list[str]:
    """Decide that everything that is ready must run."""
    ready = made.take_ready()
    for node in ready:
        made.queue(node, pools)
    return ready


def run_to_end(made: Schedule) -> list[str]:
    """Run everything, first in, first out, and return the order of starting."""
    order: list[str] = []
    running: list[str] = []
    while True:
        queue_all(made)
        running += (started := made.start())
        order += started
        if made.done:
            return order
        made.finished(running.pop(0))


def test_a_node_is_ready_when_all_before_it_have_ended() -> None:
    made = schedule(graph("abc", [("a", "c"), ("b", "c")]), {"account": 9})
    assert queue_all(made) == ["a", "b"]
    assert made.take_ready() == []
    assert made.start() == ["a", "b"]
    made.finished("a")
    assert made.take_ready() == []
    made.finished("b")
    assert made.take_ready() == ["c"]


def test_a_reused_node_takes_no_place() -> None:
    made = schedule(graph("ab", [("a", "b")]), ONE)
    made.take_ready()
    made.finished("a")
    assert (made.take_ready(), made.running) == (["b"], 0)


def test_a_pool_holds_so_many_and_no_more() -> None:
    made = schedule(graph("abcde"), {"account": 2})
    queue_all(made)
    assert made.start() == ["a", "b"]
    assert made.start() == []
    made.finished("b")
    assert (made.start(), made.running) == (["c"], 2)


def test_pools_do_not_stand_in_each_others_way() -> None:
    made = schedule(graph("abcd"), {"account": 1, "local": 1})
    made.take_ready()
    for node, pool in zip("abcd", ("account", "account", "local", "local"), strict=True):
        made.queue(node, (pool,))
    assert sorted(made.start()) == ["a", "c"]


def test_pools_are_taken_all_at_once_so_that_nobody_half_holds() -> None:
    made = schedule(graph("abc"), {"x": 1, "y": 1})
    made.take_ready()
    made.queue("a", ("x", "y"))
    made.queue("b", ("y", "x"))
    made.queue("c", ("y",))
    assert made.start() == ["a"]
    made.finished("a")
    assert made.start() == ["b"]
    made.finished("b")
    assert made.start() == ["c"]


def test_a_full_pool_does_not_hold_up_who_does_not_need_it() -> None:
    made = schedule(graph("abc"), {"x": 1, "y": 1})
    made.take_ready()
    for node, pools in (("a", ("x",)), ("b", ("x", "y")), ("c", ("y",))):
        made.queue(node, pools)
    assert made.start() == ["a", "c"]


def test_the_longest_remaining_path_goes_first() -> None:
    made = schedule(graph("abcde", [("b", "c"), ("c", "d")]), ONE)
    assert run_to_end(made) == ["b", "c", "a", "d", "e"]


def test_time_counts_not_the_number_of_nodes() -> None:
    seconds = {"a": 1.0, "b": 1.0, "c": 1.0, "long": 60.0}
    made = graph(["a", "b", "c", "long"], [("a", "b"), ("b", "c")])
    urgency = made.urgency(lambda node: seconds[node.id])
    assert urgency == {"a": 3.0, "b": 2.0, "c": 1.0, "long": 60.0}
    assert run_to_end(schedule(made, ONE, urgency))[0] == "long"


def test_equals_go_in_the_order_of_the_recipe() -> None:
    nodes = [f"n{at}" for at in (3, 1, 2, 0)]
    assert run_to_end(schedule(graph(nodes), ONE)) == nodes


def test_a_failure_takes_along_what_depends_on_it() -> None:
    made = schedule(graph("abcde", [("a", "b"), ("b", "c"), ("d", "e")]), {"account": 9})
    queue_all(made)
    made.start()
    assert made.failed("a") == ["b", "c"]
    assert made.ended == {"a": "failed", "b": "skipped", "c": "skipped"}
    made.finished("d")
    assert made.take_ready() == ["e"]


def test_a_node_behind_two_failures_is_lost_once() -> None:
    made = schedule(graph("abc", [("a", "c"), ("b", "c")]), {"account": 9})
    queue_all(made)
    made.start()
    assert made.failed("a") == ["c"]
    assert made.failed("b") == []
    assert made.done


def test_stop_starts_nothing_more_and_waits_for_what_runs() -> None:
    made = schedule(graph("abcd", [("a", "b")]), {"account": 1})
    queue_all(made)
    assert made.start() == ["a"]
    assert made.stop() == ["b", "c", "d"]
    assert (made.done, made.start()) == (False, [])
    made.finished("a")
    assert made.done
    assert made.take_ready() == []
    assert made.ended == {"a": "succeeded", "b": "not-run", "c": "not-run", "d": "not-run"}


def test_after_stop_nothing_can_be_queued() -> None:
    made = schedule(graph("ab"), {"account": 9})
    ready = made.take_ready()
    made.stop()
    for node in ready:  # somebody was still deciding on them
        made.queue(node, ("account",))
    assert made.start() == []
    assert made.done


def test_a_pool_may_shrink_and_grow_while_nodes_run() -> None:
    made = schedule(graph("abcde"), {"account": 2})
    queue_all(made)
    assert made.start() == ["a", "b"]
    made.resize("account", -1)
    made.finished("a")
    assert made.start() == []
    made.resize("account", 2)
    assert made.start() == ["c", "d"]


def test_the_order_is_the_same_every_time() -> None:
    edges = [(f"n{at}", f"n{at * 2 + add}") for at in range(20) for add in (1, 2)]
    nodes = [f"n{at}" for at in range(41)]
    orders = {tuple(run_to_end(schedule(graph(nodes, edges), {"account": 3}))) for _ in range(5)}
    assert len(orders) == 1
    [order] = orders
    assert all(order.index(earlier) < order.index(later) for earlier, later in edges)


@pytest.mark.parametrize("pool", [1, 7, 100_000])
def test_ten_thousand_nodes_side_by_side(pool: int) -> None:
    made = schedule(graph(f"n{at}" for at in range(10_000)), {"account": pool})
    assert len(run_to_end(made)) == 10_000


def test_three_thousand_nodes_in_a_row() -> None:
    nodes = [f"n{at}" for at in range(3_000)]
    made = graph(nodes, pairwise(nodes))
    assert made.urgency(lambda _: 1.0)["n0"] == 3_000.0
    assert run_to_end(schedule(made, ONE)) == nodes
    lost = schedule(made, ONE)
    queue_all(lost)
    lost.start()
    assert len(lost.failed("n0")) == 2_999
