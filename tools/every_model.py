"""Calls of every model of the catalogue on a simulator in this process: the least it takes, and all it takes.

What goes in is written as an author would, by uniform names and in YAML's types, goes through rhflow's own binding of
inputs to the wire, and comes back as files that are opened. The tests and ``tools/coverage.py --run`` share it.
"""

from __future__ import annotations

import asyncio
import io
import json
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import httpx
from PIL import Image

from rhflow.catalog.catalog import Catalog
from rhflow.core.cost import Estimate, estimate
from rhflow.core.inputs.signature import Bound, Signature
from rhflow.core.kinds import Field, Model
from rhflow.core.values import Artifact, Pending
from rhflow.media.audio import write_audio
from rhflow.media.planes import Planes
from rhflow.media.video import encode
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig

Extent = Literal["minimal", "full"]
EXTENTS: tuple[Extent, ...] = ("minimal", "full")
RATE, FPS = 24_000, Fraction(12)
SECONDS = 1.0
_AT_ONCE = 4
_TEXT = "a red lighthouse on a cliff"


class UnfitError(Exception):
    """A model did not do what its row says."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call gave: the media types, the charge by the simulator, and what it and rhflow told before."""

    model: str
    extent: Extent
    sent: Mapping[str, Any]
    gave: tuple[str, ...]
    charge: Decimal | None
    quoted: Decimal
    told: Estimate
    early: Estimate


# --- what goes in ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Samples:
    """Small files to send: one of each format that some model insists on."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, colour: str = "teal") -> Samples:
        """Write a picture, a clip of one second and a sound of one second, in ``colour`` or as high as it is red."""
        image = Image.new("RGB", (64, 48), colour)
        image.paste((20, 20, 30), (0, 0, 32, 48))
        for name in ("a.png", "a.jpg"):
            image.save(folder / name)
        encode(folder / "a.mp4", (Planes.of_image(image) for _ in range(round(SECONDS * FPS))), fps=FPS)
        step = 300 + 20 * image.getpixel((60, 40))[0]
        tone = b"".join(struct.pack("<h", (at * step) % 20_000 - 10_000) for at in range(round(SECONDS * RATE)))
        write_audio(folder / "a.mp3", tone, rate=RATE)
        return cls(folder)

    def path(self, field: Field, family: str) -> Path:
        """Return the file of a family that a field takes."""
        formats = {each.casefold() for each in field.formats}
        wanted = {"image": ("png", "jpg"), "video": ("mp4",), "audio": ("mp3",)}[family]
        extension = next((each for each in wanted if not formats or each in formats), None)
        if extension is None:
            raise UnfitError(f"no sample of {family} is one of {', '.join(field.formats)}")
        return self.folder / f"a.{extension}"

    def artifact(self, field: Field, family: str) -> Artifact:
        """Return the same as what a step would have made."""
        path = self.path(field, family)
        kinds = {"png": "image/png", "jpg": "image/jpeg", "mp4": "video/mp4", "mp3": "audio/mpeg"}
        seconds = SECONDS if family in ("video", "audio") else None
        size = path.stat().st_size
        return Artifact(path.name, kinds[path.suffix[1:]], size, path.name, duration=seconds)


def written(model: Model, extent: Extent, samples: Samples) -> dict[str, Any]:
    """Return inputs as an author would write them: what has no default, or every one of the model's fields."""
    grouped = {group[0] for group in model.any_of}
    wanted = [
        each for each in model.fields
        if extent == "full" or (each.required and each.default is None) or each.name in grouped
    ]  # fmt: skip
    values = {each.name: _value(each, samples) for each in wanted}
    for rule in model.implied:
        if rule.only and rule.field in values:
            values[rule.then] = rule.becomes
    return {model.by_name[name].alias or name: value for name, value in values.items()}


