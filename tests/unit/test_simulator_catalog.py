"""The simulator over the shipped catalogue: every active model takes what its own row asks for."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx
import pytest

from rhflow.catalog.catalog import Catalog
from rhflow.core.kinds import Field, Model
from rhflow.core.values import EXTENSIONS
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.validate import problem_in
from tests.simulator_support import Caller, picture


@cache
def catalog() -> Catalog:
    return Catalog.load()


ACTIVE = [model.id for name in catalog().names() if (model := catalog().find(name)) and model.status == "active"]
TASKS = (
    "text-to-image image-to-image upscale-image text-to-video image-to-video start-end-to-video reference-to-video "
    "upscale-video interpolate-video text-to-speech text-to-music image-to-3d text-to-3d image-to-text text-to-text"
)


def value_for(field: Field, links: dict[str, str]) -> Any:
    """Return a value that a field takes: its default, or the plainest one."""
    if field.default is not None and not field.is_media:
        return field.default
    kind = field.type.removesuffix("[]")
    number = 512 if field.minimum is None else int(field.minimum)
    plain = {"enum": field.enum[:1], "boolean": [False], "integer": [number], "number": [number], "object": [{}]}
    value = links[kind] if field.is_media else next(iter(plain.get(kind, ["a boat at sunset"])))
    return [value] if field.is_list else value


def payload(model: Model, links: dict[str, str]) -> dict[str, Any]:
    short = {"duration": "1"} if (field := model.field_named("duration")) and "1" in field.enum else {}
    return {field.name: value_for(field, links) for field in model.fields if field.required} | short


@pytest.mark.parametrize("name", ACTIVE)
def test_required_inputs_are_enough(name: str) -> None:
    model = catalog().find(name)
    assert model is not None
    link = "https://files.test/a"
    assert problem_in(model, payload(model, dict.fromkeys(("image", "video", "audio", "file"), link))) is None


async def test_the_default_model_of_each_task_makes_what_it_promises() -> None:
    app = create_app(catalog(), SimulatorConfig(speed=1e6, most=48))
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://s") as http:
            call = Caller(http, app)
            links = {"image": await call.link_to(picture(), "a.png")}
            for task in TASKS.split():
                model = catalog().default_for(task)
                assert model is not None, task
                accepted = await call.post(f"/openapi/v2/{model.endpoint}", payload(model, links))
                done = await call.finished(accepted["taskId"])
                assert done["status"] == "SUCCESS", (task, accepted, done)
                kind = done["results"][0]["outputType"]
                assert kind in {
                    "image": {"png", "jpg"}, "video": {"mp4"}, "audio": {"mp3"}, "model3d": {"glb"}, "text": {"txt"},
                }[model.output]  # fmt: skip
                assert kind in EXTENSIONS.values()
                if kind == "mp4":
                    links["video"] = done["results"][0]["url"]
    finally:
        app.state.simulator.close()
