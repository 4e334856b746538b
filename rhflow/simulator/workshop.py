"""Where results are made: a few threads, and each result at most once.

Threads and not processes: Pillow and FFmpeg let go of the interpreter while they work.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhflow.media.errors import UnreadableMediaError
from rhflow.simulator.files import StoredFile, stored
from rhflow.simulator.job import InputError, Made, NodeError, StoppedError
from rhflow.simulator.samples import AnyJob, make

log = logging.getLogger("rhflow.simulator")


@dataclass(frozen=True, slots=True)
class Product:
    """What a task gave: files in order, texts, the length in seconds where there is one, the nodes of the files."""

    files: tuple[StoredFile, ...]
    texts: tuple[str, ...]
    seconds: float | None
    nodes: tuple[str, ...] = ()


class Workshop:
    """Starts jobs in the background; equal jobs share one result. Threads start with the first job."""

    def __init__(self, workers: int, *, maker: Callable[[Any], Made] = make) -> None:
        self.stop = threading.Event()
        self._workers, self._maker = workers, maker
        self._pool: ThreadPoolExecutor | None = None
        self._known: dict[str, Future[Product]] = {}

    def start(self, key: str, job: AnyJob) -> Future[Product]:
        """Return the product of ``job`` to come; ``key`` is equal for equal jobs."""
        if (known := self._known.get(key)) is not None:
            return known
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="rhflow-simulator")
        self._known[key] = future = self._pool.submit(self._make, job)
        return future

    def _make(self, job: AnyJob) -> Product:
        if self.stop.is_set():
            raise StoppedError
        try:
            job.folder.mkdir(parents=True, exist_ok=True)
            made = self._maker(job)
            return Product(tuple(map(stored, made.files)), made.texts, made.seconds, made.nodes)
        except (InputError, NodeError, UnreadableMediaError, StoppedError):
            raise
        except Exception:
            log.exception("making a result of %s failed", job.title)
            raise

    def close(self) -> None:
        """Stop what is being made, drop what waits, and wait for the threads to end."""
        self.stop.set()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        self._known.clear()


def folder_for(root: Path, key: str) -> Path:
    """Return the folder for the files of the job ``key``."""
    return root / "made" / key[:32]