def _value(field: Field, samples: Samples) -> Any:
    """Return a legal value that is not the default where there is another."""
    kind = field.type.removesuffix("[]")
    if field.is_media or field.item or field.alias in ("image", "video", "audio"):
        one: Any = samples.artifact(field, kind if field.is_media else str(field.alias).removesuffix("s"))
    elif field.enum:
        one = _choice(field)
    else:
        number = _number(field)
        plain = {"boolean": True, "integer": int(number), "number": number, "object": {"name": "a", "share": [0.5]}}
        one = plain.get(kind, _TEXT[: field.max_length])
    return [one] if field.is_list else one


def _choice(field: Field) -> Any:
    """Return a listed value as it would be typed: the shortest clip, else the last of the list."""
    if field.alias == "duration":
        return min(int(each) for each in field.enum if int(each) > 0)
    text = field.enum[-1]
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text.isdigit() else text


def _number(field: Field) -> float:
    """Return a small number within the limits."""
    low = field.minimum if field.minimum is not None else 0 if field.maximum is not None else 1
    step = field.step or (1 if field.type == "integer" else 0.25)
    return low if field.alias == "duration" or (field.maximum or low + step) < low + step else low + step


# --- a simulator and a client ----------------------------------------------------------------------------------------


class Bench:
    """A simulator of the whole catalogue, with the samples uploaded to it."""

    def __init__(self, catalog: Catalog, http: httpx.AsyncClient, samples: Samples) -> None:
        self.catalog, self.samples = catalog, samples
        self._http, self._links = http, dict[str, str]()

    async def upload(self) -> None:
        """Bring the samples to where the simulator can read them."""
        for path in sorted(self.samples.folder.glob("a.*")):
            files = {"file": (path.name, path.read_bytes())}
            reply = await self._http.post("/openapi/v2/media/upload/binary", files=files)
            self._links[path.name] = reply.json()["data"]["download_url"]

    async def call(self, model: Model, extent: Extent) -> Outcome:
        """Make a call and look at all that comes back. Raises UnfitError."""
        given = written(model, extent, self.samples)
        bound = Signature(model.id, model.fields, model).bind(given, _no_path)
        if bound.troubles:
            raise UnfitError("; ".join(each.message for each in bound.troubles))
        sent = {name: self._linked(value) for name, value in bound.values.items()}
        quoted = Decimal(str((await self._post(f"price-preview/{model.endpoint}", sent))["estimatedPrice"]))
        done = await self._finished(await self._post(model.endpoint, sent))
        gave = tuple([await self._opened(each) for each in done["results"] or ()])
        if extent == "full" and set(sent) != set(model.by_name):
            raise UnfitError(f"not sent: {', '.join(sorted(set(model.by_name) - set(sent)))}")
        if not gave or gave[0] != model.output:
            raise UnfitError(f"gave {', '.join(gave) or 'nothing'}, not {model.output}")
        paid = done["usage"]["thirdPartyConsumeMoney"]
        charge = None if paid is None else Decimal(paid)
        told = estimate(model, bound.values, unknown=bound.pending)
        return Outcome(model.id, extent, sent, gave, charge, quoted, told, early(model, bound))

    def _linked(self, value: Any) -> Any:
        if isinstance(value, Artifact):
            return self._links[value.name]
        if isinstance(value, list):
            return [self._linked(each) for each in value]
        return {name: self._linked(each) for name, each in value.items()} if isinstance(value, dict) else value

    async def _post(self, endpoint: str, body: Mapping[str, Any]) -> dict[str, Any]:
        reply: dict[str, Any] = (await self._http.post(f"/openapi/v2/{endpoint}", json=body)).json()
        if reply.get("errorCode"):
            raise UnfitError(f"refused with {reply['errorCode']}: {reply['errorMessage']}")
        return reply

    async def _finished(self, task: Mapping[str, Any]) -> dict[str, Any]:
        while True:
            reply = await self._post("query", {"taskId": task["taskId"]})
            if reply["status"] not in ("QUEUED", "RUNNING"):
                return reply
            await asyncio.sleep(0.02)

    async def _opened(self, result: Mapping[str, Any]) -> str:
        """Return the family of a result, after decoding it."""
        if result["url"] is None:
            return _read_text(result["text"])
        data = (await self._http.get(result["url"])).content
        return opened(data, str(result["outputType"]))


