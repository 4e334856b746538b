"""The replies of the simulator, and those recorded from the service, are what the schemas say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rhflow.contract import load_schema
from rhflow.simulator.config import SimulatorConfig
from tests.simulator_support import ManualClock, calling, picture

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "replies.json").read_text(encoding="utf-8")
)
KINDS = ("submit", "query", "upload")


def validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(load_schema(f"api/{kind}"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_schemas_are_schemas(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema(f"api/{kind}"))


@pytest.mark.parametrize(("kind", "reply"), [(kind, reply) for kind in KINDS for reply in RECORDED[kind]])
def test_recorded_replies(kind: str, reply: dict[str, Any]) -> None:
    validator(kind).validate(reply)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("submit", {"taskId": 2013508786110730241}),
        ("submit", {"taskId": ""}),
        ("submit", {"status": "DONE"}),
        ("query", {"results": None}),
        ("query", {"results": [{"outputType": "png"}]}),
        ("query", {"results": [{"url": None, "outputType": "png", "text": None}]}),
        ("query", {"usage": {"thirdPartyConsumeMoney": 0.14}}),
        ("query", {"taskUsageList": [{"taskId": "2052287938007814145", "taskStatus": "SUCCESS", "usage": None}]}),
        ("upload", {"data": None}),
        ("upload", {"code": 1}),
    ],
)
def test_what_the_schemas_refuse(kind: str, change: dict[str, Any]) -> None:
    good = RECORDED[kind][0]
    validator(kind).validate(good)
    with pytest.raises(jsonschema.ValidationError):
        validator(kind).validate(good | change)


async def test_replies_of_the_simulator() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=32, limit=3), clock=clock) as call:
        submit, query, upload = map(validator, KINDS)
        upload.validate(good := await call.upload(picture(), "a.png"))
        upload.validate(await call.post("/openapi/v2/media/upload/binary", headers={}))
        link = good["data"]["download_url"]
        accepted = [
            await call.submit("image-to-image", prompt="night", imageUrls=[link]),
            await call.submit("image-to-image", prompt="night", imageUrls=["https://elsewhere.test/a.png"]),
            await call.submit("image-to-text", prompt="describe", imageUrl=link),
        ]
        for reply in [*accepted, await call.submit("speech", text="x"), await call.submit("speech")]:
            submit.validate(reply)
        for clock.now in (0.0, 2.0):
            for reply in accepted:
                query.validate(await call.query(reply["taskId"]))
        clock.now = 100.0
        done = [await call.finished(reply["taskId"]) for reply in accepted]
        assert [reply["status"] for reply in done] == ["SUCCESS", "FAILED", "SUCCESS"]
        for reply in [*done, await call.query("1"), await call.query("")]:
            query.validate(reply)
