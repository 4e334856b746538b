"""From a task to its results, and what becomes of tasks and files that the service does not have any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rhflow.core.errors import Problem, RefusedError, RhflowError, StepError, UnknownOutcomeError
from rhflow.core.values import Artifact
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.wire.states import Result, TaskState
from rhflow.steps import model
from rhflow.steps.context import OnUnknown
from rhflow.steps.results import GoneError, bring_home, look
from rhflow.store.submissions import Submission
from tests.fakes import artifact

NO_SUCH_TASK = StepError(Problem("api-1004", "the task does not exist"))
DEAD_LINK = StepError(Problem("result-gone", "the result is no longer there"))


def done(*links: str, texts: Sequence[str] = ()) -> TaskState:
    files = [Result(link, None, "png", None) for link in links]
    return TaskState("t1", "SUCCESS", (*files, *(Result(None, text, "txt", None) for text in texts)))


@dataclass
class World:
    """A service with some tasks, links of which some are dead, and what a step reports."""

    states: list[TaskState | RhflowError]
    dead: frozenset[str] = frozenset()
    former: Submission | None = None
    on_unknown: OnUnknown = "fail"
    found: str | None = None
    log: list[str] = field(default_factory=list)

    async def query(self, task_id: str) -> TaskState:
        self.log.append(f"query {task_id}")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, RhflowError):
            raise state
        return state

    async def watch(self, task_id: str, **_: Any) -> TaskState:
        return await self.query(task_id)

    async def fetch(self, url: str, name: str, extension: str = "") -> Artifact:
        self.log.append(f"fetch {url}")
        if url in self.dead:
            raise DEAD_LINK
        return artifact(f"{name}.{extension}")

    async def find_task(self, _: Any) -> str | None:
        return self.found

    async def report(self, type: str, data: dict[str, Any], *, durable: bool = False) -> None:
        self.log.append(f"{type} {data.get('outcome') or data.get('status') or data.get('task_id')}")
        if type == "submit.accepted" and self.former is not None:
            self.former = Submission("k", "r1", "draw", "e", "accepted", data["task_id"], 1.0, None, "here")

    def tools(self) -> Any:
        class Occupied:
            async def __aenter__(self) -> None: ...
            async def __aexit__(self, *_: object) -> None: ...

        return cast(
            Any,
            SimpleNamespace(
                hub=SimpleNamespace(query=self.query, connection=SimpleNamespace(realm="live")),
                poller=SimpleNamespace(watch=self.watch),
                vault=SimpleNamespace(fetch=self.fetch, forget_unread=lambda *_: None),
                slots=SimpleNamespace(occupied=lambda _: Occupied()),
                clock=Clock(),
                now=lambda: 100.0,
                began=50.0,
                site="here",
                forgetful=False,
                on_unknown=self.on_unknown,
                find_task=self.find_task,
                wait_for_task=None,
                watched=False,
                open_task=lambda _: self.former,
                expected=lambda _, usual: usual,
                observed=lambda *_: None,
            ),
        )

    async def carry_out(self) -> Any:
        async def prepare() -> Any:
            self.log.append("PAY")
            raise RefusedError(Problem("no", "it would be sent now"))

        kind = SimpleNamespace(name="text-to-image", typical_seconds=8.0)
        call = SimpleNamespace(key="k", node="draw", inputs={}, model=None, subject="m", kind=kind, timeout=600.0)
        return await model.carry_out(cast(Any, call), prepare, self.report, self.tools())


async def test_files_and_texts_come_home_in_order() -> None:
    world = World([done("u1", "u2", texts=["hello"])])
    outputs = await bring_home(done("u1", "u2", texts=["hello"]), "draw", world.tools())
    assert [file.name for file in outputs.files] == ["draw-1.png", "draw-2.png"]
    assert outputs.texts == ("hello",)
    assert world.log == ["fetch u1", "fetch u2"]


async def test_dead_links_are_asked_for_again() -> None:
    world = World([done("new1", "new2")], dead=frozenset({"u2"}))
    outputs = await bring_home(done("u1", "u2"), "draw", world.tools())
    assert len(outputs.files) == 2
    assert world.log == ["fetch u1", "fetch u2", "query t1", "fetch new1", "fetch new2"]


async def test_a_file_that_is_no_longer_there_is_told_of_and_asked_for_once() -> None:
    world = World([done("u1")], dead=frozenset({"u1"}))
    with pytest.raises(GoneError, match="succeeded, but its result is no longer there") as caught:
        await bring_home(done("u1"), "draw", world.tools())
    assert "--unknown=resubmit" in (caught.value.problems[0].hint or "")
    assert world.log == ["fetch u1", "query t1", "fetch u1"]


async def test_a_task_that_gave_nothing_is_a_failure() -> None:
    with pytest.raises(StepError, match="gave nothing"):
        await bring_home(done(), "draw", World([done()]).tools())


async def test_a_look_tells_an_unknown_task_from_a_service_that_fails() -> None:
    assert await look("t1", World([NO_SUCH_TASK]).tools()) is None
    with pytest.raises(StepError, match="down"):
        await look("t1", World([StepError(Problem("api-1005", "down"))]).tools())


# --- a call that is open already -------------------------------------------------------------------------------------


def accepted(*, at: float = 1.0, site: str | None = "here") -> Submission:
    return Submission("k", "r1", "draw", "e", "accepted", "t1", at, None, site)


def in_doubt(*, at: float = 1.0) -> Submission:
    return Submission("k", "r1", "draw", "e", "intent", None, at, None, "here")


async def test_an_open_task_is_taken_up_and_looked_at_first() -> None:
    world = World([done("u1")], former=accepted())
    result = await world.carry_out()
    assert (result.task_id, len(result.outputs.files)) == ("t1", 1)
    assert world.log == ["task.status RESUMED", "query t1", "fetch u1"]


@pytest.mark.parametrize("on_unknown", ["fail", "wait"])
async def test_a_task_that_is_gone_is_not_paid_for_again(on_unknown: OnUnknown) -> None:
    world = World([NO_SUCH_TASK], former=accepted(), on_unknown=on_unknown)
    with pytest.raises(UnknownOutcomeError, match="does not know task `t1` any more"):
        await world.carry_out()
    assert "PAY" not in world.log


@pytest.mark.parametrize("former", [accepted(), in_doubt()], ids=["gone", "in doubt"])
async def test_what_the_user_gives_up_is_paid_for_again(former: Submission) -> None:
    world = World([NO_SUCH_TASK], former=former, on_unknown="resubmit")
    with pytest.raises(RefusedError):
        await world.carry_out()
    assert world.log[-2:] == [f"submit.settled {'gone' if former.task_id else 'resubmitted'}", "PAY"]


@pytest.mark.parametrize("former", [accepted(at=60.0), in_doubt(at=60.0)], ids=["gone", "in doubt"])
async def test_what_the_user_could_not_know_of_is_not(former: Submission) -> None:
    world = World([NO_SUCH_TASK], former=former, on_unknown="resubmit")
    with pytest.raises(UnknownOutcomeError):
        await world.carry_out()
    assert "PAY" not in world.log


async def test_a_lost_reply_whose_task_can_be_found_is_no_longer_in_doubt() -> None:
    world = World([done("u1")], former=in_doubt(), found="t9")
    assert (await world.carry_out()).task_id == "t9"
    assert world.log[:2] == ["submit.accepted t9", "task.status RESUMED"]


async def test_a_task_on_another_site_is_not_asked_for_here() -> None:
    world = World([done("u1")], former=accepted(site="there"))
    with pytest.raises(UnknownOutcomeError, match="was sent to `there`"):
        await world.carry_out()
    assert world.log == []
