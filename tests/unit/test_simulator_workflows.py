"""Graphs of ComfyUI on the simulator: what is made of them, what is refused, in which words."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rhflow.media.probe import probe
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.graphs.nodes import is_output, links_of, node_classes
from rhflow.simulator.library import Library
from tests.simulator_support import KEY, Caller, ManualClock, calling, opened, picture

PAINT, RESTYLE, ENLARGE, MOVE, MUSIC, PREVIEW, NEVER_RUN = (f"190000000000000010{n}" for n in range(1, 8))
OOM = {"width": 1280, "height": 720, "length": 121}


def nodes(*changes: tuple[str, str, Any]) -> list[dict[str, Any]]:
    """Return a ``nodeInfoList``."""
    return [{"nodeId": node, "fieldName": field, "fieldValue": value} for node, field, value in changes]


async def begun(call: Caller, workflow: str, /, *changes: tuple[str, str, Any], **body: Any) -> str:
    """Return the task of a workflow that is accepted."""
    reply = await call.v1("create", workflowId=workflow, nodeInfoList=nodes(*changes), **body)
    assert reply["code"] == 0, reply
    return reply["data"]["taskId"]


async def results(call: Caller, workflow: str, /, *changes: tuple[str, str, Any], **body: Any) -> list[dict[str, Any]]:
    reply = await call.outputs(await begun(call, workflow, *changes, **body))
    assert reply["code"] == 0, reply
    return reply["data"]


async def image_of(call: Caller, *changes: tuple[str, str, Any], workflow: str = PAINT, **body: Any) -> Image.Image:
    [result] = await results(call, workflow, *changes, **body)
    return opened(await call.fetch(result["fileUrl"]))


def reason(reply: dict[str, Any]) -> dict[str, Any]:
    assert reply["code"] == 805
    return reply["data"]["failedReason"]


@pytest.mark.parametrize(
    ("workflow", "node", "media"),
    [
        (PAINT, "9", "image/png"), (RESTYLE, "14", "image/png"), (ENLARGE, "6", "image/png"),
        (MOVE, "58", "video/mp4"), (MUSIC, "59", "audio/mpeg"),
    ],
)  # fmt: skip
async def test_the_saved_workflows_run_as_they_are(workflow: str, node: str, media: str, tmp_path: Path) -> None:
    async with calling() as call:
        [result] = await results(call, workflow)
        assert result["nodeId"] == node
        assert int(result["consumeCoins"]) == -(-int(result["taskCostTime"]) // 5)
        info = probe(await call.keep(result["fileUrl"], tmp_path))
        assert info.media_type == media
        if media != "image/png":
            assert info.duration == pytest.approx({MOVE: 49 / 16, MUSIC: 12.0}[workflow], abs=0.1)


def test_the_saved_graphs_name_known_nodes_and_links_that_exist() -> None:
    library = Library()
    for workflow_id in (PAINT, RESTYLE, ENLARGE, MOVE, MUSIC, PREVIEW):
        workflow = library.workflow(workflow_id)
        assert workflow is not None
        for node in workflow.graph.values():
            assert set(node["inputs"]) <= {*node_classes()[node["class_type"]].inputs, "input2", "input3"}
            assert set(links_of(node)) <= set(workflow.graph)
        assert any(is_output(node) for node in workflow.graph.values())


async def test_a_graph_is_given_as_text() -> None:
    async with calling() as call:
        reply = await call.v1("workflow-json", workflowId=int(PAINT))
        graph = json.loads(reply["data"]["prompt"])
        assert graph["3"]["class_type"] == "KSampler"
        assert graph["3"]["inputs"]["model"] == ["4", 0]
        assert (await call.v1("workflow-json", workflowId="12"))["code"] == 380


async def test_changed_nodes_change_the_picture() -> None:
    async with calling() as call:
        fixed = ("3", "seed", 42)
        first = await image_of(call, fixed, ("6", "text", "a cat on a table"))
        again = await image_of(call, fixed, ("6", "text", "a cat on a table"))
        other = await image_of(call, fixed, ("6", "text", "snowy mountains"))
        wide = await image_of(call, fixed, ("5", "width", "64"), ("5", "height", 32))
        assert first.tobytes() == again.tobytes() != other.tobytes()
        assert wide.size == (64, 32)
        several = await results(call, PAINT, ("5", "batch_size", 3))
        assert [each["nodeId"] for each in several] == ["9"] * 3
        assert len({each["consumeCoins"] for each in several}) == 1


async def test_seeds_differ_from_run_to_run_unless_given() -> None:
    async with calling(SimulatorConfig(speed=1e6, most=48)) as call:

        def seed(image: Image.Image) -> int:
            return json.loads(image.text["prompt"])["3"]["inputs"]["seed"]  # type: ignore[attr-defined]

        drawn = [seed(await image_of(call)) for _ in range(3)]
        assert len(set(drawn)) == 3
        assert seed(await image_of(call, ("3", "seed", "7"))) == 7
        plain = await image_of(call, addMetadata=False)
        assert "prompt" not in plain.text  # type: ignore[attr-defined]


async def test_an_uploaded_picture_goes_into_the_loader(tmp_path: Path) -> None:
    async with calling() as call:
        sent = picture((80, 60), "gold")
        form = {"data": {"apiKey": "a-key"}, "files": {"file": ("a.png", sent)}}
        name = (await call.http.post("/task/openapi/upload", **form)).json()["data"]["fileName"]
        assert name == f"api/{hashlib.sha256(sent).hexdigest()}.png"
        large = await image_of(call, ("1", "image", name), workflow=ENLARGE)
        assert large.size == (48, 36)  # four times as large, as far as these tests let it grow, and half of that
        newer = (await call.upload(sent, "a.png"))["data"]["fileName"]
        night = await image_of(call, ("1", "image", newer), ("7", "select", 2), ("12", "denoise", 1), workflow=RESTYLE)
        mild = await image_of(call, ("1", "image", newer), ("7", "select", 2), ("12", "denoise", 0.1), workflow=RESTYLE)
        bright = [image.convert("L").getpixel((80, 20)) for image in (night, mild)]
        assert bright[0] < bright[1] - 40  # type: ignore[operator]
        unknown = await call.v1("create", workflowId=ENLARGE, nodeInfoList=nodes(("1", "image", "api/none.png")))
        tips = json.loads(unknown["data"]["promptTips"])
        assert (tips["result"], tips["outputs_to_execute"], list(tips["node_errors"])) == (False, [], ["1"])


async def test_the_outputs_tell_the_state() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48, sockets=True), clock=clock) as call:
        reply = await call.v1("create", workflowId=PAINT)
        task_id = reply["data"]["taskId"]
        assert (reply["data"]["taskStatus"], reply["data"]["netWssUrl"]) == ("QUEUED", None)
        assert await call.v1("outputs", taskId=task_id) == {"code": 813, "msg": "APIKEY_TASK_IS_QUEUED", "data": None}
        assert (await call.v1("status", taskId=task_id)) == {"code": 0, "msg": "", "data": "QUEUED"}
        await asyncio.wrap_future(call.simulator._tasks[task_id].product)
        clock.now = 5.0
        running = await call.v1("outputs", taskId=task_id)
        assert (running["code"], running["data"]["netWssUrl"][:30]) == (804, "ws://simulator.test/ws/c_insta")
        clock.now = 100.0
        assert (await call.v1("status", taskId=int(task_id)))["data"] == "SUCCESS"
        warm = await call.v1("create", workflowId=PAINT)
        assert warm["data"]["taskStatus"] == "RUNNING"  # the machine has it in memory
        assert warm["data"]["netWssUrl"].startswith("ws://")


async def test_what_saves_nothing_gives_an_empty_list() -> None:
    async with calling() as call:
        assert await results(call, PREVIEW) == []


async def test_a_graph_is_a_task_like_any_other() -> None:
    async with calling() as call:
        task_id = await begun(call, PAINT)
        done = await call.finished(task_id)
        assert done["results"][0]["nodeId"] == "9"
        assert (done["usage"]["thirdPartyConsumeMoney"], done["usage"]["consumeMoney"]) == (None, None)
        assert int(done["usage"]["consumeCoins"]) > 0
        assert json.loads(done["promptTips"])["node_errors"] == {}
        assert len(done["clientId"]) == 32


async def test_a_text_of_a_model_is_a_file_of_the_older_interface() -> None:
    async with calling() as call:
        accepted = await call.submit("image-to-text", prompt="describe the sea")
        [item] = (await call.outputs(accepted["taskId"]))["data"]
        assert item["fileType"] == "txt"
        assert "simulated" in (await call.fetch(item["fileUrl"])).decode()


@pytest.mark.parametrize(
    ("changes", "older", "newer"),
    [
        (nodes(("99", "text", "x")), 803, "1101"),
        (nodes(("6", "nothing", "x")), 803, "1101"),
        (nodes(("6", "clip", "x")), 803, "1101"),
        (nodes(("6", "text", None)), 803, "803"),
        ([{"nodeId": "6"}], 803, "1101"),
        (["6"], 803, "1101"),
        ("6", 803, "1101"),
    ],
)
async def test_nodes_that_do_not_fit_are_refused(changes: Any, older: int, newer: str) -> None:
    async with calling() as call:
        assert (await call.v1("create", workflowId=PAINT, nodeInfoList=changes))["code"] == older
        reply = await call.ask("run-workflow", {"nodeInfoList": changes}, workflowId=PAINT)
        assert (reply["taskId"], reply["errorCode"]) == ("", newer)
        assert call.simulator.counts["refused"] == 2


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("sampler_name", "nope", "value_not_in_list"),
        ("steps", 0, "value_smaller_than_min"),
        ("denoise", 1.5, "value_bigger_than_max"),
        ("steps", "many", "invalid_input_type"),
        ("steps", float(10**300), "value_bigger_than_max"),
    ],
)
async def test_a_wrong_value_is_noticed_late(field: str, value: Any, kind: str) -> None:
    async with calling() as call:
        reply = await call.v1("create", workflowId=PAINT, nodeInfoList=nodes(("3", field, value)))
        tips = json.loads(reply["data"]["promptTips"])
        assert tips["result"] is False
        assert tips["error"]["type"] == "prompt_outputs_failed_validation"
        assert [each["type"] for each in tips["node_errors"]["3"]["errors"]] == [kind]
        failed = reason(await call.outputs(reply["data"]["taskId"]))
        assert (failed["exception_type"], failed["node_id"]) == ("prompt_outputs_failed_validation", "3")
        done = await call.query(reply["data"]["taskId"])
        assert (done["status"], done["errorCode"], done["usage"]["consumeCoins"]) == ("FAILED", "805", None)


async def test_memory_runs_out_on_the_small_machine_only(tmp_path: Path) -> None:
    async with calling() as call:
        changes = [("50", name, value) for name, value in OOM.items()]
        task_id = await begun(call, MOVE, *changes)
        failed = reason(await call.outputs(task_id))
        assert (failed["exception_type"], failed["node_name"]) == ("torch.OutOfMemoryError", "KSampler")
        assert isinstance(json.loads(failed["traceback"]), list)
        newer = (await call.query(task_id))["failedReason"]
        assert isinstance(newer["traceback"], list)
        assert isinstance(newer["current_inputs"], dict)
        [result] = await results(call, MOVE, *changes, instanceType="plus")
        assert probe(await call.keep(result["fileUrl"], tmp_path)).duration == pytest.approx(121 / 16, abs=0.1)


async def test_a_graph_may_come_whole() -> None:
    own = {
        "1": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}},
        "2": {"class_type": "MyPromptNode", "inputs": {"anything": "a red barn"}},
        "3": {"class_type": "KSampler", "inputs": {
            "seed": 5, "steps": 4, "cfg": 1.0, "sampler_name": "lcm", "scheduler": "simple", "denoise": 1.0,
            "model": ["4", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["1", 0],
        }},
        "4": {"class_type": "MyLoader", "inputs": {}},
        "5": {"class_type": "SomethingNew", "inputs": {"samples": ["3", 0], "strength": 3}},
        "6": {"class_type": "SaveAsWebpPlus", "inputs": {"images": ["5", 0]}},
    }  # fmt: skip
    async with calling() as call:
        [result] = await results(call, PAINT, ("9", "images", "ignored"), workflow=json.dumps(own))
        image = opened(await call.fetch(result["fileUrl"]))
        assert (result["nodeId"], image.size) == ("6", (64, 48))
        assert json.loads(image.text["prompt"])["3"]["inputs"]["seed"] == 5  # type: ignore[attr-defined]
        newer = await call.ask("run-workflow", {"workflow": json.dumps(own)}, workflowId=PAINT)
        assert newer["errorCode"] == ""


@pytest.mark.parametrize(
    "graph",
    [
        "{", "[]", "{}", '{"nodes": [], "links": []}', '{"1": {"inputs": {}}}', '{"1": {"class_type": "SaveImage"}}',
        '{"1": {"class_type": "SaveImage", "inputs": {"images": ["7", 0]}}}',
        '{"1": {"class_type": "SaveImage", "inputs": {}}}',
        '{"1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}',
        '{"1": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}},'
        ' "2": {"class_type": "Odd", "inputs": {"x": ["3", 0]}},'
        ' "3": {"class_type": "Odd", "inputs": {"x": ["2", 0]}}}',
    ],
)  # fmt: skip
async def test_a_graph_that_cannot_run_is_refused(graph: str) -> None:
    async with calling() as call:
        reply = await call.v1("create", workflowId=PAINT, workflow=graph)
        assert (reply["code"], reply["data"]) == (433, None)
        assert reply["msg"].startswith("VALIDATE_PROMPT_FAILED: ")


async def test_a_chain_of_many_nodes_is_no_problem() -> None:
    graph: dict[str, Any] = {"0": {"class_type": "LoadImage", "inputs": {"image": "example.png"}}}
    graph |= {str(n): {"class_type": "Passing", "inputs": {"x": [str(n - 1), 0]}} for n in range(1, 1500)}
    graph["end"] = {"class_type": "SaveImage", "inputs": {"images": ["1499", 0], "filename_prefix": "x"}}
    async with calling() as call:
        [result] = await results(call, PAINT, workflow=json.dumps(graph))
        assert result["nodeId"] == "end"


async def test_one_bad_output_does_not_stop_the_other() -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "x"}},
    }
    async with calling() as call:
        reply = await call.v1("create", workflowId=PAINT, workflow=json.dumps(graph))
        tips = json.loads(reply["data"]["promptTips"])
        assert (tips["result"], tips["outputs_to_execute"], list(tips["node_errors"])) == (True, ["2"], ["3"])
        assert [each["nodeId"] for each in (await call.outputs(reply["data"]["taskId"]))["data"]] == ["2"]


async def test_workflows_that_cannot_be_run() -> None:
    async with calling() as call:
        for workflow, code in (("12", "380"), (NEVER_RUN, "810")):
            assert (await call.v1("create", workflowId=workflow))["code"] == int(code)
            reply = await call.ask("run-workflow", {"nodeInfoList": []}, workflowId=workflow)
            assert reply["errorCode"] == code
        assert (await call.ask("run-workflow", {}, workflowId=PAINT))["errorCode"] == "1007"
        assert (await call.v1("create"))["code"] == 301
        for wrong in ({"instanceType": "huge"}, {"retainSeconds": 5}, {"webhookUrl": 5}):
            assert (await call.v1("create", workflowId=PAINT, **wrong))["code"] == 301
            newer = await call.ask("run-workflow", {"nodeInfoList": [], **wrong}, workflowId=PAINT)
            assert newer["errorCode"] == "1007"


async def test_cancel() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48, limit=1), clock=clock) as call:
        task_id = await begun(call, PAINT)
        assert await call.v1("cancel", taskId=task_id) == {"code": 0, "msg": "success", "data": None}
        clock.now = 1000.0
        assert (await call.v1("status", taskId=task_id))["data"] == "FAILED"
        assert "cancel" in reason(await call.v1("outputs", taskId=task_id))["exception_message"]
        done = await call.query(task_id)
        assert (done["status"], done["results"], done["usage"]["consumeCoins"]) == ("CANCEL", None, None)
        await begun(call, PAINT)  # its slot is free
        assert (await call.v1("cancel", taskId="5"))["code"] == 807


async def test_ids_of_tasks_that_are_none() -> None:
    async with calling() as call:
        assert await call.v1("status", taskId=0) == {
            "code": 301, "msg": "PARAMS_INVALID: taskId must be positive", "data": None,
        }  # fmt: skip
        for name in ("status", "outputs", "cancel"):
            assert (await call.v1(name, taskId="17"))["code"] == 807
            assert (await call.v1(name))["code"] == 301


async def test_a_workflow_of_ones_own() -> None:
    async with calling() as call:
        graph = {
            "1": {"class_type": "LoadImage", "inputs": {"image": "portrait.png"}},
            "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
        }
        saved = await call.http.put("/_simulator/workflows/777", json=graph)
        assert saved.json() == {"workflowId": "777", "nodes": 2}
        [result] = await results(call, "777")
        image = Image.open(io.BytesIO(await call.fetch(result["fileUrl"])))
        assert image.size == (72, 96)
        wrong = await call.http.put("/_simulator/workflows/778", json={"nodes": []})
        assert (wrong.status_code, "editor" in wrong.json()["error"]) == (400, True)


async def test_keys_are_taken_where_clients_put_them() -> None:
    async with calling() as call:
        body = {"workflowId": PAINT}
        for headers, key in ((KEY, {}), ({}, {"apiKey": "a-key"}), (KEY, {"apiKey": "a-key"})):
            assert (await call.ask("workflow-json", body | key, headers=headers))["code"] == 0
        assert (await call.ask("workflow-json", body, headers={}))["code"] == 301
