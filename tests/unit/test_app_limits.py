"""How much of an account a run uses, which runs ask for it, and what comes of it in the plan's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from rhflow.app.account.limits import DEFAULT_LIMIT, Limit, limit_of, makes_paid_calls, most_of, name_of, seconds_by
from rhflow.app.request import Request
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.settings import Settings
from rhflow.steps.kinds import all_kinds
from tests.support import Bench, files, plan_of

ASSUMED = Limit(DEFAULT_LIMIT, "no answer in time")


@pytest.fixture
def request_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    settings = Settings(tmp_path / "store", "https://www.runninghub.cn")
    return lambda **told: Request(tmp_path / "recipe.yaml", settings, **told)


async def limit_told(status: int, body: dict[str, Any]) -> Limit:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=body))

    async def at_once(_: float) -> None:
        return None

    connection = Connection("https://www.runninghub.cn", Secret("a-key"))
    async with RunningHub(connection, transport=transport, clock=Clock(sleep=at_once)) as hub:
        return await limit_of(hub)


def queue(**data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "success", "data": {"apiKeyType": "SHARED", "runningCount": "3", **data}}


async def test_the_service_tells_the_limit() -> None:
    assert await limit_told(200, queue(concurrentLimit=20)) == Limit(20)


async def test_what_it_does_not_tell_is_assumed() -> None:
    assert await limit_told(200, queue()) == Limit(DEFAULT_LIMIT, "the service does not tell it")
    found = await limit_told(503, {})
    assert found.count == DEFAULT_LIMIT
    assert found.why is not None
    assert "queue status" in found.why


@pytest.mark.parametrize(
    ("told", "limit", "most"),
    [
        ({}, Limit(20), 20),
        ({"jobs": 5}, Limit(20), 5),
        ({"jobs": 50}, Limit(20), 20),
        ({"pools": (("account", 4),)}, Limit(20), 4),
        ({"jobs": 3, "pools": (("account", 4),)}, Limit(20), 3),
        ({}, ASSUMED, DEFAULT_LIMIT),
        ({"jobs": 2}, ASSUMED, 2),
        ({"jobs": 50}, ASSUMED, 50),
    ],
)
def test_a_run_takes_what_is_wanted_and_what_is_there(request_with: Any, told: Any, limit: Limit, most: int) -> None:
    assert most_of(request_with(**told), limit) == most


def test_a_folder_may_want_less(request_with: Any) -> None:
    Path("rhflow.toml").write_text("[pools]\naccount = 2\n", encoding="utf-8")
    assert most_of(request_with(), Limit(20)) == 2


def test_the_key_is_not_in_the_name_of_the_account() -> None:
    one, other = name_of("https://a", "the-key"), name_of("https://a", "another-key")
    assert len({one, other, name_of("https://b", "the-key")}) == 3
    assert "the-key" not in one


def test_who_asks_for_the_limit() -> None:
    text = "steps: {s: {uses: text-to-image, with: {prompt: x}}}"
    assert makes_paid_calls(plan_of(text))
    free = "steps: {s: {uses: upload, with: {file: a.png}}}"
    assert not makes_paid_calls(plan_of(free, local=files("a.png")))
    grows = """
    steps:
      up: {uses: upload, with: {file: a.png}}
      s: {uses: text-to-image, foreach: "${{ steps.up.files }}", with: {prompt: x}}
    """
    assert makes_paid_calls(plan_of(grows, local=files("a.png")))


async def test_nobody_asks_for_what_is_in_the_store() -> None:
    bench = Bench("steps: {s: {uses: text-to-image, with: {prompt: x}}}")
    await bench.run()
    assert not makes_paid_calls(bench.again().plan())


def test_the_plan_counts_with_what_models_took_before() -> None:
    bench = Bench("steps: {s: {uses: text-to-image, with: {prompt: x}}, t: {uses: text-to-text, with: {prompt: y}}}")
    plan, nodes = bench.plan(), bench.graph.nodes
    learnt = {plan.decisions["s"].call.model.id: 77.0}  # type: ignore[union-attr]
    seconds = seconds_by(plan, all_kinds(), lambda label, usual: learnt.get(label, usual))
    assert seconds(nodes["s"]) == 77.0
    assert seconds(nodes["t"]) == all_kinds()["text-to-text"].typical_seconds
