"""ComfyUI's own interface on the simulator: at the gateway, with an account, and at the root, with none."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonschema
import pytest

from rhflow.contract import load_schema
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.library import Library
from tests.simulator_support import Caller, ManualClock, calling, opened, picture
from tests.unit.test_simulator_progress import Socket

PAINT, RESTYLE, MOVE, MUSIC = (f"190000000000000010{n}" for n in (1, 2, 4, 5))
GATE, PLUS, ROOT = "/proxy/a-key", "/proxy-plus/a-key", ""


def graph(workflow: str = PAINT, **changes: Any) -> dict[str, Any]:
    """Return a saved graph with other values, each by ``node_input``."""
    found = Library().workflow(workflow)
    assert found is not None
    nodes = {name: {**node, "inputs": dict(node["inputs"])} for name, node in found.graph.items()}
    for name, value in changes.items():
        node, _, field = name.removeprefix("n").partition("_")
        nodes[node]["inputs"][field] = value
    return nodes


async def get(call: Caller, path: str, name: str, **params: Any) -> dict[str, Any]:
    """Return a reply that is what its schema says."""
    reply = (await call.http.get(path, params=params)).json()
    jsonschema.Draft202012Validator(load_schema(f"api/{name}")).validate(reply)
    return reply


async def queued(call: Caller, base: str, nodes: dict[str, Any], **more: Any) -> str:
    reply = await call.http.post(f"{base}/prompt", json={"prompt": nodes, **more})
    jsonschema.Draft202012Validator(load_schema("api/gateway-prompt")).validate(reply.json())
    assert reply.status_code == 200, reply.text
    return reply.json()["prompt_id"]


async def ended(call: Caller, base: str, prompt: str) -> dict[str, Any]:
    """Return what the history says of a prompt, once it is there."""
    while not (found := await get(call, f"{base}/history/{prompt}", "gateway-history-of")):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return found[prompt]


@pytest.mark.parametrize(
    ("workflow", "node", "lists", "name"),
    [
        (PAINT, "9", ["images"], "ComfyUI_00001_.png"),
        (MOVE, "58", ["images", "animated"], "ComfyUI_00001_.mp4"),
        (MUSIC, "59", ["audio"], "ComfyUI_00001_.mp3"),
    ],
)
async def test_a_graph_runs_and_its_file_is_viewed_by_name(
    workflow: str, node: str, lists: list[str], name: str
) -> None:
    async with calling(SimulatorConfig(speed=1e6, most=48)) as call:
        found = await ended(call, GATE, await queued(call, GATE, graph(workflow)))
        assert (found["status"]["status_str"], found["status"]["completed"]) == ("success", True)
        [(made_by, output)] = found["outputs"].items()
        assert (made_by, list(output)) == (node, lists)
        [saved] = output[lists[0]]
        assert (saved["filename"], saved["type"]) == (name, "output")
        viewed = await call.http.get(f"{GATE}/view", params=saved)
        assert (viewed.status_code, len(viewed.content) > 500) == (200, True)
        assert (await call.http.get("/proxy/another/view", params=saved)).status_code == 404
        assert (await call.http.get(f"{GATE}/view", params={**saved, "filename": "no.png"})).status_code == 404


async def test_the_account_pays_and_the_server_at_the_root_is_free() -> None:
    async with calling() as call:
        before = call.simulator.accounts.of("a-key", "cn").coins
        await ended(call, ROOT, await queued(call, ROOT, graph()))
        assert call.simulator.accounts.of("a-key", "cn").coins == before
        await ended(call, GATE, await queued(call, GATE, graph()))
        small = before - call.simulator.accounts.of("a-key", "cn").coins
        await ended(call, PLUS, await queued(call, PLUS, graph()))
        large = before - call.simulator.accounts.of("a-key", "cn").coins - small
        assert large == 2 * small > 0


async def test_what_cannot_run_is_rejected_with_the_node_at_fault() -> None:
    async with calling() as call:
        for nodes, kind, at in (
            (graph(n3_steps=0), "prompt_outputs_failed_validation", {"3": "value_smaller_than_min"}),
            ({"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}, "prompt_no_outputs", {}),
            ({"nodes": []}, "invalid_prompt", {}),
            ([], "invalid_prompt", {}),
        ):
            reply = await call.http.post(f"{GATE}/prompt", json={"prompt": nodes})
            jsonschema.Draft202012Validator(load_schema("api/gateway-prompt")).validate(reply.json())
            told = reply.json()
            assert (reply.status_code, told["error"]["type"]) == (400, kind)
            assert {node: each["errors"][0]["type"] for node, each in told["node_errors"].items()} == at
        assert (await call.http.post(f"{GATE}/prompt", content=b"{")).json()["error"]["type"] == "no_prompt"
        assert call.simulator.stats()["accepted"] == 0


@pytest.mark.parametrize(
    ("key", "code"), [("sim-unknown", 401), ("sim-disabled", 401), ("sim-wallet-broke", 812), ("sim-limit1", 421)]
)
async def test_what_concerns_the_account_is_said_as_by_the_older_interface(key: str, code: int) -> None:
    async with calling(clock=ManualClock()) as call:
        if code == 421:
            await queued(call, f"/proxy/{key}", graph())
        reply = await call.http.post(f"/proxy/{key}/prompt", json={"prompt": graph()})
        assert (reply.status_code, reply.json()["code"]) == (200, code)
        classes = await get(call, f"/proxy/{key}/object_info", "gateway-object-info")  # whatever the key
        assert classes["KSampler"]["input"]["required"]["steps"][0] == "INT"
        assert (await get(call, f"/proxy-plus/{key}/system_stats", "gateway-system-stats"))["devices"]


async def test_uploads_have_names_that_loaders_know() -> None:
    async with calling() as call:

        async def upload(data: bytes, **given: str) -> str:
            reply = await call.http.post(f"{GATE}/upload/image", files={"image": ("a.png", data)}, data=given)
            return reply.json()["name"]

        assert await upload(picture()) == await upload(picture()) == "a.png"
        assert await upload(picture((32, 32))) == "a (1).png"
        assert await upload(picture((32, 32)), overwrite="true") == "a.png"
        assert await upload(picture(), subfolder="in") == "a.png"
        described = await get(call, f"{GATE}/object_info/LoadImage", "gateway-object-info-of")
        assert described["LoadImage"]["input"]["required"]["image"][0][-3:] == ["a.png", "a (1).png", "in/a.png"]
        seen = await call.http.get(f"{GATE}/view", params={"filename": "a.png", "subfolder": "in", "type": "input"})
        assert opened(seen.content).size == (64, 48)
        found = await ended(call, GATE, await queued(call, GATE, graph(RESTYLE, n1_image="in/a.png")))
        assert found["status"]["completed"]
        other = await call.http.post("/proxy/another/prompt", json={"prompt": graph(RESTYLE, n1_image="in/a.png")})
        assert other.status_code == 400
        assert (await call.http.post(f"{GATE}/upload/image", files={"file": ("a.png", b"x")})).status_code == 400


async def test_the_queue_is_seen_and_changed() -> None:
    clock = ManualClock()
    async with calling(clock=clock) as call:
        prompts = [await queued(call, ROOT, graph()) for _ in range(3)]  # one after another, as on one's own machine
        clock.now = 3.0
        state = await get(call, "/queue", "gateway-queue")
        assert [item[1] for item in state["queue_running"]] == prompts[:1]
        assert [item[1] for item in state["queue_pending"]] == prompts[1:]
        assert (await call.http.post("/queue", json={"delete": [prompts[0], prompts[2]]})).content == b""
        await call.http.post("/interrupt", json={"prompt_id": prompts[1]})  # it does not run yet
        assert len((await get(call, "/queue", "gateway-queue"))["queue_running"]) == 1
        await call.http.post("/interrupt")
        told = (await get(call, "/history", "gateway-history"))[prompts[0]]["status"]
        assert (told["status_str"], told["messages"][-1][0]) == ("error", "execution_interrupted")
        await call.http.post("/queue", json={"clear": True})
        assert await get(call, "/queue", "gateway-queue") == {"queue_running": [], "queue_pending": []}
        assert list(await get(call, "/history", "gateway-history")) == prompts[:1]
        assert list(await get(call, "/history", "gateway-history", max_items=1)) == prompts[:1]


async def test_a_failure_says_why() -> None:
    async with calling() as call:
        nodes = graph(MOVE, n50_width=1280, n50_height=720, n50_length=121)
        told = (await ended(call, GATE, await queued(call, GATE, nodes)))["status"]
        name, facts = told["messages"][-1]
        assert (told["status_str"], told["completed"], name) == ("error", False, "execution_error")
        assert (facts["node_type"], facts["exception_type"]) == ("KSampler", "torch.OutOfMemoryError")
        assert (await ended(call, PLUS, await queued(call, PLUS, nodes)))["status"]["completed"]


async def test_the_socket_tells_a_client_of_its_prompts() -> None:
    async with calling(SimulatorConfig(speed=1e6, most=48)) as call:
        first = await queued(call, GATE, graph(), client_id="me")
        await queued(call, GATE, graph(n3_seed=2), client_id="somebody")
        socket = Socket(call, "ws://host/proxy/a-key/ws?clientId=me")
        while "execution_success" not in [name for name, _ in socket.events]:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        second = await queued(call, GATE, graph(n3_seed=3), client_id="me")
        while [name for name, _ in socket.events].count("execution_success") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert socket.events[0][1]["sid"] == "me"
        told = [data["prompt_id"] for name, data in socket.events if name == "execution_success"]
        assert told == [first, second]
        saved = [data["output"]["images"][0]["filename"] for name, data in socket.events if name == "executed"]
        assert len(set(saved)) == 2
        names = [name for name, data in socket.events if data.get("prompt_id") == first]
        assert names.index("executed") < max(at for at, name in enumerate(names) if name == "executing")
        socket.ended.cancel()
        stranger = Socket(call, "ws://host/proxy/sim-unknown/ws?clientId=me")
        await stranger.ended
        assert stranger.sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


async def test_a_fresh_start_forgets_what_has_ended() -> None:
    async with calling() as call:
        prompt = await queued(call, ROOT, graph())
        await ended(call, ROOT, prompt)
        await call.http.post("/_simulator/reset")
        assert json.loads((await call.http.get(f"/history/{prompt}")).content) == {}
