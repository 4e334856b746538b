"""The client against a transport that misbehaves in every way there is; no network."""

import asyncio
import json
import traceback
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from rhflow.core.errors import RefusedError, RhflowError, StepError, UnknownOutcomeError, UsageError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.wire.errors import SubmitFailed

KEY = "0123456789abcdef0123456789abcdef"
SITE = "https://www.runninghub.cn"
ACCEPTED = {"taskId": "2013508786110730241", "status": "RUNNING", "errorCode": "", "errorMessage": "", "results": None}
RUNNING = ACCEPTED | {"usage": {"thirdPartyConsumeMoney": "0.14"}}

Handler = Callable[[httpx.Request], httpx.Response]


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


def hub(handler, *, site: str = SITE, realm="live", slept: list[float] | None = None) -> RunningHub:
    waits = [] if slept is None else slept

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    clock = Clock(sleep=sleep, wall=lambda: sum(waits), jitter=lambda: 1.0)
    return RunningHub(Connection(site, Secret(KEY), realm), transport=httpx.MockTransport(handler), clock=clock)


def replies(*outcomes) -> Handler:
    """Answer with each outcome in turn: a status with a body, a body, or an exception to raise."""
    left = list(outcomes)

    def handler(request: httpx.Request) -> httpx.Response:
        outcome = left.pop(0)
        if isinstance(outcome, type | Exception):
            raise outcome("broken") if isinstance(outcome, type) else outcome
        if isinstance(outcome, httpx.Response):
            return outcome
        status, body = outcome if isinstance(outcome, tuple) else (200, outcome)
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    return handler


async def test_a_submit_is_one_post():
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ACCEPTED)

    async with hub(handler) as client:
        submitted = await client.submit("rhart-image-g-1.5-official/text-to-image", {"prompt": "a fox", "n": 2})
    assert submitted.task_id == "2013508786110730241"
    (request,) = seen
    assert str(request.url) == f"{SITE}/openapi/v2/rhart-image-g-1.5-official/text-to-image"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("rhflow/")
    assert json.loads(request.content) == {"prompt": "a fox", "n": 2}
    assert client.requests == {"submit": 1}


async def test_the_older_family_gets_the_key_in_the_body():
    def handler(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"webappId": "1", "apiKey": KEY}
        assert request.url.path == "/task/openapi/quick-ai-app/run"
        return httpx.Response(200, json={"code": 0, "msg": "success", "data": {"taskId": 77, "taskStatus": "QUEUED"}})

    async with hub(handler) as client:
        assert (await client.submit("/task/openapi/quick-ai-app/run", {"webappId": "1"})).task_id == "77"


@pytest.mark.parametrize(
    ("outcome", "verdict", "error"),
    [
        (httpx.ConnectError, "not_sent", StepError),
        (httpx.PoolTimeout, "not_sent", StepError),
        (httpx.ReadTimeout, "maybe_sent", UnknownOutcomeError),
        (httpx.WriteError, "maybe_sent", UnknownOutcomeError),
        (httpx.RemoteProtocolError, "maybe_sent", UnknownOutcomeError),
        ((502, b"<html>bad gateway</html>"), "maybe_sent", UnknownOutcomeError),
        ((200, b"<html>please log in</html>"), "maybe_sent", UnknownOutcomeError),
        ((200, b"{}"), "maybe_sent", UnknownOutcomeError),
        ({"taskId": "", "errorCode": "1000", "errorMessage": "Unknown error"}, "maybe_sent", UnknownOutcomeError),
        ({"taskId": "", "errorCode": "421", "errorMessage": "full"}, "busy", StepError),
        ({"taskId": "", "errorCode": "812", "errorMessage": "CORPAPIKEY_INSUFFICIENT_FUNDS"}, "refused", RefusedError),
        ({"taskId": "", "errorCode": "1007", "errorMessage": "Invalid parameters"}, "refused", StepError),
        ((401, {"code": -1, "msg": "ApiKey verification failed"}), "refused", RefusedError),
    ],
    ids=str,
)
async def test_a_submit_that_fails_is_never_repeated(outcome, verdict, error):
    async with hub(replies(outcome)) as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("vendor/model", {})
    assert caught.value.verdict == verdict
    assert type(caught.value.error) is error
    assert client.requests == {"submit": 1}


async def test_the_message_of_an_unknown_outcome():
    async with hub(replies(httpx.ReadTimeout)) as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("vendor/model", {})
    (problem,) = caught.value.error.problems
    assert problem.message == "`vendor/model` may have been accepted and charged: no answer in time"
    assert "rhflow resume" in (problem.hint or "")
    assert caught.value.error.exit_code == 5


async def test_a_full_account_may_say_how_long_to_wait():
    response = httpx.Response(429, headers={"Retry-After": "12"}, json={"message": "slow down"})
    async with hub(replies(response)) as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("vendor/model", {})
    assert (caught.value.verdict, caught.value.retry_after) == ("busy", 12.0)


@pytest.mark.parametrize("payload", [{"x": float("nan")}, {"x": object()}])
async def test_a_request_that_cannot_be_written_is_never_sent(payload):
    async with hub(replies()) as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("vendor/model", payload)
    assert caught.value.verdict == "refused"
    assert client.requests == {}


async def test_a_cancelled_submit_stays_cancelled():
    sent = asyncio.Event()

    async def handler(request: httpx.Request) -> httpx.Response:
        sent.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with hub(handler) as client:
        task = asyncio.create_task(client.submit("vendor/model", {}))
        await sent.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_query_carries_the_id_and_reads_the_state():
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/openapi/v2/query"
        assert json.loads(request.content) == {"taskId": "2013508786110730241"}
        return httpx.Response(200, json=RUNNING)

    async with hub(handler, site="https://www.runninghub.ai/") as client:
        state = await client.query("2013508786110730241")
    assert state.status == "RUNNING"
    assert str(state.usage.cost) == "0.14 USD"


