"""The table of what a submit may come to is one: in the docs, in the code's own words, and in what the code does."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from rhflow.core.errors import Problem, RefusedError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.transport.retry import BUSY, FLAP, KEY_REFUSED, UNSENT, classify_submit, submit_when_free
from rhflow.runninghub.wire.codes import CODES
from rhflow.runninghub.wire.errors import ApiError, PromptRejectedError, SimulatorError, SubmitFailed, UnreadableError
from rhflow.runninghub.wire.states import Submitted

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = ("outcome", "verdict", "sent again by itself")


def codes(*classes: str) -> list[ApiError]:
    held = BUSY | KEY_REFUSED
    return [ApiError(row.code, "") for row in CODES.values() if row.klass in classes and row.code not in held]


# One entry for each line of the table, in its order
EXAMPLES: dict[str, list[Any]] = {
    "any reply with a task id": [Submitted("1", "QUEUED"), Submitted("1", "FAILED")],
    "no connection, no free connection, proxy gives none": [
        httpx.ConnectError(""), httpx.ConnectTimeout(""), httpx.PoolTimeout(""), httpx.ProxyError(""),
    ],
    "421, 415, 814, 1003, 1011, 1520; HTTP 429": [*(ApiError(code, "") for code in BUSY), ApiError("", "", 429)],
    "-1, 401, 802, 806, 811, 1002, HTTP 401 for a key that worked": [
        *(ApiError(code, "") for code in KEY_REFUSED - {"http-401"}), ApiError("", "", 401),
    ],
    "a code of class N, P, or another of class T; HTTP 3xx and 4xx": [
        *codes("N", "P", "T"), ApiError("", "", 302), ApiError("", "", 404), ApiError("9999", "", 400),
    ],
    "an address that is none; a simulator answers a live run": [
        httpx.UnsupportedProtocol(""), httpx.InvalidURL(""), SimulatorError("http://localhost"),
    ],
    "a graph that ComfyUI rejects, with HTTP 400": [PromptRejectedError(Problem("comfyui-rejected", "no"))],
    "HTTP 5xx, whatever code the body has; HTTP 408": [
        ApiError("", "", 500), ApiError("421", "", 503), ApiError("802", "", 502), ApiError("", "", 408),
    ],
    "a code of class A or S, a code nobody has listed": [*codes("A", "S"), ApiError("9999", ""), ApiError("", "odd")],
    "time-out or break while sending or reading, unreadable 2xx": [
        httpx.ReadTimeout(""), httpx.WriteTimeout(""), httpx.ReadError(""), httpx.WriteError(""),
        httpx.RemoteProtocolError(""), httpx.DecodingError(""), UnreadableError("it is not JSON"),
    ],
    "anything unforeseen": [RuntimeError(""), ssl.SSLError(""), httpx.LocalProtocolError("")],
}  # fmt: skip


def told_in_the_code() -> list[tuple[str, ...]]:
    """Return the rows of the table in the function's own words."""
    lines = [line.strip() for line in (classify_submit.__doc__ or "").splitlines()]
    _, head, *rest = lines[next(at for at, line in enumerate(lines) if line.startswith("===")) :]
    rows = [line for line in rest[: rest.index(rest[0], 1)] if not line.startswith("===")]
    return [tuple(re.split(r"\s{2,}", line)) for line in (head, *rows)]


def told_in_the_docs() -> list[tuple[str, ...]]:
    text = PAGE.read_text(encoding="utf-8").partition("\n## What a submit may come to\n")[2]
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|$", text, re.MULTILINE)
    return [row for row in rows if row[0] != "---"]


def test_docs_and_code_tell_the_same_line_by_line() -> None:
    assert told_in_the_docs() == told_in_the_code()
    assert told_in_the_code()[0] == HEAD
    assert [row[0] for row in told_in_the_code()[1:]] == list(EXAMPLES)


@pytest.mark.parametrize(("outcome", "verdict", "again"), told_in_the_docs()[1:], ids=lambda text: text[:30])
def test_each_line_is_what_the_code_does(outcome: str, verdict: str, again: str) -> None:
    worked = "for a key that worked" in outcome
    for example in EXAMPLES[outcome]:
        assert f"`{classify_submit(example, key_worked=worked)}`" == verdict, example
        if not worked:
            assert classify_submit(example, key_worked=True) == classify_submit(example), example
    said = re.search(r"up to (\d+) in all", again)
    if said:
        assert int(said[1]) == {"`not_sent`": UNSENT, "`key_refused`": FLAP}[verdict].attempts


@pytest.mark.parametrize("code", sorted(KEY_REFUSED - {"http-401"}))
def test_a_key_that_never_worked_is_believed_to_be_wrong(code: str) -> None:
    assert classify_submit(ApiError(code, "")) == "refused"


# --- a key that is refused now and then ------------------------------------------------------------------------------

TASK = {"taskId": "77", "status": "RUNNING", "errorCode": "", "errorMessage": "", "results": None}
REFUSED = {"taskId": "", "status": "", "errorCode": "811", "errorMessage": "CORPAPIKEY_INVALID"}


def hub(*replies: dict[str, Any]) -> RunningHub:
    left = list(replies)

    async def at_once(_: float) -> None:
        return None

    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=left.pop(0)))
    return RunningHub(
        Connection("https://www.runninghub.cn", Secret("k" * 32)), transport=transport, clock=Clock(sleep=at_once)
    )


async def test_a_free_request_is_repeated_for_a_key_that_worked() -> None:
    async with hub(TASK, REFUSED, REFUSED, TASK) as client:
        await client.query("77")
        assert (await client.query("77")).task_id == "77"
        assert client.requests["query"] == 4


async def test_a_free_request_is_not_repeated_for_a_key_that_never_did() -> None:
    async with hub(REFUSED) as client:
        with pytest.raises(RefusedError):
            await client.query("77")


@pytest.mark.parametrize(("refusals", "sent"), [(1, 2), (3, 4), (9, 4)])
async def test_a_submit_is_repeated_a_few_times_for_a_key_that_worked(refusals: int, sent: int) -> None:
    waited: list[str] = []

    async def intend(_: int) -> None:
        return None

    async def wait(failed: SubmitFailed, _: float) -> None:
        waited.append(failed.verdict)

    async with hub(TASK, *[REFUSED] * refusals, TASK) as client:
        await client.query("77")

        async def send() -> Submitted:
            return await client.submit("vendor/model", {})

        async def whole() -> Submitted:
            clock = client._clock
            return await submit_when_free(send, before_attempt=intend, on_wait=wait, clock=clock)

        if sent > refusals:
            assert (await whole()).task_id == "77"
        else:
            with pytest.raises(SubmitFailed, match="key_refused"):
                await whole()
        assert client.requests["submit"] == sent
        assert waited == ["key_refused"] * (sent - 1)
