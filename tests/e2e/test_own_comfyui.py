"""A workflow on a ComfyUI server of one's own: no key, no payment, the same recipe."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from tests.e2e.case import Case

GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["4", 1]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}
RECIPE = """\
rhflow: 1
name: own
params:
  photo: {type: image, default: photo.png}
  words: a cat
steps:
  draw:
    uses: comfyui
    with: {graph: graph.json, nodes: {1.image: "${{ params.photo }}", 6.text: "${{ params.words }}"}}
outputs:
  cat: ${{ steps.draw.nodes['9'].image }}
"""


class FakeComfyUI:
    """Answers as ComfyUI does; ``prompts`` are the graphs that were queued, ``files`` what was uploaded."""

    def __init__(self) -> None:
        self.prompts: list[dict[str, Any]] = []
        self.files: list[bytes] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.reply(*outer.post(self.path, body))

            def do_GET(self) -> None:
                self.reply(*outer.get(urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)))

            def reply(self, status: int, found: Any) -> None:
                content = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def post(self, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/upload/image":
            self.files.append(body)
            return 200, {"name": "up.png", "subfolder": "", "type": "input"}
        graph = json.loads(body)["prompt"]
        if graph["6"]["inputs"]["text"] == "reject me":
            errors = [{"type": "value_not_in_list", "message": "Value not in list", "details": "text: 'reject me'"}]
            told = {"6": {"errors": errors, "dependent_outputs": ["9"], "class_type": "CLIPTextEncode"}}
            return 400, {"error": {"type": "prompt_outputs_failed_validation", "message": "no"}, "node_errors": told}
        self.prompts.append(graph)
        return 200, {"prompt_id": f"p{len(self.prompts)}", "number": 1, "node_errors": {}}

    def get(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path == "/view":
            picture = io.BytesIO()
            Image.new("RGB", (32, 16), "teal").save(picture, "PNG")
            return (200, picture.getvalue()) if query["filename"] == ["ComfyUI_1_.png"] else (404, {})
        prompt = path.rpartition("/")[2]
        if self.prompts[int(prompt[1:]) - 1]["6"]["inputs"]["text"] == "fail":
            why = {"node_id": "6", "node_type": "CLIPTextEncode", "exception_message": "out of memory"}
            return 200, {prompt: {"status": {"status_str": "error", "messages": [["execution_error", why]]}}}
        saved = {"filename": "ComfyUI_1_.png", "subfolder": "", "type": "output"}
        preview = {"filename": "t.png", "subfolder": "", "type": "temp"}
        outputs = {"8": {"images": [preview]}, "9": {"images": [saved]}}
        return 200, {prompt: {"status": {"status_str": "success", "completed": True}, "outputs": outputs}}


@pytest.fixture
def comfyui() -> Iterator[FakeComfyUI]:
    fake = FakeComfyUI()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def test_the_same_recipe_runs_on_a_server_of_ones_own(case: Case, comfyui: FakeComfyUI) -> None:
    # Nothing listens at the service's address: a request there would be an error
    case.env = {"RHFLOW_COMFYUI_SERVER": comfyui.url, "RUNNINGHUB_BASE_URL": "https://www.runninghub.invalid"}
    Image.new("RGB", (8, 8)).save(case.folder / "photo.png")
    (case.folder / "graph.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    done = case.recipe(RECIPE).run("run", "recipe.yaml", "--json").exit(0).document
    assert (done["realm"], done["requests"]["submit"], [each.name for each in case.delivered()]) == (
        "live",
        0,
        ["cat.png"],
    )
    [queued] = comfyui.prompts
    assert (queued["1"]["inputs"]["image"], queued["6"]["inputs"]["text"]) == ("up.png", "a cat")
    assert b"\x89PNG" in comfyui.files[0]
    case.run("run", "recipe.yaml", "--no-cache", "-p", "words=reject me").exit(1).says(
        "ComfyUI rejects node `6` (`CLIPTextEncode`): Value not in list: text: 'reject me'"
    )
    case.run("run", "recipe.yaml", "-p", "words=fail").exit(1).says(
        "failed at node `6` (`CLIPTextEncode`): out of memory"
    )


def test_without_a_server_a_graph_needs_a_workflow(case: Case) -> None:
    (case.folder / "graph.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    case.recipe(RECIPE).run("validate", "recipe.yaml").exit(3).says("`comfyui` needs `workflow`")
