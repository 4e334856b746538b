"""AI apps on the simulator: found, looked into, run by both interfaces, as modules of quick create."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rhflow.simulator.config import SimulatorConfig
from tests.simulator_support import KEY, calling, opened, picture

PAINTER, RESTYLER, MOVER = (f"190000000000000020{n}" for n in range(1, 4))


def change(node: str, field: str, value: Any) -> dict[str, Any]:
    return {"nodeId": node, "fieldName": field, "fieldValue": value, "nodeName": "x", "descriptionEn": "kept along"}


async def test_an_app_shows_its_inputs() -> None:
    async with calling() as call:
        reply = await call.ask("app-demo", {"apiKey": "k", "webappId": RESTYLER}, headers={})
        photo, style, strength = reply["data"]["nodeInfoList"]
        assert (photo["fieldType"], json.loads(photo["fieldData"])[1]) == ("IMAGE", {"image_upload": True})
        choices = json.loads(style["fieldData"])
        assert [each.get("index") for each in choices] == ["1", "2", "3", None]
        assert choices[-1]["default"] == style["fieldValue"] == "1"
        assert json.loads(strength["fieldData"])[0] == "FLOAT"
        assert all(isinstance(value, str) for each in (photo, style, strength) for value in each.values())
        assert (await call.ask("app-demo", {"apiKey": "k", "webappId": "5"}, headers={}))["code"] == 901
        assert (await call.ask("app-demo", {"webappId": "5"}, headers={}))["code"] == 301


@pytest.mark.parametrize("app", [PAINTER, RESTYLER, MOVER])
async def test_an_app_runs_as_it_shows_itself(app: str) -> None:
    async with calling(SimulatorConfig(speed=1e6, most=64)) as call:
        demo = await call.ask("app-demo", {"apiKey": "a-key", "webappId": app})
        listed = demo["data"]["nodeInfoList"]
        older = await call.v1("run-app-v1", webappId=int(app), nodeInfoList=listed)
        newer = await call.ask("run-app", {"nodeInfoList": listed}, webappId=app)
        assert json.loads(newer["promptTips"])["result"] is True
        for task_id in (older["data"]["taskId"], newer["taskId"]):
            assert len((await call.outputs(task_id))["data"]) == 1
            assert (await call.finished(task_id))["results"][0]["nodeId"] in ("9", "14", "58")


async def test_the_inputs_of_an_app_change_what_it_makes() -> None:
    async with calling() as call:
        name = (await call.upload(picture((90, 60), "gold"), "a.png"))["data"]["fileName"]
        seen = []
        for style in ("1", "2", "3"):
            changes = [change("1", "image", name), change("7", "select", style), change("12", "denoise", "0.9")]
            reply = await call.ask("run-app", {"nodeInfoList": changes}, webappId=RESTYLER)
            [result] = (await call.finished(reply["taskId"]))["results"]
            image = opened(await call.fetch(result["url"]))
            assert "prompt" not in image.info  # results of apps carry no workflow
            seen.append(image.resize((1, 1)).tobytes())
        assert len(set(seen)) == 3


async def test_what_is_not_in_the_form_cannot_be_set() -> None:
    async with calling() as call:
        wrong = [change("3", "steps", 5)]  # the graph has it, the form has not
        assert (await call.v1("run-app-v1", webappId=PAINTER, nodeInfoList=wrong))["code"] == 803
        assert (await call.ask("run-app", {"nodeInfoList": wrong}, webappId=PAINTER))["errorCode"] == "1101"
        assert (await call.v1("run-app-v1", webappId="5", nodeInfoList=[]))["code"] == 901
        assert (await call.ask("run-app", {"nodeInfoList": []}, webappId="5"))["errorCode"] == "901"


async def test_a_switch_without_such_a_choice_fails() -> None:
    async with calling() as call:
        reply = await call.v1("run-app-v1", webappId=RESTYLER, nodeInfoList=[change("7", "select", 9)])
        failed = (await call.outputs(reply["data"]["taskId"]))["data"]["failedReason"]
        assert (failed["node_id"], failed["node_name"]) == ("7", "ImpactSwitch")


async def test_apps_are_listed_by_pages() -> None:
    async with calling() as call:
        first = (await call.ask("app-list", {"current": 1, "size": 2, "sort": "HOTTEST", "days": 7}))["data"]
        assert (len(first["records"]), first["total"], first["pages"], first["hasNext"]) == (2, "3", "2", True)
        assert first["records"][0]["invokeExample"].count(f"/run/ai-app/{PAINTER}") == 1
        last = (await call.ask("app-list", {"current": 2, "size": 2}, headers={"Authorization": "a-key"}))["data"]
        assert (len(last["records"]), last["hasNext"]) == (1, False)  # here the key may come without `Bearer`
        assert (await call.ask("app-list", {"current": 0, "size": 2}))["code"] == 301
        assert (await call.ask("app-list", {"current": 1, "size": 2}, headers={}))["code"] == 401


async def test_quick_create() -> None:
    async with calling() as call:
        styles = (await call.ask("style-params", {"type": 2, "webappId": RESTYLER}, headers={}))["data"]
        assert {each["modelLoar1FileName"].partition("/")[0] for each in styles} == {"api-lora-cn"}
        assert (await call.ask("style-params", {"type": 2, "webappId": PAINTER}, headers=KEY))["data"] == []
        body = {"webappId": RESTYLER, "nodeInfoList": [change("7", "select", "3")]}
        accepted = await call.v1("quick-create", quickCreateCode="002", **body)
        assert (await call.outputs(accepted["data"]["taskId"]))["code"] == 0
        assert (await call.v1("quick-create", quickCreateCode="009", **body))["code"] == 301
        assert (await call.v1("quick-create", **body))["code"] == 301
