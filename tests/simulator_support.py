"""A simulator in process with a few models of its own, and what tests do with it."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import uvicorn
from PIL import Image
from starlette.applications import Starlette

from rhflow.contract import load_schema
from rhflow.core.kinds import Field, Model, Price
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.routes.table import OPERATIONS
from rhflow.simulator.simulator import Simulator
from rhflow.simulator.sockets import Droppable

KEY = {"Authorization": "Bearer a-key"}
PROMPT = Field("prompt", "string", required=True, max_length=200, alias="prompt")
DURATION = Field("duration", "enum", enum=("1", "2", "5"), alias="duration")

MODELS = (
    Model(
        "paint", "Paint", "test/text-to-image", ("text-to-image",), "image",
        (
            PROMPT,
            Field("aspectRatio", "enum", enum=("1:1", "16:9", "9:16"), alias="aspect_ratio"),
            Field("resolution", "enum", enum=("1k", "2k"), alias="resolution"),
            Field("width", "integer", minimum=16, maximum=4096, step=8),
            Field("height", "integer", minimum=16, maximum=4096, step=8),
            Field("imageNum", "enum", enum=("1", "2"), alias="count"),
            Field("outputFormat", "enum", enum=("png", "jpeg", "webp(lossy)")),
            Field("seed", "integer", minimum=0, alias="seed"),
            Field("raw", "boolean"),
        ),
        price=Price("image", fixed=Decimal("0.14")),
    ),
    Model(
        "edit", "Edit", "test/image-to-image", ("image-to-image",), "image",
        (
            PROMPT,
            Field("imageUrls", "image[]", required=True, max_items=3, alias="images"),
            Field("aspectRatio", "enum", enum=("1:1", "16:9", "9:16", "auto")),
            Field("resolution", "enum", enum=("512", "1k")),
        ),
        price=Price("call", rules=(({"resolution": "1k"}, Decimal("0.3")),), lowest=Decimal("0.2")),
    ),
    Model(
        "move", "Move", "test/image-to-video", ("image-to-video", "start-end-to-video"), "video",
        (
            PROMPT,
            Field("firstImageUrl", "image", required=True, alias="first_frame"),
            Field("lastImageUrl", "image", alias="last_frame"),
            DURATION,
            Field("resolution", "enum", enum=("480p", "720p")),
            Field("aspectRatio", "enum", enum=("16:9", "9:16")),
            Field("returnLastFrame", "boolean"),
            Field("audioUrl", "audio"),
        ),
        price=Price("second", fixed=Decimal("0.5")),
    ),
    Model("film", "Film", "test/text-to-video", ("text-to-video",), "video", (PROMPT, DURATION)),
    Model(
        "refer", "Refer", "test/reference-to-video", ("reference-to-video",), "video",
        (PROMPT, Field("imageUrls", "image[]", required=True, alias="images"), DURATION),
    ),
    Model(
        "sharpen", "Sharpen", "test/video-upscaler", ("upscale-video",), "video",
        (
            Field("videoUrl", "video", required=True, alias="video"),
            Field("targetResolution", "enum", required=True, enum=("720p", "1080p", "2k", "4k")),
            Field("targetFps", "enum", enum=("30", "60")),
        ),
        price=Price("second", rules=(({"targetResolution": "1080p"}, Decimal("0.21")),)),
    ),
    Model(
        "smooth", "Smooth", "test/fps-increaser", ("interpolate-video",), "video",
        (Field("videoUrl", "video", required=True, alias="video"),),
    ),
    Model(
        "recut", "Recut", "test/video-edit", ("video-edit",), "video",
        (PROMPT, Field("videoUrl", "video", required=True, alias="video")),
    ),
    Model(
        "extend", "Extend", "test/video-extend", ("video-extend",), "video",
        (PROMPT, Field("videoUrl", "video", required=True, alias="video"), DURATION),
    ),
    Model(
        "enlarge", "Enlarge", "test/image-upscale", ("upscale-image",), "image",
        (
            Field("imageUrl", "image", required=True, alias="image"),
            Field("scale", "enum", required=True, enum=("2x", "4x")),
        ),
    ),
    Model(
        "speak", "Speak", "test/speech", ("text-to-speech",), "audio",
        (Field("text", "string", required=True, alias="prompt"),),
    ),
    Model("model", "Model", "test/solid", ("text-to-3d",), "model3d", (PROMPT,)),
    Model(
        "tell", "Tell", "test/image-to-text", ("image-to-text",), "text",
        (PROMPT, Field("imageUrl", "image", alias="image"), Field("topics", "string[]", max_items=2),
         Field("voiceUrl", "audio", max_mb=1)),
    ),
    Model("gone", "Gone", "test/gone", ("text-to-image",), "image", (PROMPT,), status="withdrawn"),
)  # fmt: skip


class FewModels:
    """A catalogue of the models above."""

    def find(self, reference: str) -> Model | None:
        return next((model for model in MODELS if reference in (model.id, model.title, model.endpoint)), None)

    def default_for(self, task: str) -> Model | None:
        return next((model for model in MODELS if task in model.tasks), None)

    def names(self, tasks: Sequence[str] = ()) -> Sequence[str]:
        return [model.id for model in MODELS if not tasks or set(tasks) & set(model.tasks)]


@dataclass
class ManualClock:
    """Simulated seconds that pass when told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Caller:
    """A client of the simulator, with a key."""

    http: httpx.AsyncClient
    app: Starlette

    @property
    def simulator(self) -> Simulator:
        return self.app.state.simulator

    async def post(self, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        reply = await self.http.post(path, json=body, headers=options.pop("headers", KEY), **options)
        assert reply.headers["rhflow-simulator"] == "1"
        return reply.json()

    async def submit(self, endpoint: str, **inputs: Any) -> dict[str, Any]:
        return await self.post(f"/openapi/v2/test/{endpoint}", inputs)

    async def ask(self, name: str, body: Any = None, *, headers: Any = KEY, **placed: str) -> dict[str, Any]:
        """Call an operation of the service by its name; the reply must be what its schema says."""
        operation = next(each for each in OPERATIONS if each.name == name)
        path = operation.path.replace(":path", "").format(**placed)
        sent = {"params": body} if operation.method == "GET" else {"json": {} if body is None else body}
        reply = await self.http.request(operation.method, path, headers=headers, **sent)
        found: dict[str, Any] = reply.json()
        jsonschema.Draft202012Validator(load_schema(f"api/{name}")).validate(found)
        return found

    async def v1(self, name: str, **body: Any) -> dict[str, Any]:
        """Call an operation of the older interface as older clients do: the key is in the body."""
        return await self.ask(name, {"apiKey": "a-key", **body}, headers={})

    async def outputs(self, task_id: str) -> dict[str, Any]:
        """Return the outputs of a task by the older interface, once it is final."""
        while (reply := await self.v1("outputs", taskId=task_id))["code"] in (804, 813):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return reply

    async def query(self, task_id: str) -> dict[str, Any]:
        return await self.post("/openapi/v2/query", {"taskId": task_id})

    async def finished(self, task_id: str) -> dict[str, Any]:
        """Return the reply to the query that finds the task final."""
        while (reply := await self.query(task_id))["status"] in ("QUEUED", "RUNNING"):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return reply

    async def run(self, endpoint: str, **inputs: Any) -> dict[str, Any]:
        """Return the final reply for a call that is accepted."""
        accepted = await self.submit(endpoint, **inputs)
        assert accepted["errorCode"] == "", accepted
        return await self.finished(accepted["taskId"])

    async def make(self, endpoint: str, **inputs: Any) -> str:
        """Return the link to the first result of a call that succeeds."""
        done = await self.run(endpoint, **inputs)
        assert done["status"] == "SUCCESS", done
        return done["results"][0]["url"]

    async def fetch(self, link: str) -> bytes:
        reply = await self.http.get(link)
        assert reply.status_code == 200
        assert int(reply.headers["content-length"]) == len(reply.content)
        return reply.content

    async def keep(self, link: str, folder: Path) -> Path:
        """Download a file and return where it lies."""
        path = folder / link.rpartition("/")[2]
        path.write_bytes(await self.fetch(link))
        return path

    async def upload(self, data: bytes, name: str) -> dict[str, Any]:
        reply = await self.http.post("/openapi/v2/media/upload/binary", files={"file": (name, data)}, headers=KEY)
        return reply.json()

    async def link_to(self, data: bytes, name: str) -> str:
        return (await self.upload(data, name))["data"]["download_url"]


@asynccontextmanager
async def calling(config: SimulatorConfig | None = None, *, clock: ManualClock | None = None) -> AsyncIterator[Caller]:
    """Run a simulator in process, at full speed and with small pictures unless told otherwise."""
    app = create_app(FewModels(), config or SimulatorConfig(speed=1e6, most=96), clock=clock)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://simulator.test") as http:
            yield Caller(http, app)
    finally:
        app.state.simulator.close()


def picture(size: tuple[int, int] = (64, 48), colour: str = "teal") -> bytes:
    """Return a PNG file: a plain picture with a dark left half."""
    image = Image.new("RGB", size, colour)
    image.paste((20, 20, 30), (0, 0, size[0] // 2, size[1]))
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return the picture in a file's bytes, decoded."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve an app on a free port of this machine and yield its address; connections can be lost as planned."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=Droppable, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
