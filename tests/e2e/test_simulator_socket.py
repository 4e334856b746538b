"""The simulator behind a real server: uploads, a chain of calls and ranged downloads over a socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from rhflow.media.probe import probe
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from tests.simulator_support import KEY, FewModels, picture


@pytest.fixture
def address() -> Iterator[str]:
    """Serve a simulator on a free port; yield its address, and check that it leaves nothing behind."""
    app = create_app(FewModels(), SimulatorConfig(speed=1e5, most=128))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("rhflow-simulator")]
    assert app.state.simulator.files._temporary is None


def finished(http: httpx.Client, endpoint: str, **inputs: object) -> str:
    """Call a model and return the link to its first result."""
    accepted = http.post(f"/openapi/v2/test/{endpoint}", json=inputs).json()
    assert accepted["errorCode"] == ""
    while True:
        reply = http.post("/openapi/v2/query", json={"taskId": accepted["taskId"]}).json()
        if reply["status"] not in ("QUEUED", "RUNNING"):
            assert reply["status"] == "SUCCESS", reply
            return reply["results"][0]["url"]
        time.sleep(0.01)


def test_a_chain_over_a_socket(address: str, tmp_path: Path) -> None:
    with httpx.Client(base_url=address, headers=KEY, timeout=30) as http:
        upload = http.post("/openapi/v2/media/upload/binary", files={"file": ("a.png", picture((200, 120)))}).json()
        still = finished(http, "image-to-image", prompt="sunset", imageUrls=[upload["data"]["download_url"]])
        clip = finished(http, "image-to-video", prompt="push in", firstImageUrl=still, duration="1")
        large = finished(http, "video-upscaler", videoUrl=clip, targetResolution="1080p")
        assert large.startswith(address)
        path = tmp_path / "large.mp4"
        with http.stream("GET", large) as reply, path.open("wb") as file:
            assert reply.headers["rhflow-simulator"] == "1"
            for chunk in reply.iter_bytes():
                file.write(chunk)
        assert path.stat().st_size == int(reply.headers["content-length"])
        info = probe(path)
        assert (info.width, info.duration, info.fps) == (128, 1.0, 24.0)
        tail = http.get(large, headers={"Range": "bytes=-10"})
        assert (tail.status_code, tail.content) == (206, path.read_bytes()[-10:])
        stats = http.get("/_simulator/stats").json()
        assert (stats["accepted"], stats["uploads"], stats["downloads"]) == (3, 1, 2)
