"""Keys and what they stand for: kinds, sites, balances, limits, and every refusal that concerns an account."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rhflow.simulator.accounts import WORDS, Accounts
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.library import Library
from tests.simulator_support import KEY, Caller, ManualClock, calling

PAINT = "1900000000000000101"
SMALL = SimulatorConfig(speed=1e6, most=48)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def balance(call: Caller, key: str = "a-key", **headers: str) -> dict[str, Any]:
    return (await call.ask("account-status", {"apikey": key}, headers=headers))["data"]


async def created(call: Caller, key: str, **body: Any) -> dict[str, Any]:
    return await call.ask("create", {"apiKey": key, "workflowId": PAINT, **body}, headers={})


async def painted(call: Caller, key: str) -> dict[str, Any]:
    return await call.post("/openapi/v2/test/text-to-image", {"prompt": "a boat"}, headers=bearer(key))


async def test_coins_pay_graphs_and_money_pays_models() -> None:
    async with calling(SMALL) as call:
        before = await balance(call)
        assert (before["remainMoney"], before["currency"], before["apiType"]) == ("10000", "CNY", "SHARED")
        task_id = (await created(call, "a-key"))["data"]["taskId"]
        coins = int((await call.outputs(task_id))["data"][0]["consumeCoins"])
        await call.make("text-to-image", prompt="a boat")
        after = await balance(call)
        assert int(after["remainCoins"]) == int(before["remainCoins"]) - coins
        assert after["remainMoney"] == "9999.86"


async def test_a_wallet_may_pay_the_time_of_machines() -> None:
    async with calling(SMALL) as call:

        async def usage(**body: Any) -> dict[str, str]:
            task_id = (await created(call, "sim-wallet", **body))["data"]["taskId"]
            while not (found := await call.ask("query", {"taskId": task_id}, headers=bearer("sim-wallet")))["results"]:
                pass
            return found["usage"]

        cold, warm, kept = await usage(), await usage(), await usage(retainSeconds=100)
        assert cold["consumeCoins"] is None
        assert float(cold["consumeMoney"]) > float(warm["consumeMoney"])  # a warm machine is quicker
        assert float(kept["consumeMoney"]) == pytest.approx(float(warm["consumeMoney"]) + 0.08)


async def test_a_large_machine_costs_more() -> None:
    async with calling(SMALL) as call:
        plain, plus = [
            (await call.outputs((await created(call, "a-key", instanceType=kind))["data"]["taskId"]))["data"][0]
            for kind in ("default", "plus")
        ]
        assert plain["taskCostTime"] == plus["taskCostTime"]
        assert 2 * int(plain["consumeCoins"]) - 1 <= int(plus["consumeCoins"]) <= 2 * int(plain["consumeCoins"])


@pytest.mark.parametrize(
    ("key", "model", "graph"),
    [
        ("sim-member", "1014", 0),
        ("sim-exclusive", "1014", 0),
        ("sim-shared", "", 0),
        ("sim-free", "801", 801),
        ("sim-unknown", "1002", 806),
        ("sim-disabled", "1002", 802),
        ("sim-invalid", "811", 811),
        ("sim-broke", "812", 812),
        ("sim-member-broke", "1014", 416),
        ("sim-exclusive-expired", "1014", 436),
        ("sim-ai", "1002", 806),
        ("sim-cn", "", 0),
        ("any other-member-broke", "", 0),
    ],
)
async def test_keys_that_say_what_they_are(key: str, model: str, graph: int) -> None:
    async with calling(SMALL) as call:
        assert (await painted(call, key))["errorCode"] == model
        assert (await created(call, key))["code"] == graph


async def test_the_sites_share_nothing() -> None:
    async with calling(SMALL) as call:
        cn, ai = {"Host": "www.runninghub.cn"}, {"Host": "www.runninghub.ai"}
        assert (await call.ask("account-status", {"apikey": "sim-cn"}, headers=ai))["code"] == 806
        assert (await call.ask("account-status", {"apikey": "sim-ai"}, headers=ai))["data"]["currency"] == "USD"
        task_id = (await call.ask("create", {"apiKey": "k", "workflowId": PAINT}, headers=cn))["data"]["taskId"]
        asked = {"apiKey": "k", "taskId": task_id}
        assert (await call.ask("status", asked, headers=cn))["code"] == 0
        assert (await call.ask("status", asked, headers=ai))["code"] == 807
        assert (await call.ask("status", asked | {"apiKey": "other"}, headers=cn))["code"] == 807
        assert (await call.ask("query", {"taskId": task_id}, headers=bearer("other")))["errorCode"] == "1004"


async def test_links_lead_here_whatever_host_a_client_insists_on() -> None:
    async with calling(SMALL) as call:
        headers = {"Host": "www.runninghub.cn"} | KEY
        sent = {"files": {"file": ("a.txt", b"hello")}, "headers": headers}
        link = (await call.http.post("/openapi/v2/media/upload/binary", **sent)).json()["data"]["download_url"]
        assert link.startswith("http://simulator.test/files/")
        assert await call.fetch(link) == b"hello"


async def test_the_limit_of_a_key_and_its_queue() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48), clock=clock) as call:
        for _ in range(2):
            assert (await created(call, "sim-limit2"))["code"] == 0
        assert await created(call, "sim-limit2") == {"code": 421, "msg": "TASK_QUEUE_MAXED", "data": None}
        assert (await painted(call, "sim-limit2"))["errorCode"] == "421"
        assert (await created(call, "another"))["code"] == 0
        told = (await call.ask("queue-status", headers=bearer("sim-limit2")))["data"]
        assert (told["concurrentLimit"], told["totalCurrentTasks"], told["apiKeyType"]) == (2, "2", "SHARED")
        assert (await balance(call, "sim-limit2"))["currentTaskCounts"] == "2"


async def test_rented_machines_and_the_personal_queue() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48, waiting=2), clock=clock) as call:
        key = "sim-exclusive-limit1"
        assert (await created(call, key, instanceType="plus"))["code"] == 435
        assert (await created(call, f"{key}-plus", instanceType="plus"))["code"] == 0
        first = (await created(call, key))["data"]["taskId"]
        assert (await created(call, key))["code"] == 415
        waiting = (await created(call, key, usePersonalQueue="true"))["data"]
        assert waiting["taskStatus"] == "QUEUED"
        assert (await created(call, key, usePersonalQueue=True))["code"] == 0
        assert (await created(call, key, usePersonalQueue=True))["code"] == 814
        told = (await call.ask("queue-status", headers=bearer(key)))["data"]
        assert (told["apiKeyType"], told["instanceCount"], told["queuedCount"]) == ("EXCLUSIVE", "1", "3")
        task = call.simulator._tasks[waiting["taskId"]]
        assert task.submitted + task.queue == pytest.approx(call.simulator._tasks[first].due)
        assert (await balance(call, key))["apiType"] == "EXCLUSIVE"


async def test_members_have_no_wallet() -> None:
    async with calling(SMALL) as call:
        told = await balance(call, "sim-member")
        assert (told["remainMoney"], told["currency"], told["apiType"]) == (None, None, "NORMAL")


async def test_keys_are_listed_masked() -> None:
    async with calling(SMALL) as call:
        [told] = (await call.ask("key-list", headers=bearer("0123456789abcdef0123456789abcdef")))["data"]
        assert told["key"] == "0123****cdef"
        assert (await call.ask("key-list", headers={}))["code"] == 401


async def test_the_key_of_the_account_is_spelled_in_any_case() -> None:
    async with calling(SMALL) as call:
        for body, headers in (({"apikey": "k"}, {}), ({"apiKey": "k"}, {}), ({}, KEY)):
            assert (await call.ask("account-status", body, headers=headers))["code"] == 0
        assert (await call.ask("account-status", {}, headers={}))["code"] == 301


def test_the_page_has_every_word_and_every_id() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
    for word, meaning in WORDS.items():
        assert f"`{word}`" in page
        assert meaning.startswith("a key of the ") or meaning in page, word
    told = set(re.findall(r"`(19\d{17})`", page))
    library = Library()
    assert all(library.workflow(each) or library.app(each) for each in told)
    assert {app.id for app in library.apps()} < told


def test_every_word_does_something() -> None:
    plain = Accounts().of("plain", "cn")
    seen = (plain.kind, plain.bad, plain.coins, plain.pays_time_in_money, plain.is_broke)
    for word in set(WORDS) - {"plus", "expired", "cn"}:
        account = Accounts().of(f"sim-{word}", "cn")
        assert seen != (account.kind, account.bad, account.coins, account.pays_time_in_money, account.is_broke), word
