"""Writes schemas/openapi.json, the API as one OpenAPI document, from schemas/api; ``--check`` fails when it is stale.

It describes the service as the simulator serves it: Swagger UI, code generators and Schemathesis can read it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCHEMAS = Path(__file__).parents[1] / "schemas"
TARGET = SCHEMAS / "openapi.json"
_FORMS = {"upload": "file", "upload-old": "file", "gateway-upload": "image"}
"""Operations that take a multipart form, and the part that is the file."""
_FAMILIES = {
    "/openapi/v2/assets/": "assets",
    "/openapi/v2/": "newer interface",
    "/task/openapi/": "older interface",
    "/api/": "workflows and apps",
    "/uc/": "account",
    "/proxy/": "ComfyUI gateway",
}
_EXAMPLES = {
    "workflowId": "1900000000000000101",
    "webappId": "1900000000000000201",
    "endpoint": "rhart-image-v1-official/text-to-image",
    "apiKey": "any",
    "promptId": "3f2a4c1e-0b9d-4c57-9f63-5d2f1a7e8b90",
    "nodeClass": "KSampler",
}
"""What a simulator has, so that whoever reads the document can try it at once."""
_ABOUT = (
    "Made by `python tools/openapi.py` from the schemas of single operations. Requests that fail are answered with "
    "HTTP 200 and an error in the body: `code` in wrapped replies, `errorCode` in flat ones."
)


def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    named = {
        path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((SCHEMAS / "api").glob("*.schema.json"))
    }
    paths: dict[str, Any] = {}
    for name, schema in named.items():
        if (told := schema.get("x-operation")) is not None:
            paths.setdefault(told["path"], {})[told["method"].lower()] = _operation(name, schema, told)
    return {
        "openapi": "3.1.0",
        "info": {"title": "RunningHub, as rhflow simulates it", "version": "2", "description": _ABOUT},
        "servers": [{"url": "http://127.0.0.1:8189", "description": "rhflow simulate"}],
        "security": [{"key": []}],
        "paths": paths,
        "webhooks": {"TASK_END": {"post": _callback(named["webhook"])}},
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {name: _component(name, schema) for name, schema in named.items()},
        },
    }


def _operation(name: str, schema: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": part, "in": "path", "required": True, "schema": {"type": "string"}, "example": _EXAMPLES[part]}
        for part in re.findall(r"{(\w+)}", told["path"])
    ]
    request = schema.get("$defs", {}).get("request")
    described: dict[str, Any] = {
        "operationId": name,
        "summary": schema["title"],
        "tags": [next(tag for prefix, tag in _FAMILIES.items() if told["path"].startswith(prefix))],
        "x-paid": told["paid"],
        "x-repeatable": told["repeat"],
    }
    if told["method"] == "GET" and request:
        parameters += [
            {"name": part, "in": "query", "required": part in request["required"], "schema": facts}
            for part, facts in request["properties"].items()
        ]
    elif request:
        described["requestBody"] = {"required": True, "content": _body(name, request)}
    if parameters:
        described["parameters"] = parameters
    reply = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    described["responses"] = {"200": {"description": schema.get("description", schema["title"]), "content": reply}}
    if name == "upload-old":
        described["responses"]["401"] = {"description": "The key is not good", "content": reply}
    if told["envelope"] == "comfyui":
        described["responses"] |= _of_comfyui(name, told, reply)
        described["security"] = []  # the key is in the path
    return described


def _of_comfyui(name: str, told: Mapping[str, Any], reply: Mapping[str, Any]) -> dict[str, Any]:
    """Return the replies that ComfyUI gives besides: files, empty bodies, and statuses of HTTP that mean something."""
    found: dict[str, Any] = {}
    match told.get("reply"):
        case "file":
            found["200"] = {"description": "The file", "content": {**reply, "*/*": {"schema": {}}}}
        case "empty":  # OpenAPI has no way to say "nothing, or JSON where the account is refused"
            found["200"] = {"description": "Done, with an empty body; the account's refusals are wrapped JSON"}
    if name in ("gateway-prompt", "gateway-upload", "gateway-view"):
        found["400"] = {"description": "It is wrong", "content": reply if name == "gateway-prompt" else {}}
    if name == "gateway-view":
        found["404"] = {"description": "There is no such file"}
    return found


def _body(name: str, request: Mapping[str, Any]) -> dict[str, Any]:
    if name not in _FORMS:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}/$defs/request"}}}
    parts = {**request["properties"], _FORMS[name]: {"type": "string", "format": "binary"}}
    required = [each for each in request["required"] if each != "apiKey"]  # it may come in the header instead
    return {"multipart/form-data": {"schema": {"type": "object", "required": required, "properties": parts}}}


def _callback(schema: Mapping[str, Any]) -> dict[str, Any]:
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/webhook"}}}
    return {
        "summary": schema["description"],
        "requestBody": {"required": True, "content": body},
        "responses": {"200": {"description": "Taken; anything but 2xx is sent again"}},
    }


def _component(name: str, schema: Mapping[str, Any]) -> Any:
    """Return a schema with its references made those of one document."""
    kept = {key: value for key, value in schema.items() if key not in ("$schema", "x-operation")}
    request = kept.get("$defs", {}).get("request", {})
    for part, facts in request.get("properties", {}).items():
        if part in _EXAMPLES and part != "apiKey":
            facts["examples"] = [_EXAMPLES[part]]
    return json.loads(json.dumps(kept).replace('"#/$defs/', f'"#/components/schemas/{name}/$defs/'))


def main() -> int:
    """Write the document, or say whether it is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=TARGET)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    text = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if options.check:
        return int(text != options.output.read_text(encoding="utf-8"))
    options.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
