"""From a call of a hosted model to work that can begin: checks, media, the job."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from rhflow.core.canonical import digest
from rhflow.core.kinds import Model
from rhflow.core.values import Json
from rhflow.simulator.accounts import Account
from rhflow.simulator.job import InputError, Job, media_links
from rhflow.simulator.models import Media, ModelCall, oversized, preview_of, seconds_asked, typical_seconds
from rhflow.simulator.replies import RefusalError, Reply
from rhflow.simulator.simulator import Order, Simulator
from rhflow.simulator.tasks import Task, Ticket
from rhflow.simulator.validate import problem_in
from rhflow.simulator.workshop import Product, folder_for


async def order_model(
    simulator: Simulator, account: Account, model: Model, payload: Mapping[str, Json], *, base: str
) -> Task:
    """Begin a call of a hosted model. Raises RefusalError when it cannot be."""
    if account.kind != "SHARED":
        raise RefusalError("1014")
    inputs = {name: value for name, value in payload.items() if name != "webhookUrl"}
    media, missing = await _checked(simulator, model, payload)
    simulator.check_room(account)
    ticket = Ticket(webhook=str(payload.get("webhookUrl", "")), base=base)
    return simulator.accept(account, _order(simulator, ModelCall(model, inputs), media, missing=missing, ticket=ticket))


async def price_preview(simulator: Simulator, model: Model, payload: Mapping[str, Json]) -> Reply:
    """Return the price of a call. Raises the refusal that the call would get."""
    media, _ = await _checked(simulator, model, payload)
    return preview_of(model, payload, media)


async def _checked(simulator: Simulator, model: Model, payload: Mapping[str, Json]) -> tuple[Media, str | None]:
    """Return the media inputs, and the first link that cannot be read. Raises RefusalError for a wrong payload."""
    if (why := problem_in(model, payload)) is not None:
        raise RefusalError("1007", why)
    media, missing = await _media(simulator, model, payload)
    if (why := oversized(model, media)) is not None:
        raise RefusalError("1008", why)
    return media, missing


async def _media(simulator: Simulator, model: Model, inputs: Mapping[str, Json]) -> tuple[Media, str | None]:
    """Return the media inputs that can be read here, by field, and the first link that cannot."""
    found: Media = {}
    missing: str | None = None
    for field, link in media_links(model, inputs):
        file = await simulator.file_at(link)
        if file is None:
            missing = missing or link[:200]
        else:
            found.setdefault(field.name, []).append(file)
    return found, missing


def _order(simulator: Simulator, call: ModelCall, media: Media, *, missing: str | None, ticket: Ticket) -> Order:
    contents: dict[str, Any] = {
        **call.inputs,
        **{name: [each.digest for each in files] for name, files in media.items()},
    }
    key = digest("simulated", {"endpoint": call.endpoint, "inputs": contents})
    seed = int(key[:12], 16)
    queue, run = typical_seconds(call.model, length=seconds_asked(call.inputs, media), seed=seed)
    product: Future[Product]
    if missing is None:
        paths = {name: tuple(each.path for each in files) for name, files in media.items()}
        folder, workshop = folder_for(simulator.files.folder, key), simulator.workshop
        job = Job(call.model, call.inputs, paths, seed, folder, most=simulator.config.most, stop=workshop.stop)
        product = workshop.start(key, job)
    else:
        product, run = Future(), min(run, 2.0)
        product.set_exception(InputError("1013", f"cannot fetch {missing}"))
    return Order(call, key, product, queue, run, ticket)
