"""Keys, paths, methods, uploads and files of the simulator."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest

from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from tests.simulator_support import KEY, FewModels, calling, picture

REFUSED_KEYS = [{}, {"Authorization": "Bearer  "}, {"Authorization": "a-key"}, {"Authorization": "Basic a-key"}]


@pytest.mark.parametrize("headers", REFUSED_KEYS)
async def test_a_call_without_a_key(headers: dict[str, str]) -> None:
    async with calling() as call:
        for path in ("query", "test/text-to-image", "price-preview/test/text-to-image", "no/such/model"):
            reply = await call.post(f"/openapi/v2/{path}", {}, headers=headers)
            assert (reply["errorCode"], reply["taskId"], reply["status"]) == ("1002", "", "")
        upload = await call.post("/openapi/v2/media/upload/binary", headers=headers)
        assert upload == {"code": 401, "message": "ApiKey verification failed: API Key不存在", "data": None}
        queue = (await call.http.get("/openapi/v2/queue/status", headers=headers)).json()
        assert (queue["code"], queue["data"]) == (401, None)
        assert "msg" in queue


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "no/such/model", "1001"),
        ("POST", "paint", "1001"),
        ("POST", "test/gone", "1001"),
        ("GET", "no/such/model", "1001"),
        ("GET", "test/text-to-image", "1009"),
        ("PUT", "query", "1009"),
        ("POST", "queue/status", "1009"),
        ("GET", "price-preview/test/text-to-image", "1009"),
    ],
)
async def test_wrong_paths_and_methods(method: str, path: str, code: str) -> None:
    async with calling() as call:
        reply = await call.http.request(method, f"/openapi/v2/{path}", headers=KEY)
        assert (reply.status_code, reply.json()["errorCode"]) == (200, code)
        assert reply.headers["rhflow-simulator"] == "1"


async def test_a_path_of_another_family() -> None:
    async with calling() as call:
        reply = await call.post("/api/openapi/upload", {})
        assert reply == {"code": 412, "msg": "TOKEN_INVALID", "data": None}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"prompt": NaN}'])
async def test_a_body_that_is_no_object(body: bytes) -> None:
    async with calling() as call:
        reply = await call.http.post("/openapi/v2/test/text-to-image", content=body, headers=KEY)
        assert reply.json()["errorCode"] == "1007"


@pytest.mark.parametrize(("task_id", "code"), [("1", "1004"), ("", "1007"), (None, "1007"), (12, "1007")])
async def test_a_query_for_no_task(task_id: object, code: str) -> None:
    async with calling() as call:
        reply = await call.post("/openapi/v2/query", {"taskId": task_id})
        assert (reply["errorCode"], reply["taskId"]) == (code, "")


async def test_an_upload_is_named_by_its_content() -> None:
    async with calling() as call:
        data = picture()
        first, again = await call.upload(data, "packshot.PNG"), await call.upload(data, "copy.bin")
        name = f"openapi/{hashlib.sha256(data).hexdigest()}.png"
        assert first == again == {
            "code": 0, "message": "success",
            "data": {
                "type": "image", "download_url": f"http://simulator.test/files/input/{name}", "fileName": name,
                "size": str(len(data)),
            },
        }  # fmt: skip
        assert await call.fetch(first["data"]["download_url"]) == data


async def test_uploads_of_other_kinds() -> None:
    async with calling() as call:
        clip = await call.make("text-to-video", prompt="waves", duration="1")
        kinds = {
            "video": await call.upload(await call.fetch(clip), "clip.mp4"),
            "file": await call.upload(b"PK\x03\x04", "pictures.zip"),
            "image": await call.upload(b"not a picture \xff", "odd.png"),
        }
        assert {kind: reply["data"]["type"] for kind, reply in kinds.items()} == {kind: kind for kind in kinds}


async def test_uploads_that_are_none() -> None:
    async with calling() as call:
        path = "/openapi/v2/media/upload/binary"
        replies = [
            await call.http.post(path, headers=KEY),
            await call.http.post(path, headers=KEY, data={"file": "text"}),
            await call.http.post(path, headers=KEY, files={"other": ("a.png", picture())}),
            await call.http.post(path, headers=KEY | {"content-type": "multipart/form-data"}, content=b"x"),
        ]
        for reply in replies:
            assert (reply.status_code, reply.json()["code"], reply.json()["data"]) == (200, 301, None)


async def test_files_by_range_and_missing_files() -> None:
    async with calling() as call:
        data = picture()
        link = await call.link_to(data, "a.png")
        part = await call.http.get(link, headers={"Range": "bytes=8-15"})
        assert (part.status_code, part.content, part.headers["content-type"]) == (206, data[8:16], "image/png")
        for name in ("input/none.png", "../../etc/passwd", "%2e%2e/models.json"):
            reply = await call.http.get(f"/files/{name}")
            assert reply.status_code in (404, 200)
            assert reply.status_code == 404 or reply.json()["code"] == 412
        assert (await call.http.head(link)).headers["content-length"] == str(len(data))
        stats = (await call.http.get("/_simulator/stats")).json()
        assert stats["downloads"] == 1


async def test_inputs_may_be_written_into_the_call() -> None:
    async with calling() as call:
        data = f"data:image/png;base64,{base64.b64encode(picture()).decode()}"
        inline = await call.make("image-to-image", prompt="night", imageUrls=[data])
        linked = await call.make("image-to-image", prompt="night", imageUrls=[await call.link_to(picture(), "a.png")])
        assert await call.fetch(inline) == await call.fetch(linked)
        broken = await call.run("image-to-image", prompt="night", imageUrls=["data:image/png;base64,%%"])
        assert broken["errorCode"] == "1013"


async def test_an_error_of_the_simulator_itself_is_raised_and_answered() -> None:
    app = create_app(FewModels())
    app.state.simulator.task = None
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b'{"taskId": "1"}', "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/openapi/v2/query", "raw_path": b"/openapi/v2/query",
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("s", 80), "http_version": "1.1",
        "headers": [(b"authorization", b"Bearer k"), (b"host", b"s")],
    }  # fmt: skip
    with pytest.raises(TypeError):
        await app(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 500
    assert (b"rhflow-simulator", b"1") in sent[0]["headers"]  # type: ignore[operator]
    assert b'"errorCode":"1005"' in sent[1]["body"]  # type: ignore[operator]


async def test_latency_delays_every_reply() -> None:
    loop = asyncio.get_running_loop()
    async with calling(SimulatorConfig(latency=0.03)) as call:
        start = loop.time()
        await call.http.get("/_simulator/stats")
        assert loop.time() - start >= 0.02