async def test_a_query_survives_everything_that_may_pass():
    slept: list[float] = []
    outcomes = [
        httpx.ConnectError,
        (503, b"<html>"),
        (200, b"garbage"),
        httpx.Response(429, headers={"retry-after": "9"}),
        {"taskId": "", "status": "", "errorCode": "1005", "errorMessage": "Internal server error"},
        RUNNING,
    ]
    async with hub(replies(*outcomes), slept=slept) as client:
        assert (await client.query("2013508786110730241")).status == "RUNNING"
    assert client.requests == {"query": 6}
    assert slept == pytest.approx([0.5, 1, 2, 9.9, 8])


async def test_too_many_requests_slow_every_call_down():
    slept: list[float] = []
    too_many = httpx.Response(429, headers={"retry-after": "30"})
    async with hub(replies(too_many, ACCEPTED), slept=slept) as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("a/model", {})
        assert (caught.value.verdict, caught.value.retry_after) == ("busy", 30.0)
        assert slept == []
        await client.submit("another/model", {})
        assert sum(slept) >= 30


async def test_a_query_gives_up_with_the_last_reason():
    async with hub(replies(*[httpx.ReadTimeout] * 6)) as client:
        with pytest.raises(StepError, match="no answer to the query of task `7`: no answer in time"):
            await client.query("7")
    assert client.requests == {"query": 6}


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        ({"taskId": "", "errorCode": "1004", "errorMessage": "Task not found"}, StepError, "api-1004"),
        ({"code": 811, "msg": "CORPAPIKEY_INVALID", "data": None}, RefusedError, "api-811"),
    ],
)
async def test_a_query_that_is_hopeless_is_not_repeated(body, error, code):
    async with hub(replies(body)) as client:
        with pytest.raises(error) as caught:
            await client.query("7")
    assert caught.value.problems[0].code == code


async def test_a_failed_task_is_a_state_and_not_an_exception():
    async with hub(replies({"taskId": "7", "status": "FAILED", "errorCode": "1015"})) as client:
        assert (await client.query("7")).error.code == "1015"


async def test_the_queue_status():
    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("GET", "/openapi/v2/queue/status")
        data = {"apiKeyType": "SHARED", "concurrentLimit": 50, "runningCount": "4", "queuedCount": "0"}
        return httpx.Response(200, json={"code": 0, "msg": "success", "data": data})

    async with hub(handler) as client:
        status = await client.queue_status()
    assert (status.key_type, status.limit, status.running) == ("SHARED", 50, 4)
    assert client.requests == {"queue": 1}


async def test_a_simulator_never_answers_a_live_run(tmp_path: Path):
    file = tmp_path / "a.png"
    file.write_bytes(b"x")

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"rhflow-simulator": "1"}, json=ACCEPTED)

    async with hub(handler) as client:
        for call in (client.query("7"), client.queue_status(), client.upload(file, "a.png", "image/png")):
            with pytest.raises(UsageError, match="is a simulator") as caught:
                await call
            assert "--simulate" in (caught.value.problems[0].hint or "")
        with pytest.raises(SubmitFailed) as failed:
            await client.submit("vendor/model", {})
    assert failed.value.verdict == "refused"
    assert isinstance(failed.value.error, UsageError)
    async with hub(handler, realm="simulated") as client:
        assert (await client.submit("vendor/model", {})).task_id == ACCEPTED["taskId"]


async def test_at_most_forty_requests_are_in_flight():
    now = most = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await at_once(0)
        now -= 1
        return httpx.Response(200, json={"status": "RUNNING"})

    async with hub(handler) as client:
        await asyncio.gather(*(client.query(str(number)) for number in range(1, 201)))
    assert most == 40


LEAKY: list = [
    (401, {"code": -1, "msg": f"ApiKey {KEY} verification failed"}),
    (200, {"taskId": "", "errorCode": "802", "errorMessage": f"bad key Bearer {KEY}"}),
    (200, {"taskId": "7", "status": "FAILED", "errorCode": "805", "failedReason": {"exception_message": KEY}}),
    (200, f"not json {KEY}".encode()),
    (502, f"<html>{KEY}</html>".encode()),
    httpx.ConnectError,
    httpx.ReadTimeout,
]


@pytest.mark.parametrize("outcome", LEAKY, ids=range(len(LEAKY)))
async def test_the_key_is_in_no_exception(outcome):
    texts: list[str] = []
    async with hub(replies(*[outcome] * 20)) as client:
        texts += [repr(client), repr(client.connection), str(client.connection)]
        for call in (client.submit("vendor/model", {}), client.submit("/task/x", {}), client.query("7")):
            try:
                texts.append(repr(await call))
            except (SubmitFailed, RhflowError) as error:
                texts += _everything_in(error)
    assert len(texts) > 3
    assert not [text for text in texts if KEY in text]


def _everything_in(error: BaseException | None) -> list[str]:
    texts: list[str] = []
    seen: list[BaseException] = []
    while error is not None:
        assert error not in seen, "an exception is its own cause"
        seen.append(error)
        texts += [repr(error), str(error), repr(vars(error)), *traceback.format_exception(error)]
        inner = getattr(error, "error", error)
        texts += [repr(problem) for problem in getattr(inner, "problems", ())]
        error = error.__cause__
    return texts
