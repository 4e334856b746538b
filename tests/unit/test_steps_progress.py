"""Progress while a graph is waited for: what is told of it, when it is asked for, and that it never gets in the way."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rhflow.cli.progress import state_of
from rhflow.core.errors import Problem, RhflowError, StepError
from rhflow.core.events import Event, NodeView, RunView
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.waiting.progress import Heard, Place
from rhflow.runninghub.wire.states import Status, TaskState
from rhflow.steps import progress
from rhflow.steps.progress import following, shown
from tests.virtual import run

NOTHING = {"graph_node": None, "class": None, "percent": None, "done": 0, "nodes": None}
GRAPH = {"5": {"class_type": "KSampler"}, "9": {"class_type": "SaveImage"}}


@dataclass
class World:
    """A run that looks on or not, and a service that says how its task stands."""

    watched: bool = True
    states: list[Status | RhflowError] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)
    over: int = 0

    async def report(self, type: str, data: dict[str, Any], *, durable: bool = False) -> None:
        assert (type, durable) == ("task.progress", False)
        self.told.append(data)

    async def outputs(self, task_id: str) -> TaskState:
        self.asked.append(asyncio.get_running_loop().time())
        state = self.states.pop(0)
        if isinstance(state, RhflowError):
            raise state
        return TaskState(task_id, state, raw={"data": {"netWssUrl": "wss://h/ws"}} if state == "RUNNING" else {})

    def tools(self, sockets: int = 12) -> Any:
        hub = SimpleNamespace(outputs=self.outputs, gateway_socket=lambda *named: f"wss://gate/{'/'.join(named)}")
        return SimpleNamespace(hub=hub, clock=Clock(), watched=self.watched, sockets=asyncio.Semaphore(sockets))

    def ended(self) -> None:
        self.over += 1

    async def follow(self, *places: Place, graph: Any = None) -> None:
        async def source(heard: Heard) -> None:
            for each in places:
                await heard(each)

        async with shown(source, cast(Any, self.report), self.tools(), over=self.ended, graph=graph):
            while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0)


async def graph() -> Any:
    return GRAPH


async def no_graph() -> Any:
    raise StepError(Problem("api-unreachable", "no answer"))


async def test_places_are_told_by_whole_percents_with_the_names_of_nodes() -> None:
    world = World()
    shares = (None, 0.401, 0.409, 0.41)
    await world.follow(*(Place("5", each) for each in shares), Place("9", done=frozenset("5")), graph=graph)
    usual = {"graph_node": "5", "class": "KSampler", "done": 0, "nodes": 2}
    assert world.told == [
        usual | {"percent": None},
        usual | {"percent": 40},
        usual | {"percent": 41},
        {"graph_node": "9", "class": "SaveImage", "percent": None, "done": 1, "nodes": 2},
        NOTHING,  # the socket is over, and the task may not be
    ]
    assert world.over == 0


@pytest.mark.parametrize("source", [None, no_graph])
async def test_without_a_graph_there_are_no_names(source: Any) -> None:
    world = World()
    await world.follow(Place("5", 1.0), graph=source)
    assert world.told == [{"graph_node": "5", "class": None, "percent": 100, "done": 0, "nodes": None}, NOTHING]


async def test_the_end_is_passed_on_and_is_no_progress() -> None:
    world = World()
    await world.follow(Place(), Place(over=True))
    assert (world.told, world.over) == ([], 1)


async def test_the_end_of_waiting_ends_it_and_frees_its_place() -> None:
    world = World()
    tools = world.tools(sockets=1)

    async def source(heard: Heard) -> None:
        await heard(Place("5"))
        begun.set()
        await asyncio.Future()

    for _ in range(2):
        begun = asyncio.Event()
        async with shown(source, cast(Any, world.report), tools, over=world.ended):
            await begun.wait()
    assert len(world.told) == 2


async def test_a_mistake_of_ours_costs_no_result(caplog: pytest.LogCaptureFixture) -> None:
    world, through = World(), asyncio.Event()

    async def source(heard: Heard) -> None:
        through.set()
        raise LookupError("ours")

    async with shown(source, cast(Any, world.report), world.tools(), over=world.ended):
        await through.wait()
    gc.collect()
    assert "LookupError: ours" in caplog.text  # and is told all the same


# --- where a task tells its progress ---------------------------------------------------------------------------------


def find(world: World, *, task: str = "t1", given: str | None = None, runs_at: float | None = None) -> None:
    """Follow a task on a clock that skips, the poller seeing at ``runs_at`` that it runs."""

    async def main() -> None:
        running = asyncio.Event()

        async def follow(url: str, heard: Heard, *, prompt: str | None = None) -> None:
            world.followed.append(url if prompt is None else f"{url} {prompt}")

        if runs_at is not None:
            asyncio.get_running_loop().call_later(runs_at, running.set)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(progress, "follow", follow)
            tools = world.tools()
            await following(task, given, running, tools, client="c1")(lambda _: asyncio.sleep(0))

    run(main)


def test_an_address_that_was_given_is_taken() -> None:
    world = World(watched=False)
    find(world, given="wss://given/ws")
    assert (world.asked, world.followed) == ([], ["wss://given/ws"])


def test_it_is_asked_for_rarely_until_the_task_runs() -> None:
    world = World(states=["QUEUED", "QUEUED", "QUEUED", "RUNNING"])
    find(world)
    assert (world.asked, world.followed) == ([2, 6, 14, 30], ["wss://h/ws"])


def test_it_is_asked_for_when_the_poller_sees_it_run() -> None:
    world = World(states=["QUEUED", "RUNNING"])
    find(world, runs_at=3.0)
    assert (world.asked, world.followed) == ([2, 3], ["wss://h/ws"])


@pytest.mark.parametrize("last", ["SUCCESS", "FAILED", StepError(Problem("api-1005", "down"))])
def test_of_a_task_that_is_done_or_not_known_there_we_ask_no_more(last: Any) -> None:
    world = World(states=[last])
    find(world)
    assert (world.asked, world.followed) == ([2], [])


def test_a_prompt_of_the_gateway_is_told_of_by_its_own_name() -> None:
    world = World()
    find(world, task="proxy:p1")
    assert (world.asked, world.followed) == ([], ["wss://gate/proxy:p1/c1 p1"])


def test_nobody_asks_where_nobody_looks_on() -> None:
    world = World(watched=False)
    find(world)
    assert (world.asked, world.followed) == ([], [])


# --- what a view makes of it -----------------------------------------------------------------------------------------


def test_a_view_knows_the_place_while_the_task_runs() -> None:
    view = RunView("r")
    facts = {"graph_node": "5", "class": "KSampler", "percent": 40, "done": 3, "nodes": 7}

    def tell(type: Any, **data: Any) -> Any:
        view.apply(Event("r", 1.0, type, "draw", data))
        return view.nodes["draw"]

    tell("node.started", key="k")
    assert tell("submit.accepted", task_id="1").remote == "QUEUED"
    node = tell("task.progress", **facts)
    assert (node.remote, node.progress) == ("RUNNING", facts)
    assert "graph_node" not in node.data
    assert tell("task.status", status="RUNNING").progress == facts
    assert tell("task.progress", **NOTHING).progress is None
    tell("task.progress", **facts)
    assert tell("task.status", status="SUCCESS").progress is None


@pytest.mark.parametrize(
    ("remote", "facts", "shown"),
    [
        (None, None, "preparing"),
        ("QUEUED", None, "queued"),
        ("UNANSWERED", None, "no reply came: waiting for its callback"),
        ("RUNNING", ("5", "KSampler", 40, 3, 7), "running, node 5 (KSampler) 40 %, 3 of 7 nodes done"),
        ("RUNNING", ("5", None, 0, 0, None), "running, node 5 0 %"),
        ("RUNNING", ("5", None, None, 2, None), "running, node 5"),
    ],
)
def test_a_live_view_shows_as_much_as_is_known(remote: str | None, facts: Any, shown: str) -> None:
    names = ("graph_node", "class", "percent", "done", "nodes")
    told = None if facts is None else dict(zip(names, facts, strict=True))
    assert state_of(NodeView("draw", remote=remote, progress=told)) == shown
