"""Clients that others wrote for the real service, unchanged, on the real command: they cannot tell the difference."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rhflow.media.probe import probe
from tests.e2e.case import KEY, Simulator
from tests.simulator_support import opened, picture
from tests.unit.test_simulator_gateway import graph as graph_of

PAINT, RESTYLE, MOVE = (f"190000000000000010{n}" for n in (1, 2, 4))
APP = "1900000000000000202"
MODEL = "rhart-image-v1-official/text-to-image"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    server = Simulator(tmp_path_factory.mktemp("quick"), "--speed", "5000")
    yield server
    server.close()


class TestRunningHubSdk:
    """``runninghub-sdk`` speaks both interfaces and insists on the service's own name in ``Host``."""

    @pytest.fixture
    def client(self, quick: Simulator) -> Iterator[object]:
        sdk = pytest.importorskip("runninghub_sdk")
        with sdk.RunningHubClient(api_key=KEY, base_url=quick.url) as client:
            yield client

    def test_a_model_call(self, client: object, tmp_path: Path) -> None:
        payload = {"prompt": "a red boat on a lake", "aspectRatio": "1:1"}
        price = client.preview_model_price(MODEL, payload)
        assert price.currency == "CNY"
        begun = client.run_model_api(MODEL, payload)
        done = client.wait_for_query_v2_completion(begun.task_id, poll_interval=0.05)
        path = client.download_file(done.results[0]["url"], tmp_path / "boat.png")
        assert probe(path).media_type.startswith("image/")

    def test_a_workflow(self, client: object, tmp_path: Path) -> None:
        graph = client.get_workflow_json_parsed(PAINT)
        assert graph["6"]["class_type"] == "CLIPTextEncode"
        changes = [{"nodeId": "6", "fieldName": "text", "fieldValue": "snowy mountains"}]
        changes += [{"nodeId": "5", "fieldName": each, "fieldValue": "256"} for each in ("width", "height")]
        begun = client.run(PAINT, changes, instance_type="plus")
        [output] = client.wait_for_completion(begun.task_id, poll_interval=0.05)
        assert (output.node_id, output.file_type) == ("9", "png")
        [path] = client.download_outputs([output], tmp_path)
        assert opened(path.read_bytes()).size == (256, 256)
        client.cancel(begun.task_id)

    def test_an_app_with_an_upload(self, client: object, capsys: pytest.CaptureFixture[str]) -> None:
        demo = client.get_ai_app_api_demo(APP)
        assert [each.field_type for each in demo.node_info_list] == ["IMAGE", "LIST", "FLOAT"]
        data = picture((120, 90))
        uploaded = client.upload_file(data, "a.png")
        assert uploaded.file_name == f"openapi/{hashlib.sha256(data).hexdigest()}.png"
        changes = [{"nodeId": "1", "fieldName": "image", "fieldValue": uploaded.file_name}]
        begun = client.run_ai_app(int(APP), changes)
        assert len(client.wait_for_completion(begun.task_id, poll_interval=0.05)) == 1

    def test_a_failure(self, client: object) -> None:
        import runninghub_sdk

        changes = [{"nodeId": "6", "fieldName": "nothing", "fieldValue": "x"}]
        with pytest.raises(runninghub_sdk.RunningHubError) as refused:
            client.run(PAINT, changes)
        assert refused.value.code == 803

    def test_the_account_and_the_library(self, client: object) -> None:
        account = client.get_account_status()
        assert (account.currency, int(account.remain_coins) > 0) == ("CNY", True)
        assert client.get_queue_status().concurrent_limit == 50
        assert client.validate_api_key()
        assert client.list_api_keys()[0].is_enabled
        assert client.list_public_models("CHECKPOINT").records
        assert client.upload_lora("mine", b"weights").startswith("api-lora-cn/")


def test_comfykit(quick: Simulator, tmp_path: Path) -> None:
    """It speaks the older interface, with the key in the body, and ComfyUI's own at the gateway and at the root."""
    if importlib.util.find_spec("comfykit") is None:
        pytest.skip("comfykit is not installed")
    source = tmp_path / "a.png"
    source.write_bytes(picture((96, 64), "gold"))
    script = Path(__file__).with_name("foreign") / "with_comfykit.py"
    graph = tmp_path / "graph.json"
    graph.write_text(json.dumps(graph_of(RESTYLE, n2_megapixels=0.01)))
    command = [sys.executable, str(script), quick.url, KEY, str(source), str(graph)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert [(each["fileType"], each["nodeId"]) for each in told["moved"]] == [("mp4", "58")]
    assert (told["status"], len(told["images"])) == ("completed", 1)
    for way in ("http", "websocket"):
        assert (told[way]["status"], len(told[way]["images"])) == ("completed", 1), told[way]
        [link] = told[way]["images"]
        assert opened(httpx.get(link).content).height > 8


async def test_the_progress_socket(quick: Simulator) -> None:
    sockets = pytest.importorskip("websockets.asyncio.client")
    with httpx.Client(base_url=quick.url) as http:

        def ask(name: str, **body: object) -> dict[str, object]:
            return http.post(f"/task/openapi/{name}", json={"apiKey": KEY, **body}).json()

        sizes = {"width": 256, "height": 256, "length": 161}
        asked = [{"nodeId": "50", "fieldName": name, "fieldValue": value} for name, value in sizes.items()]
        task_id = ask("create", workflowId=MOVE, nodeInfoList=asked)["data"]["taskId"]
        while (running := ask("outputs", taskId=task_id))["code"] == 813:
            pass
        assert running["code"] == 804, running
        async with sockets.connect(running["data"]["netWssUrl"], proxy=None) as socket:
            told = [json.loads(message)["type"] async for message in socket]
        assert {"execution_start", "executing", "progress", "execution_success"} <= set(told)
        assert ask("outputs", taskId=task_id)["code"] == 0
