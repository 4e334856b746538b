"""What the tests of the store share: entries to keep, and child processes that use the same store."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import rhflow
from rhflow.core.events import Event
from rhflow.core.values import Artifact, Entry, Outputs
from rhflow.store.store import Store


def entry(key: str, *files: Artifact, texts: tuple[str, ...] = (), **ingredients: object) -> Entry:
    return Entry(key=key, outputs=Outputs(files, texts), ingredients=ingredients, created=1.0)


def picture(store: Store, content: bytes = b"pixels") -> Artifact:
    """Keep ``content`` as a blob and return an artifact for it."""
    return Artifact(store.blobs.ingest_bytes(content), "image/png", len(content), "picture.png")


def intent(key: str, *, run: str = "r1", node: str = "draw") -> Event:
    return Event(run, 1.0, "submit.intent", node, {"key": key, "endpoint": "/x"})


def accepted(key: str, task_id: str, *, run: str = "r1", node: str = "draw") -> Event:
    return Event(run, 2.0, "submit.accepted", node, {"key": key, "task_id": task_id})


def settled(key: str, outcome: str = "succeeded", *, run: str = "r1", node: str = "draw") -> Event:
    return Event(run, 3.0, "submit.settled", node, {"key": key, "outcome": outcome})


@contextmanager
def child(code: str, *arguments: object):
    """Run Python ``code`` in a new process, given ``arguments`` as ``sys.argv[1:]``; it is killed at the end."""
    environment = os.environ | {"PYTHONPATH": str(Path(rhflow.__file__).parent.parent), "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        encoding="utf-8",
    )
    try:
        with process:
            try:
                yield process
            finally:
                process.kill()
    finally:
        process.wait()


def say(process: subprocess.Popen[str], word: str = "go") -> None:
    assert process.stdin is not None
    process.stdin.write(word + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
