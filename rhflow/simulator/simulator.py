"""The service behind the routes: accepts calls, keeps tasks and files, counts."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool

from rhflow.core.canonical import digest
from rhflow.core.kinds import Model, Models
from rhflow.core.values import Json
from rhflow.simulator.clock import Clock, faster_clock
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.files import FileStore, StoredFile
from rhflow.simulator.job import InputError, Job
from rhflow.simulator.replies import flat, refusal, wrapped
from rhflow.simulator.tasks import STATUSES, Failure, Task, price_of, typical_seconds
from rhflow.simulator.validate import problem_in
from rhflow.simulator.workshop import Product, Workshop, folder_for

PREFIX = "/files/"
Reply: TypeAlias = dict[str, Any]
Media: TypeAlias = dict[str, list[StoredFile]]


class Simulator:
    """All state of one simulated account. Its methods are called from one event loop only."""

    def __init__(self, models: Models, config: SimulatorConfig, *, clock: Clock | None = None) -> None:
        self.models, self.config = models, config
        self.clock = clock or faster_clock(config.speed)
        self.files = FileStore(config.workdir)
        self.workshop = Workshop(config.workers)
        self.counts: Counter[str] = Counter()
        self.per_endpoint: Counter[str] = Counter()
        self.peak = 0
        self._tasks: dict[str, Task] = {}
        self._active: dict[str, Task] = {}
        self._hosts: set[str] = set()
        self._ids = _ids(config.seed)

    def close(self) -> None:
        """Stop the threads and remove the temporary folder. Doing it twice is harmless."""
        self.workshop.close()
        self.files.close()

    def reached_at(self, base_url: str) -> str:
        """Remember an address under which this server is known, and return what its file links begin with."""
        address = self.config.base_url or base_url
        self._hosts |= {urlsplit(base_url).netloc, urlsplit(address).netloc}
        return address.rstrip("/") + PREFIX

    def model_at(self, endpoint: str) -> Model | None:
        """Return the model that is called at ``endpoint``."""
        model = self.models.find(endpoint)
        served = model is not None and model.endpoint == endpoint and model.status == "active"
        return model if served else None

    async def submit(self, model: Model, payload: Mapping[str, Json]) -> Reply:
        """Accept a call or refuse it."""
        self.counts["submits"] += 1
        self.per_endpoint[model.endpoint] += 1
        reply = await self._submit(model, payload)
        self.counts["accepted" if reply["taskId"] else "refused"] += 1
        return reply

    async def _submit(self, model: Model, payload: Mapping[str, Json]) -> Reply:
        if (why := problem_in(model, payload)) is not None:
            return refusal("1007", why)
        inputs = {name: value for name, value in payload.items() if name != "webhookUrl"}
        media, missing = await self._media(model, inputs)
        now = self.clock()
        if len(self._running(now)) >= self.config.limit:
            return refusal("421")
        task = self._task(model, inputs, media, missing=missing, now=now)
        self._tasks[task.id] = self._active[task.id] = task
        self.peak = max(self.peak, len(self._active))
        return flat(task.id, task.status(now))

    def _running(self, now: float) -> dict[str, Task]:
        """Return the tasks that hold a slot at ``now``."""
        done = [name for name, task in self._active.items() if task.status(now) in ("SUCCESS", "FAILED")]
        for name in done:
            del self._active[name]
        return self._active

    async def _media(self, model: Model, inputs: Mapping[str, Json]) -> tuple[Media, str | None]:
        """Return the media inputs that can be read here, by field, and the first link that cannot."""
        found: Media = {}
        missing: str | None = None
        for field in model.fields:
            if not field.is_media or field.name not in inputs:
                continue
            value = inputs[field.name]
            for link in value if isinstance(value, list) else [value]:
                file = await self._file(str(link))
                if file is None:
                    missing = missing or str(link)[:200]
                else:
                    found.setdefault(field.name, []).append(file)
        return found, missing

    async def _file(self, link: str) -> StoredFile | None:
        if link[:5].casefold() == "data:":
            return await run_in_threadpool(self.files.take_data, link)
        parts = urlsplit(link)
        _, prefix, name = parts.path.partition(PREFIX)
        return self.files.served(name) if prefix and parts.netloc in self._hosts else None

    def _task(self, model: Model, inputs: Mapping[str, Json], media: Media, *, missing: str | None, now: float) -> Task:
        contents: dict[str, Any] = {
            **inputs,
            **{name: [each.digest for each in files] for name, files in media.items()},
        }
        key = digest("simulated", {"endpoint": model.endpoint, "inputs": contents})
        seed = int(key[:12], 16)
        length = _number(inputs.get("duration")) or _length(media) or 5.0
        queue, run = typical_seconds(model, length=length, seed=seed)
        product: Future[Product]
        if missing is None:
            paths = {name: tuple(each.path for each in files) for name, files in media.items()}
            folder = folder_for(self.files.folder, key)
            job = Job(model, inputs, paths, seed, folder, most=self.config.most, stop=self.workshop.stop)
            product = self.workshop.start(key, job)
        else:
            product, run = Future(), min(run, 2.0)
            product.set_exception(InputError("1013", f"cannot fetch {missing}"))
        return Task(next(self._ids), model, inputs, product, now, queue, run)

    def query(self, task_id: Json, links: str) -> Reply:
        """Return the state of a task; ``links`` is what file links begin with."""
        self.counts["queries"] += 1
        if not isinstance(task_id, str) or not task_id:
            return refusal("1007", "`taskId` is required, as a string")
        if (task := self._tasks.get(task_id)) is None:
            return refusal("1004")
        status = task.status(self.clock())
        reply = flat(task.id, status)
        if isinstance(task.outcome, Failure):
            reply |= {"errorCode": task.outcome.code, "errorMessage": task.outcome.message}
        elif isinstance(task.outcome, Product):
            reply["results"] = self._results(task, task.outcome, links)
        cost = task.cost()
        usage = {"consumeMoney": None, "consumeCoins": None, "taskCostTime": "0", "thirdPartyConsumeMoney": cost}
        sub_task = {"taskId": int(task.id), "parentTaskId": None, "taskStatus": status, "usage": usage}
        return reply | {"failedReason": {}, "usage": usage, "parentTaskId": None, "taskUsageList": [sub_task]}

    def _results(self, task: Task, product: Product, links: str) -> list[Json]:
        """Return the result items; the first time, give every file a name of its own to be served under."""
        if not task.links:
            names = []
            for index, file in enumerate(product.files):
                name = f"output/{uuid.uuid5(uuid.NAMESPACE_OID, f'{task.id}/{index}')}{file.path.suffix}"
                self.files.serve(name, file)
                names.append(name)
            task.links = tuple(names)
        files: list[Json] = [
            {"url": links + name, "outputType": name.rpartition(".")[2], "text": None} for name in task.links
        ]
        files.extend({"url": None, "outputType": "txt", "text": text} for text in product.texts)
        return files

    async def preview(self, model: Model, payload: Mapping[str, Json]) -> Reply:
        """Return the price of a call, or the refusal that it would get."""
        if (why := problem_in(model, payload)) is not None:
            return refusal("1007", why)
        media, _ = await self._media(model, payload)
        price = price_of(model, payload, seconds=None if "duration" in payload else _length(media))
        amount = float(price.low if price.high is None else price.high)
        sign = {"CNY": "¥", "USD": "$"}.get(price.currency, "")
        return {
            "estimatedPrice": amount,
            "currency": price.currency,
            "freeLimit": False,
            "isFreeThisCall": False,
            "priceText": f"{sign}{amount:.2f}/次",
            "priceTextEn": f"{price.currency} {amount:.2f}/call",
            "remainingFreeLimitCount": "0",
            "freeLimitCount": "0",
        }

    def upload(self, file: StoredFile, links: str) -> Reply:
        """Serve an uploaded file from now on and return the reply."""
        self.counts["uploads"] += 1
        name = f"openapi/{file.path.name}"
        self.files.serve(f"input/{name}", file)
        family = file.info.media_type.partition("/")[0]
        data: Json = {
            "type": family if family in ("image", "video", "audio") else "file",
            "download_url": f"{links}input/{name}",
            "fileName": name,
            "size": str(file.size),
        }
        return wrapped(data, word="message")

    def queue_status(self) -> Reply:
        """Return how much of the limit is taken."""
        now = self.clock()
        states = Counter(task.status(now) for task in self._running(now).values())
        return wrapped(
            {
                "apiKeyType": "SHARED",
                "concurrentLimit": self.config.limit,
                "runningCount": str(states["RUNNING"]),
                "queuedCount": str(states["QUEUED"]),
                "totalCurrentTasks": str(states.total()),
            }
        )

    def stats(self) -> Reply:
        """Return what has happened since the start or the last reset."""
        now = self.clock()
        states = Counter(task.status(now) for task in self._tasks.values())
        names = ("submits", "accepted", "refused", "queries", "uploads", "downloads")
        return {
            **{name: self.counts[name] for name in names},
            "speed": self.config.speed,
            "peak_concurrency": self.peak,
            "per_endpoint": dict(self.per_endpoint),
            "tasks": {status: states[status] for status in STATUSES},
        }

    def reset(self) -> Reply:
        """Forget the counts and the finished tasks; files stay."""
        running = self._running(self.clock())
        self._tasks = dict(running)
        self.counts.clear()
        self.per_endpoint.clear()
        self.peak = len(running)
        return self.stats()


def _ids(seed: int | None) -> Iterator[str]:
    """Yield task ids: 19 digits, too long for a double. Without a seed they grow with the calendar."""
    start = 2_000_000_000_000_000_001 + (
        time.time_ns() // 1000 * 100 if seed is None else random.Random(seed).randrange(10**17)
    )
    for step in itertools.count():
        yield str(start + 4099 * step)


def _number(value: Json) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if number > 0 else None


def _length(media: Media) -> float | None:
    """Return the length of the first clip or sound among the inputs, in seconds."""
    lengths = (each.info.duration for files in media.values() for each in files)
    return next((length for length in lengths if length), None)
