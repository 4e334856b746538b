"""The simulator against the schemas of the API: every operation is served, and every refusal is one of its replies."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rhflow.contract import load_schema
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.replies import MESSAGES, RefusalError
from rhflow.simulator.routes.table import OPERATIONS
from tests.simulator_support import calling

ROOT = Path(__file__).parents[2]
DESCRIBED = {
    path.name.removesuffix(".schema.json"): told
    for path in (ROOT / "schemas" / "api").glob("*.schema.json")
    if (told := json.loads(path.read_text(encoding="utf-8")).get("x-operation"))
}
BY_NAME = {each.name: each for each in OPERATIONS}


def test_every_operation_is_served_where_its_schema_says() -> None:
    assert set(BY_NAME) == set(DESCRIBED)
    for name, told in DESCRIBED.items():
        operation = BY_NAME[name]
        assert (operation.method, operation.path.replace(":path", "")) == (told["method"], told["path"])
        envelope = "wrapped" if operation.envelope == "message" else operation.envelope
        assert envelope == told["envelope"]
        assert (operation.key in ("bearer", "header", "none")) == (told["auth"] == "bearer")


@pytest.mark.parametrize("name", sorted(BY_NAME))
async def test_refusals_are_replies(name: str) -> None:
    """Without a key, with a key of nobody, with a body that is none: whatever comes back is what the schema says."""
    operation = BY_NAME[name]
    path = re.sub(r"{\w+}", "5", operation.path.replace("{endpoint:path}", "test/text-to-image"))
    validator = jsonschema.Draft202012Validator(load_schema(f"api/{name}"))
    async with calling(SimulatorConfig(speed=1e6, most=16)) as call:
        for key in ({}, {"Authorization": "Bearer sim-unknown"}, {"Authorization": "Bearer k"}):
            for content in (b"{", b"[]", b"{}", b'{"taskId": [], "nodeInfoList": {}}'):
                sent: dict[str, Any] = {} if operation.method == "GET" else {"content": content}
                reply = await call.http.request(operation.method, path, headers=key, **sent)
                if operation.envelope == "comfyui":
                    assert reply.status_code in (200, 400, 404)
                    if not reply.content or "json" not in reply.headers["content-type"]:
                        continue
                else:
                    assert reply.status_code == 200 or (name, reply.json()["code"]) == ("upload-old", -1)
                validator.validate(reply.json())


@pytest.mark.parametrize("code", sorted(set(MESSAGES) - {"804", "805", "813"}))
def test_every_code_can_be_told_in_every_envelope(code: str) -> None:
    refusal = RefusalError(code, "why")
    for envelope, name in (("flat", "submit"), ("bare", "price-preview"), ("wrapped", "create"), ("message", "upload")):
        reply = refusal.reply(envelope)  # type: ignore[arg-type]
        jsonschema.Draft202012Validator(load_schema(f"api/{name}")).validate(reply)
        assert code in (str(reply.get("code")), reply.get("errorCode"))


async def test_errors_of_each_family_for_paths_and_methods() -> None:
    async with calling() as call:
        key = {"Authorization": "Bearer k"}
        for method, path, code in (
            ("GET", "/task/openapi/create", 412), ("POST", "/api/openapi/upload", 412),
            ("DELETE", "/uc/openapi/x", 412), ("GET", "/", 412), ("OPTIONS", "/task/openapi/create", 412),
            ("POST", "/openapi/v2/a%0Ab", "1001"), ("POST", "/openapi/v2/price-preview/%0A", "1001"),
            ("GET", "/openapi/v2/run/ai-app/5", "1009"), ("POST", "/openapi/v2/api-key/list", "1009"),
            ("DELETE", "/openapi/v2/assets/create", "1009"), ("PUT", "/openapi/v2/nothing", "1001"),
        ):  # fmt: skip
            reply = (await call.http.request(method, path, headers=key)).json()
            assert reply.get("code", reply.get("errorCode")) == code, path


def test_the_openapi_document_is_fresh_and_whole() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "openapi.py"), "--check"], check=False)
    assert done.returncode == 0, "run `python tools/openapi.py`"
    document = json.loads((ROOT / "schemas" / "openapi.json").read_text(encoding="utf-8"))
    found = {told["operationId"] for path in document["paths"].values() for told in path.values()}
    assert found == set(BY_NAME)
    for reference in re.findall(r'"\$ref": ?"#/([^"]*)"', json.dumps(document)):
        at = document
        for part in reference.split("/"):
            at = at[part]
