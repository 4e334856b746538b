"""Every operation of the service: asked for by the real client, answered by the simulator, the answer looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
from PIL import Image

from rhflow.catalog.catalog import Catalog
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.orders import NodeValue, Order
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.wire.states import TaskState
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig

ROOT = Path(__file__).parents[2]
SITE = "http://simulator.test"
T = TypeVar("T")
PAINT, RESTYLE = "1900000000000000101", "1900000000000000102"
POSTER, PHOTO = "1900000000000000201", "1900000000000000202"
HOOK = "http://hooks.test/done"
WORDS = [NodeValue("6", "text", "a red boat")]


@dataclass
class Site:
    """A simulator with a client of it, and what its webhooks were told."""

    client: RunningHub
    folder: Path
    told: list[str]

    async def place(self, order: Order) -> str:
        """Place an order and return the id of its task."""
        return (await self.client.submit(order.endpoint, order.payload)).task_id

    async def end_of(self, task_id: str) -> TaskState:
        """Return a task once it has ended."""
        return await self.until(lambda: self.client.query(task_id), lambda state: state.ended)

    async def until(self, look: Callable[[], Awaitable[T]], found: Callable[[T], bool]) -> T:
        """Look again and again until what is there is what is looked for."""
        for _ in range(5000):
            if found(seen := await look()):
                return seen
            await asyncio.sleep(0.002)
        raise TimeoutError

    async def heard(self) -> list[str]:
        """Return the addresses that webhooks were told at so far."""
        return self.told

    async def picture(self) -> str:
        """Return a picture that nodes can read."""
        path = self.folder / "photo.png"
        Image.new("RGB", (64, 64), "teal").save(path)
        return (await self.client.upload_old(path, "photo.png", "image/png")).file_name


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    app = create_app(Catalog.load(), SimulatorConfig(speed=5000, most=64))
    told: list[str] = []

    def heard(request: httpx.Request) -> httpx.Response:
        told.append(str(request.url))
        return httpx.Response(200)

    app.state.simulator.webhooks.transport = httpx.MockTransport(heard)
    key = Secret("an-account-of-the-tests")
    async with RunningHub(Connection(SITE, key, "simulated"), transport=httpx.ASGITransport(app=app)) as client:
        yield Site(client, tmp_path, told)
    app.state.simulator.close()


async def made(site: Site, order: Order) -> None:
    """See that an order ends in a file that is a picture."""
    state = await site.end_of(await site.place(order))
    path = site.folder / "made"
    await site.client.download(next(each.url for each in state.results if each.url), path)
    with Image.open(path) as picture:
        assert min(picture.size) > 8


async def submit(site: Site) -> None:
    model = next(each for each in Catalog.load().all() if each.tasks == ("text-to-image",) and each.callable)
    needed = [each for each in model.fields if each.required and (each.name == "prompt" or each.default is not None)]
    inputs = {each.name: "a boat" if each.name == "prompt" else each.default for each in needed}
    await made(site, orders.model(model.endpoint, inputs))


async def query(site: Site) -> None:
    assert (await site.end_of(await site.place(orders.workflow(PAINT)))).status == "SUCCESS"


async def create(site: Site) -> None:
    await made(site, orders.workflow(PAINT, WORDS))


async def run_workflow(site: Site) -> None:
    await made(site, orders.workflow_v2(PAINT, WORDS))


async def run_app(site: Site) -> None:
    await made(site, orders.app(POSTER, WORDS))


async def run_app_v1(site: Site) -> None:
    await made(site, orders.app_v1(POSTER, WORDS))


async def quick_create(site: Site) -> None:
    await made(site, orders.quick_create(PHOTO, "002", [NodeValue("1", "image", await site.picture())]))


async def upload_old(site: Site) -> None:
    await made(site, orders.workflow(RESTYLE, [NodeValue("1", "image", await site.picture())]))


async def upload(site: Site) -> None:
    await site.picture()
    uploaded = await site.client.upload(site.folder / "photo.png", "photo.png", "image/png")
    assert uploaded.url is not None
    await site.client.download(uploaded.url, site.folder / "back.png")
    assert (site.folder / "back.png").read_bytes() == (site.folder / "photo.png").read_bytes()


async def price_preview(site: Site) -> None:
    model = Catalog.load().default_for("text-to-image")
    assert model is not None
    quote = await site.client.price_preview(model.endpoint, {"prompt": "a boat", "aspectRatio": "1:1"})
    assert quote.price is not None


async def workflow_json(site: Site) -> None:
    assert (await site.client.workflow_graph(PAINT))["6"]["inputs"]["text"]


async def status(site: Site) -> None:
    task = await site.place(orders.workflow(PAINT))
    await site.end_of(task)
    assert (await site.client.status(task)).status == "SUCCESS"


async def outputs(site: Site) -> None:
    task = await site.place(orders.workflow(PAINT))
    await site.end_of(task)
    found = await site.client.outputs(task)
    assert found.results[0].node_id and found.results[0].url


async def cancel(site: Site) -> None:
    task = await site.place(orders.workflow(PAINT))
    await site.client.cancel(task)
    assert (await site.end_of(task)).ended


async def lora_url(site: Site) -> None:
    (site.folder / "ink.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    assert (await site.client.upload_lora(site.folder / "ink.safetensors", "ink.safetensors")).startswith("api-lora")


async def app_demo(site: Site) -> None:
    assert "6.text" in [each.name for each in (await site.client.app_demo(POSTER)).inputs]


async def app_list(site: Site) -> None:
    assert POSTER in [each.id for each in (await site.client.app_list()).items]


async def style_params(site: Site) -> None:
    assert (await site.client.styles(PHOTO))[0].name


async def webhook(site: Site) -> None:
    order = orders.workflow(PAINT)
    await site.end_of(await site.place(Order(order.endpoint, {**order.payload, "webhookUrl": HOOK})))
    assert await site.until(site.heard, bool) == [HOOK]


async def webhook_detail(site: Site) -> None:
    order = orders.workflow(PAINT)
    task = await site.place(Order(order.endpoint, {**order.payload, "webhookUrl": HOOK}))
    await site.end_of(task)
    await site.until(site.heard, bool)
    event = await site.client.webhook_detail(task)
    assert event is not None and event.id
    await site.client.webhook_resend(event.id, f"{HOOK}/again")
    assert (await site.until(site.heard, lambda told: len(told) == 2))[-1] == f"{HOOK}/again"


async def account_status(site: Site) -> None:
    before = (await site.client.account_status()).coins
    await made(site, orders.workflow(PAINT))
    after = (await site.client.account_status()).coins
    assert before is not None and after is not None and after < before


async def queue_status(site: Site) -> None:
    assert (await site.client.queue_status()).limit == 50


async def key_list(site: Site) -> None:
    assert all("an-account-of-the-tests" not in each.masked for each in await site.client.api_keys())


async def resource_list(site: Site) -> None:
    assert (await site.client.resources("CHECKPOINT")).items[0].node_value


async def assets(site: Site) -> None:
    client = site.client
    await site.picture()
    link = (await client.upload(site.folder / "photo.png", "photo.png", "image/png")).url
    group = await client.asset_group_create("heroes")
    await client.asset_group_rename(group.id, "villains")
    assert (await client.asset_group(group.id)).name == "villains"
    assert [each.id for each in (await client.asset_groups()).items] == [group.id]
    asset = await client.asset_create(group.id, str(link), "Image", "hero")
    await client.asset_rename(asset.id, "heroine")
    assert (await client.asset(asset.id)).id == asset.id
    assert [each.id for each in (await client.assets(group.id)).items] == [asset.id]
    await client.asset_delete(asset.id)
    await client.asset_group_delete(group.id)
    assert not (await client.asset_groups()).items


async def gateway(site: Site) -> None:
    client, photo = site.client, site.folder / "photo.png"
    await site.picture()
    classes = await client.node_classes()
    assert classes["LoadImage"] == (await client.node_classes("LoadImage"))["LoadImage"]
    assert (await client.machine_stats("proxy-plus"))["devices"]
    name = await client.gateway_upload(photo, "photo.png", "image/png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": name}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "mine/x"}},
    }
    await made(site, orders.prompt(graph, client_id="me"))
    assert [state.status for state in (await client.gateway_history()).values()] == ["SUCCESS"]
    prompt = await site.place(orders.prompt(graph))
    await client.cancel(prompt)
    assert (await client.query(prompt)).ended
    assert not await client.gateway_queue()


SHOWN: dict[str, Callable[[Site], Awaitable[None]]] = {
    "submit": submit, "query": query, "create": create, "run-workflow": run_workflow, "run-app": run_app,
    "run-app-v1": run_app_v1, "quick-create": quick_create, "upload": upload, "upload-old": upload_old,
    "price-preview": price_preview, "workflow-json": workflow_json, "status": status, "outputs": outputs,
    "cancel": cancel, "lora-url": lora_url, "app-demo": app_demo, "app-list": app_list, "style-params": style_params,
    "webhook": webhook, "webhook-detail": webhook_detail, "account-status": account_status,
    "queue-status": queue_status, "key-list": key_list, "resource-list": resource_list, "assets-list": assets,
    "gateway-prompt": gateway,
}  # fmt: skip
TOGETHER = {  # shown with another
    "webhook-resend": "webhook-detail", "assets-create": "assets-list", "assets-query": "assets-list",
    "assets-update": "assets-list", "assets-delete": "assets-list", "assets-groups-create": "assets-list",
    "assets-groups-query": "assets-list", "assets-groups-list": "assets-list", "assets-groups-update": "assets-list",
    "assets-groups-delete": "assets-list",
    "gateway-queue": "gateway-prompt", "gateway-queue-change": "gateway-prompt", "gateway-interrupt": "gateway-prompt",
    "gateway-history": "gateway-prompt", "gateway-history-of": "gateway-prompt", "gateway-view": "gateway-prompt",
    "gateway-upload": "gateway-prompt", "gateway-object-info": "gateway-prompt",
    "gateway-object-info-of": "gateway-prompt", "gateway-system-stats": "gateway-prompt",
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
async def test_an_operation_works(name: str, site: Site) -> None:
    await SHOWN[name](site)


def test_no_operation_is_left_out() -> None:
    written = {path.name.removesuffix(".schema.json") for path in (ROOT / "schemas" / "api").glob("*.json")}
    assert written == SHOWN.keys() | TOGETHER.keys()
