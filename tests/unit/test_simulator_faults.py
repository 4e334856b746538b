"""Every fault of a plan does to a client what it says, in process and over a socket alike."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from rhflow.core.errors import Source
from rhflow.core.text.source import read
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.fault_injector import Injector
from rhflow.simulator.fault_plan import FaultPlan, read_plan
from rhflow.simulator.in_process import InProcess
from rhflow.simulator.replies import MESSAGES
from tests.simulator_support import KEY, FewModels, ManualClock, picture, serving

SAY = "/openapi/v2/test/image-to-text"
FAST = SimulatorConfig(speed=1e5, most=96)
BROKEN = (httpx.ReadError, httpx.RemoteProtocolError)


def plan_of(*rules: str, seed: int = 0) -> FaultPlan:
    return read_plan(read(Source("plan.yaml", f"faults: 1\nseed: {seed}\nrules: [{', '.join(rules)}]\n")))


class Reached:
    """A client of a simulator, which it may reach in process or over a socket."""

    def __init__(self, http: httpx.AsyncClient, simulator: Any) -> None:
        self.http, self.simulator = http, simulator

    def plan(self, *rules: str) -> None:
        self.simulator.faults = Injector(plan_of(*rules))

    async def submit(self, prompt: str = "hello") -> httpx.Response:
        return await self.http.post(SAY, json={"prompt": prompt})

    async def query(self, task_id: str) -> dict[str, Any]:
        return (await self.http.post("/openapi/v2/query", json={"taskId": task_id})).json()

    async def finished(self, task_id: str) -> dict[str, Any]:
        while (reply := await self.query(task_id))["status"] in ("QUEUED", "RUNNING"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return reply

    async def drawn(self) -> str:
        """Return the link to a new picture."""
        task_id = (await self.http.post("/openapi/v2/test/text-to-image", json={"prompt": "a boat"})).json()["taskId"]
        return (await self.finished(task_id))["results"][0]["url"]

    async def upload(self) -> httpx.Response:
        return await self.http.post("/openapi/v2/media/upload/binary", files={"file": ("a.png", picture())})

    async def stats(self) -> dict[str, Any]:
        return (await self.http.get("/_simulator/stats")).json()


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, Any]]:
    app = create_app(FewModels(), FAST)
    with serving(app) as url:
        yield url, app.state.simulator


@asynccontextmanager
async def in_process(clock: ManualClock | None = None) -> AsyncIterator[Reached]:
    app = create_app(FewModels(), FAST, clock=clock)
    try:
        async with httpx.AsyncClient(transport=InProcess(app), base_url="http://simulator.test", headers=KEY) as http:
            yield Reached(http, app.state.simulator)
    finally:
        app.state.simulator.close()


@pytest.fixture(params=["in process", "over a socket"])
async def reached(request: pytest.FixtureRequest) -> AsyncIterator[Reached]:
    if request.param == "in process":
        async with in_process() as here:
            yield here
        return
    url, simulator = request.getfixturevalue("address")
    simulator.reset()
    async with httpx.AsyncClient(base_url=url, headers=KEY, timeout=10, trust_env=False) as http:
        yield Reached(http, simulator)


# --- replies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", MESSAGES)
async def test_every_documented_code_can_be_given(code: str) -> None:
    async with in_process() as here:
        here.plan(f"{{fault: refuse, code: {code}}}")
        submitted, uploaded = (await here.submit()).json(), (await here.upload()).json()
        flat = {"taskId": "", "status": "", "errorCode": code, "errorMessage": MESSAGES[code]}
        wrapped = {"code": int(code), "msg": MESSAGES[code], "data": None}
        assert submitted.items() >= (wrapped if code == "-1" else flat).items()
        assert uploaded == {"code": int(code), "message": MESSAGES[code], "data": None}
        assert (await here.stats())["accepted"] == 0


async def test_a_refused_key(reached: Reached) -> None:
    reached.plan("{fault: auth, at: [1, 3]}", "{fault: auth, status: 200, at: 2}")
    first, second, third = [await reached.submit(), await reached.submit(), await reached.upload()]
    assert (first.status_code, first.json()["code"]) == (401, -1)
    assert (second.status_code, second.json()["errorCode"]) == (200, "1002")
    assert (third.status_code, third.json()["code"]) == (401, -1)
    assert first.headers["rhflow-simulator"] == "1"


async def test_too_many(reached: Reached) -> None:
    reached.plan("{fault: too-many, at: 1, retry_after: 100000}", "{fault: too-many, at: 2}")
    first, second, third = [await reached.submit(), await reached.submit(), await reached.submit()]
    assert (first.status_code, first.headers["retry-after"]) == (429, "1")
    assert second.status_code == 429 and "retry-after" not in second.headers
    assert third.json()["taskId"]


@pytest.mark.parametrize(("fault", "status"), [("server-error", 502), ("server-error, status: 503", 503)])
@pytest.mark.parametrize(("when", "accepted"), [("before", 0), ("after", 1)])
async def test_errors_of_the_server(reached: Reached, fault: str, status: int, when: str, accepted: int) -> None:
    reached.plan(f"{{fault: {fault}, when: {when}}}")
    assert (await reached.submit()).status_code == status
    assert reached.simulator.counts["accepted"] == accepted


@pytest.mark.parametrize(("when", "accepted"), [("before", 0), ("after", 1)])
async def test_a_lost_connection(reached: Reached, when: str, accepted: int) -> None:
    reached.plan(f"{{fault: drop, when: {when}, times: 1}}")
    with pytest.raises(BROKEN):
        await reached.submit()
    assert reached.simulator.counts["accepted"] == accepted
    assert (await reached.submit()).json()["taskId"], "the next connection is a good one"


async def test_an_upload_that_is_dropped_has_not_been_taken(reached: Reached) -> None:
    reached.plan("{fault: drop, on: upload, times: 1}")
    with pytest.raises((*BROKEN, httpx.WriteError)):
        await reached.upload()
    assert reached.simulator.counts["uploads"] == 0
    assert (await reached.upload()).json()["code"] == 0


async def test_spoiled_replies(reached: Reached) -> None:
    reached.plan("{fault: garbage, at: 1}", "{fault: empty, at: 2}", "{fault: wrong-length, at: 3}")
    garbage = await reached.submit()
    with pytest.raises(json.JSONDecodeError):
        garbage.json()
    assert garbage.status_code == 200 and garbage.content.startswith(b'{"taskId":')
    empty = await reached.submit()
    assert (empty.status_code, empty.content) == (200, b"")
    with pytest.raises(BROKEN):
        await reached.submit()
    assert reached.simulator.counts["accepted"] == 3


async def test_late_replies_are_whole(reached: Reached) -> None:
    reached.plan("{fault: delay, seconds: 1, at: 1}", "{fault: trickle, seconds: 1, at: 2}")
    for _ in range(2):
        assert (await reached.submit()).json()["taskId"]
    assert (await reached.stats())["faults"] == {"delay": 1, "trickle": 1}


async def test_a_reply_later_than_the_client_waits_is_a_time_out_in_process() -> None:
    async with in_process() as here:
        here.plan("{fault: delay, seconds: 61}")
        with pytest.raises(httpx.ReadTimeout):
            await here.http.post(SAY, json={"prompt": "x"}, timeout=60)
        assert here.simulator.counts["accepted"] == 1


@pytest.mark.parametrize(
    ("on", "path"),
    [
        ("submit", "/openapi/v2/run/workflow/1"),
        ("submit", "/openapi/v2/run/ai-app/1"),
        ("submit", "/task/openapi/create"),
        ("submit", "/task/openapi/ai-app/run"),
        ("submit", "/task/openapi/quick-ai-app/run"),
        ("query", "/task/openapi/status"),
        ("query", "/task/openapi/outputs"),
        ("upload", "/task/openapi/upload"),
        ("account", "/uc/openapi/accountStatus"),
    ],
)
async def test_operations_of_every_family_are_known(on: str, path: str) -> None:
    async with in_process() as here:
        here.plan(f"{{fault: refuse, on: {on}, code: 412}}")
        reply = (await here.http.post(path, json={})).json()
        assert str(reply.get("code", reply.get("errorCode"))) == "412"
        assert (await here.stats())["faults"] == {"refuse": 1}


@pytest.mark.parametrize("path", ["price-preview/test/text-to-image", "aiapp/list", "resource/list", "assets/list"])
async def test_other_operations_go_well(path: str) -> None:
    async with in_process() as here:
        here.plan("{fault: drop}")
        assert (await here.http.post(f"/openapi/v2/{path}", json={"prompt": "x"})).status_code == 200


# --- files -----------------------------------------------------------------------------------------------------------


async def test_damaged_files(reached: Reached) -> None:
    link = await reached.drawn()
    whole = (await reached.http.get(link)).content
    reached.plan("{fault: corrupt, at: 1}", "{fault: corrupt, where: head, at: 2}", "{fault: truncate, at: 3}")
    middle, head = (await reached.http.get(link)).content, (await reached.http.get(link)).content
    assert len(middle) == len(head) == len(whole)
    assert middle[: len(whole) // 2] == whole[: len(whole) // 2] and sum(map(int.__ne__, middle, whole)) == 64
    assert head[64:] == whole[64:] and sum(map(int.__ne__, head, whole)) == 64
    got = b""
    with pytest.raises(httpx.RemoteProtocolError):
        async with reached.http.stream("GET", link) as reply:
            assert int(reply.headers["content-length"]) == len(whole)
            async for part in reply.aiter_bytes():
                got += part
    assert got == whole[: -(-len(whole) // 2)]
    rest = await reached.http.get(link, headers={"Range": f"bytes={len(got)}-"})
    assert (rest.status_code, got + rest.content) == (206, whole)


async def test_links_to_results_expire_by_the_simulated_clock_and_are_given_anew() -> None:
    clock = ManualClock()
    async with in_process(clock) as here:
        here.plan("{fault: expire, on: query, seconds: 60, times: 1}")
        task_id = (await here.http.post("/openapi/v2/test/text-to-image", json={"prompt": "a boat"})).json()["taskId"]
        clock.now = 100.0
        link = (await here.finished(task_id))["results"][0]["url"]
        assert (await here.http.get(link)).status_code == 200
        clock.now = 161.0
        assert (await here.http.get(link)).status_code == 404
        renewed = (await here.query(task_id))["results"][0]["url"]
        assert renewed != link
        clock.now = 1e6
        assert (await here.http.get(renewed)).status_code == 200
        assert (await here.http.get(link)).status_code == 404


async def test_links_to_uploads_expire_until_the_file_is_uploaded_again() -> None:
    clock = ManualClock()
    async with in_process(clock) as here:
        here.plan("{fault: expire, on: upload, seconds: 60, times: 1}")
        link = (await here.upload()).json()["data"]["download_url"]
        states = []
        for now in (61.0, 200.0):
            clock.now = now
            sent = {"prompt": "x", "imageUrl": link}
            task_id = (await here.http.post(SAY, json=sent)).json()["taskId"]
            clock.now += 100.0
            states.append(await here.finished(task_id))
            assert (await here.upload()).json()["data"]["download_url"] == link
        assert [each["status"] for each in states] == ["FAILED", "SUCCESS"]
        assert states[0]["errorCode"] == "1013"


# --- tasks -----------------------------------------------------------------------------------------------------------


async def test_what_becomes_of_tasks() -> None:
    clock = ManualClock()
    async with in_process(clock) as here:
        here.plan(
            "{fault: fail, task: 1, code: 1501, seconds: 7}",
            "{fault: stuck, task: 2, seconds: 500}",
            "{fault: stuck, task: 3}",
        )
        failing, slow, stuck = [(await here.submit(str(at))).json()["taskId"] for at in range(3)]
        clock.now = 6.9
        assert (await here.query(failing))["status"] == "RUNNING"
        clock.now = 7.0
        failed = await here.finished(failing)
        assert (failed["status"], failed["errorCode"]) == ("FAILED", "1501")
        clock.now = 499.0
        assert (await here.query(slow))["status"] == "QUEUED"
        clock.now = 1000.0
        assert (await here.finished(slow))["status"] == "SUCCESS"
        clock.now = 1e9
        assert (await here.query(stuck))["status"] == "QUEUED"


async def test_a_limit_that_is_lowered_while_tasks_run() -> None:
    async with in_process(ManualClock()) as here:
        here.plan("{fault: limit, at: 3, limit: 2}")
        codes = [(await here.submit(str(at))).json()["errorCode"] for at in range(4)]
        assert codes == ["", "", "421", "421"]
        queue = (await here.http.get("/openapi/v2/queue/status")).json()["data"]
        assert (queue["concurrentLimit"], queue["totalCurrentTasks"]) == (2, "2")


async def test_a_webhook_that_is_told_twice() -> None:
    told: Counter[str] = Counter()

    def receiver(request: httpx.Request) -> httpx.Response:
        told[json.loads(request.content)["taskId"]] += 1
        return httpx.Response(200)

    async with in_process() as here:
        here.plan("{fault: repeat-webhook, task: 2}")
        here.simulator.webhooks.transport = httpx.MockTransport(receiver)
        ids = []
        for prompt in ("one", "two"):
            sent = {"prompt": prompt, "webhookUrl": "http://receiver.test/"}
            ids.append((await here.http.post(SAY, json=sent)).json()["taskId"])
        while told.total() < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert told == {ids[0]: 1, ids[1]: 2}


async def test_calls_accepted_twice_are_counted() -> None:
    async with in_process() as here:
        for prompt in ("one", "two", "one"):
            await here.submit(prompt)
        stats = await here.stats()
        assert stats["duplicates"] == 1
        assert sorted(stats["accepted_by_payload"].values()) == [1, 2]
        assert all(each.startswith("test/image-to-text ") for each in stats["accepted_by_payload"])
        after = (await here.http.post("/_simulator/reset")).json()
        assert (after["duplicates"], after["accepted_by_payload"]) == (0, {})


async def test_without_a_plan_nothing_is_held_back(reached: Reached) -> None:
    reached.plan("{fault: drop, at: 1000}")
    reached.simulator.faults = Injector(FaultPlan())
    assert (await reached.submit()).json()["taskId"]
    assert (await reached.stats())["faults"] == {}
