"""Which submit may be sent again, how long to wait, and the two loops that do the waiting."""

import ssl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhflow.core.errors import Problem, StepError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.retry import (
    BUSY,
    FREE,
    FULL,
    UNSENT,
    Backoff,
    Passing,
    classify_submit,
    may_pass,
    retry_after,
    retry_free,
    submit_when_free,
    wait_for,
)
from rhflow.runninghub.wire.codes import CODES
from rhflow.runninghub.wire.errors import ApiError, SimulatorError, SubmitFailed, UnreadableError
from rhflow.runninghub.wire.states import Submitted

TABLE = [
    (Submitted("1", "QUEUED"), "accepted"),
    (Submitted("1", "FAILED"), "accepted"),
    (httpx.ConnectError("refused"), "not_sent"),
    (httpx.ConnectTimeout("slow"), "not_sent"),
    (httpx.PoolTimeout("full"), "not_sent"),
    (httpx.ProxyError("403"), "not_sent"),
    (ApiError("421", "TASK_QUEUE_MAXED"), "busy"),
    (ApiError("415", ""), "busy"),
    (ApiError("814", ""), "busy"),
    (ApiError("1003", ""), "busy"),
    (ApiError("1011", ""), "busy"),
    (ApiError("1520", ""), "busy"),
    (ApiError("421", "", 400), "busy"),
    (ApiError("", "TASK_QUEUE_MAXED"), "busy"),
    (ApiError("", "", 429), "busy"),
    (ApiError("1005", "", 429), "busy"),
    (ApiError("812", "", 429), "refused"),
    (ApiError("301", ""), "refused"),
    (ApiError("1014", ""), "refused"),
    (ApiError("808", ""), "refused"),
    (ApiError("", "", 301), "refused"),
    (ApiError("", "", 401), "refused"),
    (ApiError("", "", 404), "refused"),
    (ApiError("9999", "", 400), "refused"),
    (httpx.UnsupportedProtocol("ftp"), "refused"),
    (httpx.InvalidURL("no"), "refused"),
    (SimulatorError("http://localhost"), "refused"),
    (ApiError("", "", 500), "maybe_sent"),
    (ApiError("", "", 503), "maybe_sent"),
    (ApiError("421", "", 503), "maybe_sent"),
    (ApiError("", "", 408), "maybe_sent"),
    (ApiError("1000", ""), "maybe_sent"),
    (ApiError("500", ""), "maybe_sent"),
    (ApiError("813", ""), "maybe_sent"),
    (ApiError("9999", "System is currently busy, please retry later"), "maybe_sent"),
    (ApiError("", "something odd"), "maybe_sent"),
    (httpx.ReadTimeout("slow"), "maybe_sent"),
    (httpx.WriteTimeout("slow"), "maybe_sent"),
    (httpx.ReadError("reset"), "maybe_sent"),
    (httpx.WriteError("reset"), "maybe_sent"),
    (httpx.CloseError("reset"), "maybe_sent"),
    (httpx.RemoteProtocolError("disconnected"), "maybe_sent"),
    (httpx.LocalProtocolError("odd"), "maybe_sent"),
    (httpx.DecodingError("garbled"), "maybe_sent"),
    (UnreadableError("it is not JSON"), "maybe_sent"),
    (ssl.SSLError("odd"), "maybe_sent"),
    (RuntimeError("unforeseen"), "maybe_sent"),
]


@pytest.mark.parametrize(("outcome", "verdict"), TABLE, ids=lambda value: str(value)[:40])
def test_the_table(outcome, verdict):
    assert classify_submit(outcome) == verdict


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("status", [200, 400])
def test_every_code_is_sent_again_only_when_busy(code, status):
    expected = {"T": "refused", "N": "refused", "P": "refused", "A": "maybe_sent", "S": "maybe_sent"}
    verdict = classify_submit(ApiError(code, "", status))
    assert verdict == ("busy" if code in BUSY else expected[CODES[code].klass])


@pytest.mark.parametrize(
    ("outcome", "passes"),
    [
        (httpx.ReadTimeout(""), True),
        (httpx.ConnectError(""), True),
        (httpx.DecodingError(""), True),
        (ssl.SSLError("odd"), True),
        (ApiError("1003", ""), True),
        (ApiError("1000", ""), True),
        (ApiError("301", "", 500), True),
        (ApiError("", "", 429), True),
        (ApiError("9999", ""), True),
        (ApiError("807", ""), False),
        (ApiError("812", ""), False),
        (ApiError("", "", 404), False),
        (httpx.UnsupportedProtocol(""), False),
        (httpx.TooManyRedirects(""), False),
    ],
    ids=str,
)
def test_what_a_free_request_may_hope_for(outcome, passes):
    assert may_pass(outcome) is passes


def test_waits_grow_to_their_bound():
    policy = Backoff(first=1, factor=2, longest=10, attempts=4)
    assert [policy.delay(attempt, 1.0) for attempt in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 10, 10]
    assert policy.delay(3, 0.0) == 2
    assert [policy.exhausted(attempt) for attempt in (3, 4, 5)] == [False, True, True]
    assert not FULL.exhausted(10**6)