def _no_path(path: str) -> Artifact:
    raise UnfitError(f"{path} was taken for a path")


def early(model: Model, bound: Bound) -> Estimate:
    """Return what is told of the price while nothing of the inputs is known but the names."""
    values = {name: Pending(_family(model, name)) for name in bound.values}
    return estimate(model, values, unknown=tuple(values))  # type: ignore[arg-type]


def _family(model: Model, name: str) -> Any:
    kind = model.by_name[name].type.removesuffix("[]")
    return kind if kind in ("image", "video", "audio") else None


# --- what comes out --------------------------------------------------------------------------------------------------


def opened(data: bytes, extension: str) -> str:
    """Return the family of a file after decoding it. Raises UnfitError where its name promises something else."""
    if extension == "glb":
        return _read_glb(data)
    if extension in ("png", "jpg", "webp"):
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if image.format not in ("PNG", "JPEG", "WEBP"):
                raise UnfitError(f"a .{extension} holds {image.format}")
        return "image"
    with av.open(io.BytesIO(data)) as container:
        stream = (container.streams.video or container.streams.audio)[0]
        if sum(1 for _ in container.decode(stream)) < 2:
            raise UnfitError(f"a .{extension} holds next to nothing")
        return str(stream.type)


def _read_glb(data: bytes) -> str:
    """Return the family of a binary glTF file, after following a mesh to its numbers."""
    magic, version, length = struct.unpack_from("<4sII", data)
    size, kind = struct.unpack_from("<I4s", data, 12)
    scene = json.loads(data[20 : 20 + size])
    if (magic, version, length, kind) != (b"glTF", 2, len(data), b"JSON"):
        raise UnfitError("a .glb is no binary glTF")
    accessor = scene["accessors"][scene["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    view = scene["bufferViews"][accessor["bufferView"]]
    numbers = struct.unpack_from(f"<{3 * accessor['count']}f", data, 28 + size + view["byteOffset"])
    if len(set(numbers)) < 2:
        raise UnfitError("a .glb holds no shape")
    return "model3d"


def _read_text(text: str) -> str:
    if not text.strip():
        raise UnfitError("an empty text came back")
    if text.lstrip().startswith("{"):
        json.loads(text)
    return "text"


@asynccontextmanager
async def bench(catalog: Catalog, folder: Path, *, most: int | None = 32, colour: str = "teal") -> AsyncIterator[Bench]:
    """Run a simulator that is done at once, with results of at most ``most`` pixels a side (None: as asked)."""
    app = create_app(catalog, SimulatorConfig(speed=1e6, most=most, limit=100_000))
    key = {"Authorization": "Bearer a-key"}
    transport = httpx.ASGITransport(app=app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator.test", headers=key) as http:
            ready = Bench(catalog, http, Samples.make(folder, colour))
            await ready.upload()
            yield ready
    finally:
        app.state.simulator.close()


async def call_all(
    models: Sequence[Model], folder: Path, *, most: int | None = 32, extents: Sequence[Extent] = EXTENTS
) -> dict[str, dict[Extent, Any]]:
    """Call each model and return what came of it, by id: an Outcome, or the UnfitError that says what was wrong."""
    found: dict[str, dict[Extent, Any]] = {model.id: {} for model in models}
    few = asyncio.Semaphore(_AT_ONCE)

    async def one(ready: Bench, model: Model, extent: Extent) -> None:
        async with few:
            try:
                found[model.id][extent] = await ready.call(model, extent)
            except UnfitError as error:
                found[model.id][extent] = UnfitError(f"{model.id}, {extent}: {error}")

    async with bench(Catalog.load(), folder, most=most) as ready, asyncio.TaskGroup() as group:
        for model in models:
            for extent in extents:
                group.create_task(one(ready, model, extent))
    return {name: {extent: of_model[extent] for extent in extents} for name, of_model in found.items()}
