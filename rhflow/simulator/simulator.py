"""The service behind the routes: keeps accounts, tasks and files, accepts work, counts."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool

from rhflow.core.kinds import Model, Models
from rhflow.simulator.accounts import Account, Accounts, Site
from rhflow.simulator.clock import Clock, faster_clock
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.fault_injector import Injector
from rhflow.simulator.files import PREFIX, FileStore, StoredFile
from rhflow.simulator.library import Library
from rhflow.simulator.replies import RefusalError, Reply
from rhflow.simulator.tasks import STATUSES, Task, Ticket, Work
from rhflow.simulator.webhooks import Webhooks
from rhflow.simulator.workshop import Product, Workshop


@dataclass(frozen=True, slots=True)
class Order:
    """Work that an account asks for, ready to begin.

    ``key`` is equal for equal orders; ``queue`` and ``run`` are how long it waits and works, in simulated seconds.
    ``may_wait``: whether it may stand in the personal queue when all machines are busy.
    """

    work: Work
    key: str
    product: Future[Product]
    queue: float
    run: float
    ticket: Ticket = field(default_factory=Ticket)
    may_wait: bool = False


class Simulator:
    """All state of a simulated service. Its methods are called from one event loop only."""

    def __init__(self, models: Models, config: SimulatorConfig, *, clock: Clock | None = None) -> None:
        self.models, self.config = models, config
        self.clock = clock or faster_clock(config.speed)
        self.files = FileStore(config.workdir)
        self.workshop = Workshop(config.workers)
        self.faults = Injector(config.faults)
        self.limit = config.limit
        self.accounts = Accounts()
        self.local = Account("", config.site, 1, frozenset({"exclusive"}))  # a ComfyUI that nobody pays for
        self.library = Library()
        self.webhooks = Webhooks(self)
        self.counts: Counter[str] = Counter()
        self.per_endpoint: Counter[str] = Counter()
        self.peak = 0
        self._tasks: dict[str, Task] = {}
        self._taken: dict[str, float] = {}
        self._hosts: set[str] = set()
        self._ids = _ids(config.seed)

    def close(self) -> None:
        """Stop the threads and remove the temporary folder. Doing it twice is harmless."""
        self.workshop.close()
        self.files.close()

    # --- addresses and files -----------------------------------------------------------------------------------------

    def reached_at(self, base_url: str) -> str:
        """Remember an address under which this server is known, and return what its links begin with, without slash."""
        address = self.config.base_url or base_url
        self._hosts |= {urlsplit(base_url).netloc, urlsplit(address).netloc}
        return address.rstrip("/")

    async def file_at(self, link: str) -> StoredFile | None:
        """Return the file that a link or a ``data:`` URI leads to, or None when it cannot be read here."""
        if link[:5].casefold() == "data:":
            return await run_in_threadpool(self.files.take_data, link)
        return self.file_by_link(link)

    def file_by_link(self, link: str) -> StoredFile | None:
        """Return the file that a link to this server or to an asset leads to."""
        if link.startswith("asset://"):
            asset = self.library.assets.ready(link.removeprefix("asset://"), self.clock())
            return None if asset is None else self.file_by_link(asset.url)
        parts = urlsplit(link)
        _, prefix, name = parts.path.partition(PREFIX)
        return self.served(name) if prefix and parts.netloc in self._hosts else None

    def served(self, name: str) -> StoredFile | None:
        """Return the file that is served under ``name`` now."""
        now = self.clock()
        lost = now - self._taken.get(name, now) > self.config.link_seconds * self.config.speed
        return None if lost or self.faults.dead(name, now) else self.files.served(name)

    def take_in(self, file: StoredFile, prefix: str) -> str:
        """Serve an uploaded file from now on, and return its name for the loaders of graphs."""
        self.counts["uploads"] += 1
        name = f"{prefix}{file.path.name}"
        self.files.serve(f"input/{name}", file)
        self._taken[f"input/{name}"] = self.clock()
        self.faults.linked("upload", [f"input/{name}"], self.clock())
        return name

    def links_of(self, task: Task, product: Product) -> tuple[str, ...]:
        """Return the names under which results are served: one of its own for each, a new one when that expired."""
        now = self.clock()
        if not task.links or any(self.faults.dead(name, now) for name in task.links):
            names = []
            for index, file in enumerate(product.files):
                own = f"{task.id}/{index}/{now}" if task.links else f"{task.id}/{index}"
                name = f"output/{uuid.uuid5(uuid.NAMESPACE_OID, own)}{file.path.suffix}"
                self.files.serve(name, file)
                names.append(name)
            task.links = tuple(names)
            self.faults.linked("query", names, now, task_id=task.id)
        return task.links

    def text_link(self, name: str, text: str) -> str:
        """Return the name under which a text is served as a file: the older interface gives nothing but files."""
        link = f"output/{name}.txt"
        if self.files.served(link) is None:
            self.files.serve(link, self.files.take(io.BytesIO(text.encode()), "text.txt"))
        return link

    # --- tasks -------------------------------------------------------------------------------------------------------

    def model_at(self, endpoint: str) -> Model | None:
        """Return the model that is called at ``endpoint``."""
        model = self.models.find(endpoint)
        served = model is not None and model.endpoint == endpoint and model.status == "active"
        return model if served else None

    @contextlib.contextmanager
    def counted(self, endpoint: str) -> Iterator[None]:
        """Count what goes on inside as a submit, accepted or refused."""
        self.counts["submits"] += 1
        self.per_endpoint[endpoint] += 1
        try:
            yield
        except RefusalError:
            self.counts["refused"] += 1
            raise
        self.counts["accepted"] += 1

    def check_room(self, account: Account, *, may_wait: bool = False) -> None:
        """Raise RefusalError when the account may not begin another task now."""
        if account.is_broke:
            raise RefusalError("416" if account.kind == "NORMAL" else "812")
        over = len(account.holding(self.clock())) - self.limit_of(account)
        if over < 0:
            return
        if account.kind != "EXCLUSIVE":
            raise RefusalError("421")
        if not may_wait:
            raise RefusalError("415")
        if over >= self.config.waiting:
            raise RefusalError("814")

    def accept(self, account: Account, order: Order) -> Task:
        """Begin a task. Raises RefusalError when the account has no room for it."""
        self.check_room(account, may_wait=order.may_wait)
        now = self.clock()
        queue = max(order.queue, self._free_at(account, now) - now)
        task = Task(next(self._ids), account, order.work, order.product, now, queue, order.run, order.key, order.ticket)
        self._tasks[task.id] = account.active[task.id] = task
        self.faults.accepted(task)
        self.peak = max(self.peak, len(account.active))
        if task.ticket.webhook:
            self.webhooks.watch(task)
        return task

    def limit_of(self, account: Account) -> int:
        """Return how many tasks the account may have at once."""
        return self.limit if account.limit is None else min(account.limit, self.limit)

    def _free_at(self, account: Account, now: float) -> float:
        """Return when a slot is free for one more task: now, or when enough of those before it have ended."""
        dues = sorted(task.due for task in account.holding(now).values())
        over = len(dues) - self.limit_of(account)
        return dues[over] if over >= 0 else now

    def task(self, account: Account, task_id: str) -> Task | None:
        """Return the account's task with this id."""
        task = self._tasks.get(task_id)
        return task if task is not None and task.account is account else None

    def task_of_client(self, client_id: str) -> Task | None:
        """Return the task to which a progress socket belongs."""
        return next((task for task in self._tasks.values() if task.ticket.client_id == client_id), None)

    # --- counts ------------------------------------------------------------------------------------------------------

    def stats(self) -> Reply:
        """Return what has happened since the start or the last reset."""
        now = self.clock()
        states = Counter(task.status(now) for task in self._tasks.values())
        names = ("submits", "accepted", "refused", "queries", "uploads", "downloads", "webhooks")
        return {
            **{name: self.counts[name] for name in names},
            "speed": self.config.speed,
            "peak_concurrency": self.peak,
            "per_endpoint": dict(self.per_endpoint),
            "tasks": {status: states[status] for status in STATUSES},
            **self.faults.stats(),
        }

    def reset(self) -> Reply:
        """Forget the counts and the finished tasks; files stay."""
        everybody = (*self.accounts.all(), self.local)
        running = [account.holding(self.clock()) for account in everybody]
        for account in everybody:
            account.prompts.keep(account.active)
        self._tasks = {name: task for tasks in running for name, task in tasks.items()}
        self.counts.clear()
        self.per_endpoint.clear()
        self.faults.reset()
        self.limit = self.config.limit
        self.peak = max(map(len, running), default=0)
        return self.stats()


def site_of(host: str, default: Site) -> Site:
    """Return the site whose name a request came to; any other name is that of the simulator's own site."""
    return "ai" if host.endswith("runninghub.ai") else "cn" if host.endswith("runninghub.cn") else default


def _ids(seed: int | None) -> Iterator[str]:
    """Yield task ids: 19 digits, too long for a double. Without a seed they grow with the calendar."""
    start = 2_000_000_000_000_000_001 + (
        time.time_ns() // 1000 * 100 if seed is None else random.Random(seed).randrange(10**17)
    )
    for step in itertools.count():
        yield str(start + 4099 * step)