@given(st.integers(1, 10_000), st.floats(0, 1), st.sampled_from([FREE, FULL, UNSENT]))
def test_waits_are_always_sane(attempt, jitter, policy):
    assert policy.first / 2 <= policy.delay(attempt, jitter) <= policy.longest
    assert policy.delay(attempt, jitter) == policy.delay(attempt, jitter)


DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": " 2.5 "}, 2.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "999999"}, 300.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 -0000", "date": DATE}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_what_a_reply_asks_to_wait(headers, seconds):
    assert retry_after(httpx.Headers(headers)) == seconds


def test_the_service_decides_the_wait_in_real_seconds():
    fast = Clock(scale=0.05, jitter=lambda: 1.0)
    assert wait_for(FREE, 1, clock=fast, asked=None) == pytest.approx(0.025)
    assert wait_for(FREE, 1, clock=fast, asked=4.0) == pytest.approx(4.4)


class Sleeps:
    """A clock that does not wait, and remembers for how long it did not."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.clock = Clock(sleep=self._sleep, jitter=lambda: 1.0)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def trouble(text: str = "trouble") -> StepError:
    return StepError(Problem("trouble", text))


async def test_a_free_request_is_repeated_until_it_succeeds():
    time, replies = Sleeps(), [Passing(trouble()), Passing(trouble(), asked=3), "done"]

    async def attempt():
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    assert await retry_free(attempt, clock=time.clock) == "done"
    assert time.slept == pytest.approx([0.5, 3.3])


async def test_a_free_request_ends_with_the_last_error_and_its_cause():
    time, count = Sleeps(), 0

    async def attempt():
        nonlocal count
        count += 1
        try:
            raise httpx.ReadError("reset")
        except httpx.ReadError as error:
            raise Passing(trouble(str(count))) from error

    with pytest.raises(StepError, match="6") as caught:
        await retry_free(attempt, clock=time.clock)
    assert isinstance(caught.value.__cause__, httpx.ReadError)
    assert time.slept == [0.5, 1, 2, 4, 8]


async def test_progress_starts_the_count_anew():
    time, count = Sleeps(), 0

    async def attempt():
        nonlocal count
        count += 1
        raise Passing(trouble(), progress=count <= 10)

    with pytest.raises(StepError):
        await retry_free(attempt, clock=time.clock)
    assert count == 15


class Script:
    """Submits that end as told, and a record of everything that happened."""

    def __init__(self, *outcomes) -> None:
        self.outcomes = list(outcomes)
        self.record: list[str] = []
        self.time = Sleeps()

    async def send(self) -> Submitted:
        outcome = self.outcomes.pop(0)
        self.record.append("post")
        if isinstance(outcome, Submitted):
            return outcome
        verdict, asked = outcome if isinstance(outcome, tuple) else (outcome, None)
        raise SubmitFailed(verdict, trouble(verdict), retry_after=asked)

    async def before(self, attempt: int) -> None:
        self.record.append(f"intent {attempt}")

    async def waits(self, failed: SubmitFailed, seconds: float) -> None:
        self.record.append(f"{failed.verdict} {seconds:g}")

    async def run(self) -> Submitted:
        return await submit_when_free(self.send, before_attempt=self.before, on_wait=self.waits, clock=self.time.clock)


async def test_a_submit_waits_for_room_and_every_post_has_its_intent():
    script = Script("busy", ("busy", 60.0), "not_sent", "busy", Submitted("7", "QUEUED"))
    assert (await script.run()).task_id == "7"
    assert script.record == [
        "intent 1", "post", "busy 0",
        "intent 2", "post", "busy 0",
        "intent 3", "post", "not_sent 1",
        "intent 4", "post", "busy 0",
        "intent 5", "post",
    ]  # fmt: skip
    assert script.time.slept == pytest.approx([1])  # a full account is waited for before the intent


@pytest.mark.parametrize("verdict", ["refused", "maybe_sent"])
async def test_a_submit_in_doubt_or_refused_is_never_sent_again(verdict):
    script = Script("busy", verdict, Submitted("7", "QUEUED"))
    with pytest.raises(SubmitFailed) as caught:
        await script.run()
    assert caught.value.verdict == verdict
    assert script.record.count("post") == 2


async def test_an_unreachable_service_is_given_up():
    script = Script(*["not_sent"] * 20)
    with pytest.raises(SubmitFailed, match="not_sent"):
        await script.run()
    assert script.record.count("post") == UNSENT.attempts


async def test_a_full_account_is_waited_for_without_end():
    script = Script(*["busy"] * 500, Submitted("7", "QUEUED"))
    await script.run()
    assert script.record.count("post") == 501
    assert script.time.slept == []


async def test_a_full_account_in_between_starts_the_count_anew():
    script = Script(*["not_sent"] * 7, "busy", *["not_sent"] * 7, Submitted("7", "QUEUED"))
    assert (await script.run()).task_id == "7"


async def test_a_journal_that_cannot_be_written_stops_the_post():
    script = Script(Submitted("7", "QUEUED"))

    async def broken(attempt: int) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await submit_when_free(script.send, before_attempt=broken, on_wait=script.waits, clock=script.time.clock)
    assert script.record == []
