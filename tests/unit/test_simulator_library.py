"""Files of an account: the older upload, LoRAs, links that die, assets and lists of model files."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from rhflow.simulator.config import SimulatorConfig
from tests.simulator_support import KEY, Caller, ManualClock, calling, picture

PAINT = "1900000000000000101"


async def uploaded(call: Caller, **form: Any) -> tuple[int, dict[str, Any]]:
    reply = await call.http.post("/task/openapi/upload", **form)
    return reply.status_code, reply.json()


async def test_the_older_upload() -> None:
    data = picture()
    name = f"api/{hashlib.sha256(data).hexdigest()}.png"
    async with calling() as call:
        file = {"file": ("a.png", data)}
        taken = {"code": 0, "msg": "success", "data": {"fileName": name, "fileType": "input"}}
        assert await uploaded(call, files=file, data={"apiKey": "k"}) == (200, taken)
        assert await uploaded(call, files=file, headers=KEY) == (200, taken)
        image = taken | {"data": {"fileName": name, "fileType": "image"}}
        assert await uploaded(call, files=file, data={"apiKey": "k", "fileType": "image"}) == (200, image)
        refused = {"code": -1, "msg": "ApiKey verification failed", "data": None}
        for key in ({}, {"apiKey": "sim-unknown"}):
            assert await uploaded(call, files=file, data=key) == (401, refused)
        assert (await uploaded(call, data={"apiKey": "k"}))[1]["code"] == 301


async def test_an_upload_that_is_too_large() -> None:
    async with calling() as call:
        large = b"\0" * (30 * 1024 * 1024 + 1)
        _, reply = await uploaded(call, files={"file": ("a.bin", large)}, headers=KEY)
        assert reply == {"code": 809, "msg": "APIKEY_FILE_SIZE_EXCEEDED", "data": None}
        assert (await call.upload(large, "a.bin"))["code"] == 0  # the newer one has no such limit


async def test_an_input_larger_than_a_model_takes() -> None:
    async with calling() as call:
        link = await call.link_to(b"\0" * 1_100_000, "a.wav")
        refused = await call.submit("image-to-text", prompt="listen", voiceUrl=link)
        assert refused["errorCode"] == "1008"
        assert "`voiceUrl` takes at most 1 MB" in refused["errorMessage"]


async def test_a_lora_goes_up_in_three_steps() -> None:
    data = b"weights"
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    async with calling() as call:
        first = (await call.v1("lora-url", loraName="mine", md5Hex=md5))["data"]
        assert first["fileName"] == f"api-lora-cn/{md5}.safetensors"
        assert (await call.http.put(first["url"].partition("?")[0], content=data)).status_code == 403
        assert (await call.http.put(first["url"], content=data)).status_code == 200
        assert (await call.v1("lora-url", loraName="mine", md5Hex=md5))["data"] == {"fileName": first["fileName"]}
        graph = {
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "mine.safetensors"}},
            "2": {"class_type": "RHLoraLoader", "inputs": {
                "model": ["1", 0], "lora_name": first["fileName"], "strength_model": 1.0,
            }},
            "3": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
            "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x", "also": ["2", 0]}},
        }  # fmt: skip
        await call.http.put("/_simulator/workflows/9", json=graph)
        assert (await call.v1("create", workflowId="9"))["data"]["taskStatus"] != "FAILED"
        other = [{"nodeId": "2", "fieldName": "lora_name", "fieldValue": "api-lora-cn/none.safetensors"}]
        reply = await call.v1("create", workflowId="9", nodeInfoList=other)
        assert '"result": false' in reply["data"]["promptTips"]
        for wrong in ("x", md5.upper(), ""):
            assert (await call.v1("lora-url", loraName="mine", md5Hex=wrong))["code"] == 301
        assert (await call.v1("lora-url", loraName=" ", md5Hex=md5))["code"] == 301


async def test_the_place_for_a_lora_closes_after_an_hour() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(speed=2.0), clock=clock) as call:
        url = (await call.v1("lora-url", loraName="mine", md5Hex="0" * 32))["data"]["url"]
        clock.now = 2 * 3601.0
        assert (await call.http.put(url, content=b"late")).status_code == 403


async def test_the_link_of_an_upload_dies_after_a_day() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48, speed=2.0), clock=clock) as call:
        told = (await call.upload(picture(), "a.png"))["data"]
        clock.now = 2 * 86_399.0
        assert (await call.http.get(told["download_url"])).status_code == 200
        clock.now = 2 * 86_401.0
        assert (await call.http.get(told["download_url"])).status_code == 404
        late = await call.submit("image-to-image", prompt="night", imageUrls=[told["download_url"]])
        clock.now += 100
        assert (await call.query(late["taskId"]))["errorCode"] == "1013"
        change = [{"nodeId": "1", "fieldName": "image", "fieldValue": told["fileName"]}]
        reply = await call.v1("create", workflowId="1900000000000000103", nodeInfoList=change)
        assert '"result": true' in reply["data"]["promptTips"]  # the name for loaders goes on working


async def test_assets() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48), clock=clock) as call:
        group = (await call.ask("assets-groups-create", {"name": "people"}))["data"]["groupId"]
        link = await call.link_to(picture(colour="gold"), "a.png")
        body = {"groupId": group, "url": link, "assetType": "Image", "name": "anna"}
        made = (await call.ask("assets-create", body))["data"]
        assert made["status"] == "PROCESSING"
        asset = {"assetId": made["assetId"]}
        early = await call.submit("image-to-image", prompt="night", imageUrls=[f"asset://{made['assetId']}"])
        clock.now = 100.0
        assert (await call.query(early["taskId"]))["errorCode"] == "1013"
        assert (await call.ask("assets-query", asset))["data"] | asset == {
            **asset, "groupId": group, "status": "ACTIVE", "previewUrl": link, "assetType": "Image", "name": "anna",
        }  # fmt: skip
        ready = await call.submit("image-to-image", prompt="night", imageUrls=[f"asset://{made['assetId']}"])
        clock.now = 200.0
        assert (await call.finished(ready["taskId"]))["status"] == "SUCCESS"
        await call.ask("assets-update", asset | {"name": "bea"})
        pages = {"pageNumber": 1, "pageSize": 10}
        for query, count in (({}, 1), ({"name": "bea"}, 1), ({"status": "PROCESSING"}, 0), ({"groupId": "x"}, 0)):
            assert (await call.ask("assets-list", pages | query))["data"]["totalCount"] == str(count)
        foreign = {"Authorization": "Bearer other"}
        assert (await call.ask("assets-query", asset, headers=foreign))["code"] == 301
        await call.ask("assets-delete", asset)
        assert (await call.ask("assets-query", asset))["code"] == 301
        assert (await call.ask("assets-create", body | {"assetType": "Scent"}))["code"] == 301


async def test_groups_of_assets() -> None:
    async with calling() as call:
        group = {"groupId": (await call.ask("assets-groups-create", {"name": "people"}))["data"]["groupId"]}
        body = {**group, "url": "http://x/a.png", "assetType": "Image", "name": "anna"}
        asset = {"assetId": (await call.ask("assets-create", body))["data"]["assetId"]}
        await call.ask("assets-groups-update", {**group, "name": "places"})
        assert (await call.ask("assets-groups-query", group))["data"]["name"] == "places"
        listed = await call.ask("assets-groups-list", {"pageNumber": 1, "pageSize": 10, "name": "places"})
        assert listed["data"]["totalCount"] == "1"
        await call.ask("assets-groups-delete", group)
        assert (await call.ask("assets-groups-query", group))["code"] == 301
        assert (await call.ask("assets-query", asset))["code"] == 301


@pytest.mark.parametrize(
    ("kind", "part", "found"), [("CHECKPOINT", "XL", 2), ("UNET", "", 4), ("LORA", "ink", 1), ("GGUF", "", 0)]
)
async def test_public_model_files(kind: str, part: str, found: int) -> None:
    async with calling() as call:
        asked = {"resourceType": kind, "resourceName": part, "current": 1, "size": 10}
        data = (await call.ask("resource-list", asked))["data"]
        assert (len(data["records"]), data["total"]) == (found, str(found))
        assert all(each["nodeModelName"].endswith(".safetensors") for each in data["records"])
