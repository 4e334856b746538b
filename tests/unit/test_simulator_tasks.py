"""States, slots, ids and counts of the simulator, under a clock that stands still until told."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import httpx
import pytest

from rhflow.core.kinds import Model
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.job import Job, Made
from rhflow.simulator.models import typical_seconds
from rhflow.simulator.workshop import Workshop
from tests.simulator_support import KEY, Caller, ManualClock, calling, picture

SMALL = SimulatorConfig(most=48)


async def made(call: Caller, task_id: str) -> None:
    """Wait until the result exists, whatever the clock says."""
    await asyncio.wrap_future(call.simulator._tasks[task_id].product)


async def test_a_task_waits_runs_and_succeeds() -> None:
    clock = ManualClock()
    async with calling(SMALL, clock=clock) as call:
        accepted = await call.submit("text-to-image", prompt="a house")
        task_id = accepted["taskId"]
        assert accepted == {
            "taskId": task_id, "status": "QUEUED", "errorCode": "", "errorMessage": "", "results": None,
            "clientId": "", "promptTips": "",
        }  # fmt: skip
        await made(call, task_id)
        states = []
        for clock.now in (0.4, 3.0, 20.0):
            states.append((await call.query(task_id))["status"])
        assert states == ["QUEUED", "RUNNING", "SUCCESS"]


async def test_a_result_that_is_not_there_yet_keeps_the_task_running() -> None:
    clock = ManualClock()
    gate = threading.Event()

    def slow(job: Job) -> Made:
        gate.wait()
        return Made(texts=("done",))

    async with calling(SMALL, clock=clock) as call:
        call.simulator.workshop = Workshop(1, maker=slow)
        task_id = (await call.submit("text-to-image", prompt="a house"))["taskId"]
        clock.now = 1000.0
        assert (await call.query(task_id))["status"] == "RUNNING"
        gate.set()
        assert (await call.finished(task_id))["results"] == [{"url": None, "outputType": "txt", "text": "done"}]


async def test_the_limit_refuses_and_a_final_task_frees_its_slot() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48, limit=2), clock=clock) as call:
        first = await call.submit("text-to-image", prompt="one")
        await call.submit("text-to-image", prompt="two")
        refused = await call.submit("text-to-image", prompt="three")
        assert (refused["taskId"], refused["status"], refused["errorCode"]) == ("", "", "421")
        english, chinese = refused["errorMessage"].split(" | ")
        assert english == "api queue limit reached, please retry later"
        assert not chinese.isascii()
        status = (await call.http.get("/openapi/v2/queue/status", headers=KEY)).json()
        assert status == {
            "code": 0, "msg": "success",
            "data": {
                "apiKeyType": "SHARED", "concurrentLimit": 2, "runningCount": "0", "queuedCount": "2",
                "totalCurrentTasks": "2",
            },
        }  # fmt: skip
        await made(call, first["taskId"])
        for task in list(call.simulator._tasks.values()):
            await made(call, task.id)
        clock.now = 100.0  # nobody asks for the tasks: they end all the same
        assert (await call.submit("text-to-image", prompt="three"))["errorCode"] == ""


async def test_ids_are_long_and_never_rounded() -> None:
    async with calling(SMALL) as call:
        ids = [(await call.submit("text-to-image", prompt="same"))["taskId"] for _ in range(5)]
        assert len(set(ids)) == 5
        assert {len(each) for each in ids} == {19}
        reply = await call.query(ids[3])
        assert reply["taskUsageList"][0]["taskId"] == int(ids[3])
        assert any(int(float(each)) != int(each) for each in ids)


async def test_ids_of_two_runs_differ_unless_seeded() -> None:
    async def first_id(config: SimulatorConfig) -> str:
        async with calling(config) as call:
            return (await call.submit("text-to-image", prompt="x"))["taskId"]

    assert await first_id(SMALL) != await first_id(SMALL)
    seeded = SimulatorConfig(most=48, seed=7)
    assert await first_id(seeded) == await first_id(seeded)


async def test_success_carries_price_usage_and_links() -> None:
    async with calling() as call:
        done = await call.run("text-to-image", prompt="a house", imageNum="2")
        usage = {"consumeMoney": None, "consumeCoins": None, "taskCostTime": "0", "thirdPartyConsumeMoney": "0.28"}
        sub_task = {"taskId": int(done["taskId"]), "parentTaskId": None, "taskStatus": "SUCCESS", "usage": usage}
        links = [each.pop("url") for each in done["results"]]
        assert done | {"taskId": ""} == {
            "taskId": "", "status": "SUCCESS", "errorCode": "", "errorMessage": "",
            "results": [{"outputType": "png", "text": None}] * 2, "clientId": "", "promptTips": "",
            "failedReason": {}, "usage": usage, "parentTaskId": None, "taskUsageList": [sub_task],
        }  # fmt: skip
        assert len(set(links)) == 2
        assert all(link.startswith("http://simulator.test/files/output/") for link in links)
        again = await call.query(done["taskId"])
        assert [each["url"] for each in again["results"]] == links


async def test_links_follow_the_configured_address() -> None:
    config = SimulatorConfig(speed=1e6, most=48, base_url="https://rh.example/sim/")
    async with calling(config) as call:
        link = await call.link_to(picture(), "a.png")
        assert link.startswith("https://rh.example/sim/files/input/openapi/")
        assert (await call.make("image-to-image", prompt="night", imageUrls=[link])).startswith(
            "https://rh.example/sim/"
        )


async def test_a_price_that_is_not_known_is_null() -> None:
    async with calling() as call:
        done = await call.run("solid", prompt="a cube")
        assert done["usage"]["thirdPartyConsumeMoney"] is None


async def test_a_call_per_second_costs_by_the_length_of_its_input() -> None:
    async with calling() as call:
        clip = await call.make("text-to-video", prompt="waves", duration="2")
        preview = await call.post(
            "/openapi/v2/price-preview/test/video-upscaler", {"videoUrl": clip, "targetResolution": "1080p"}
        )
        assert preview == {
            "estimatedPrice": 0.42, "currency": "CNY", "freeLimit": False, "isFreeThisCall": False,
            "priceText": "¥0.42/次", "priceTextEn": "CNY 0.42/call", "remainingFreeLimitCount": "0",
            "freeLimitCount": "0",
        }  # fmt: skip
        done = await call.run("video-upscaler", videoUrl=clip, targetResolution="1080p")
        assert done["usage"]["thirdPartyConsumeMoney"] == "0.42"


async def test_a_crash_while_making_fails_the_task_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(job: Job) -> Made:
        raise ZeroDivisionError("no paint")

    async with calling() as call:
        call.simulator.workshop = Workshop(1, maker=broken)
        with caplog.at_level(logging.ERROR, "rhflow.simulator"):
            done = await call.run("text-to-image", prompt="a house")
    assert (done["status"], done["errorCode"]) == ("FAILED", "1015")
    assert done["errorMessage"] == "Generation failed, please try again."
    assert done["results"] is None
    assert done["usage"]["thirdPartyConsumeMoney"] is None
    assert "ZeroDivisionError: no paint" in caplog.text


@pytest.mark.parametrize("link", ["https://elsewhere.test/files/a.png", "http://simulator.test/files/none.png"])
async def test_an_input_that_cannot_be_fetched_fails_the_task(link: str) -> None:
    async with calling() as call:
        done = await call.run("image-to-image", prompt="night", imageUrls=[link])
        assert (done["status"], done["errorCode"]) == ("FAILED", "1013")
        assert done["errorMessage"].startswith("File processing failed, please check the URL or retry")


async def test_an_input_of_the_wrong_kind_fails_the_task() -> None:
    async with calling() as call:
        damaged = await call.link_to(picture()[:60], "cut.png")
        clip = await call.make("text-to-video", prompt="waves", duration="1")
        for link in (damaged, clip):
            done = await call.run("image-to-image", prompt="night", imageUrls=[link])
            assert (done["status"], done["errorCode"]) == ("FAILED", "1013")


async def test_equal_calls_share_the_work_but_not_the_task() -> None:
    jobs: list[Job] = []

    def count(job: Job) -> Made:
        jobs.append(job)
        return Made(texts=(job.prompt,))

    async with calling() as call:
        call.simulator.workshop = Workshop(2, maker=count)
        for prompt in ("one", "one", "two"):
            await call.run("text-to-image", prompt=prompt)
        assert sorted(job.prompt for job in jobs) == ["one", "two"]


async def test_stats_and_reset() -> None:
    clock = ManualClock()
    async with calling(SMALL, clock=clock) as call:
        await call.link_to(picture(), "a.png")
        ended = (await call.submit("text-to-image", prompt="one"))["taskId"]
        await made(call, ended)
        clock.now = 50.0
        await call.fetch((await call.query(ended))["results"][0]["url"])
        await call.submit("speech", text="hello")
        await call.submit("speech", text="")
        stats = (await call.http.get("/_simulator/stats")).json()
        tasks = call.simulator._tasks.values()
        assert stats.pop("accepted_by_payload") == {f"{task.work.endpoint} {task.key[:16]}": 1 for task in tasks}
        assert stats == {
            "submits": 3, "accepted": 2, "refused": 1, "queries": 1, "uploads": 1, "downloads": 1,
            "peak_concurrency": 1, "per_endpoint": {"test/text-to-image": 1, "test/speech": 2},
            "tasks": {"QUEUED": 1, "RUNNING": 0, "SUCCESS": 1, "FAILED": 0, "CANCEL": 0}, "speed": 20.0,
            "webhooks": 0, "faults": {}, "duplicates": 0,
        }  # fmt: skip
        after = await call.post("/_simulator/reset")
        assert after["tasks"] == {"QUEUED": 1, "RUNNING": 0, "SUCCESS": 0, "FAILED": 0, "CANCEL": 0}
        assert (after["submits"], after["per_endpoint"], after["peak_concurrency"]) == (0, {}, 1)
        assert (await call.query(ended))["errorCode"] == "1004"


async def test_closing_ends_threads_and_removes_files() -> None:
    started = threading.Event()

    def endless(job: Job) -> Made:
        started.set()
        for _ in job.unless_stopped(iter(int, 1)):
            pass
        raise AssertionError("never reached")

    async with calling(SMALL) as call:
        await call.make("text-to-image", prompt="one")
        folder = call.simulator.files.folder
        assert any(folder.rglob("*.png"))
        call.simulator.workshop.close()
        call.simulator.workshop = Workshop(1, maker=endless)
        await call.submit("text-to-image", prompt="two")
        await asyncio.to_thread(started.wait)
    assert not folder.exists()
    assert not [each for each in threading.enumerate() if each.name.startswith("rhflow-simulator")]


async def test_an_unused_simulator_makes_no_folder_and_no_thread() -> None:
    app = create_app(NoModels())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://s") as http:
        assert (await http.get("/_simulator/stats")).json()["submits"] == 0
    assert app.state.simulator.files._temporary is None


class NoModels:
    def find(self, reference: str) -> Model | None:
        return None

    def default_for(self, task: str) -> Model | None:
        return None

    def names(self, tasks: Any = ()) -> list[str]:
        return []


def test_typical_seconds_grow_with_the_clip_and_vary_with_the_payload() -> None:
    def seconds(task: str, output: Any, length: float, seed: int = 500_500) -> float:
        return typical_seconds(Model("m", "M", "m", (task,), output, ()), length=length, seed=seed)[1]

    assert seconds("text-to-image", "image", 0) == pytest.approx(8, rel=0.01)
    assert seconds("image-to-video", "video", 5) == pytest.approx(40, rel=0.01)
    assert seconds("upscale-video", "video", 5) == pytest.approx(32, rel=0.01)
    spread = {seconds("text-to-image", "image", 0, seed) for seed in range(0, 10**6, 99_000)}
    assert len(spread) > 5
    assert all(6.7 < each < 9.3 for each in spread)
