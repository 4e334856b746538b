"""What a large file costs on its way to the service and back: memory, and time against a plain copy with its digest."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import shutil
import struct
import sys
import tempfile
from pathlib import Path

import rig
from PIL import Image
from table import Rows

from rhflow.app.recipes.files import LocalFiles
from rhflow.media.video import encode
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.steps.vault import Vault
from rhflow.store.store import Store

MEMORY = 100


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mb", type=int, default=64, help="size of the file")
    size = arguments.parse_args().mb * 1_000_000
    rows = Rows()
    with tempfile.TemporaryDirectory() as folder:
        file = clip(Path(folder) / "clip.mp4", size)
        plain = rig.timed(lambda: copy(file, Path(folder) / "copy.mp4"))
        with rig.serving("stub_files.py", str(file)) as url:
            up = rig.timed(lambda: asyncio.run(upload(file, url, Path(folder) / "there")))
            rows.add(f"upload of {size / 1e6:g} MB / copy with digest", up, plain)
            rows.add("most memory so far, MB", rig.most_memory(), MEMORY, 1.0)
            down = rig.timed(lambda: asyncio.run(download(f"{url}/result.mp4", size, Path(folder) / "here")))
            rows.add(f"download of {size / 1e6:g} MB / copy with digest", down, plain)
            rows.add("most memory, MB", rig.most_memory(), MEMORY, 1.0)
    return int(rows.failed)


def clip(path: Path, size: int) -> Path:
    """Write a clip of one second that is blown up to ``size`` bytes: whoever probes it must find its way."""
    encode(path, [Image.new("RGB", (64, 64), (8 * at, 40, 40)) for at in range(24)])
    with path.open("ab") as file:
        file.write(struct.pack(">I4sQ", 1, b"free", size - file.tell()))
        file.truncate(size)
    return path


def copy(source: Path, target: Path) -> None:
    """Copy a file and take its digest, as one would by hand."""
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    target.unlink()


async def upload(file: Path, url: str, store: Path) -> None:
    """Bring a local file to the service as a step would: look at it, keep it, send it."""
    with Store.open(store) as opened:
        artifact = LocalFiles(opened, file.parent)(file.name)
        async with hub(url) as client:
            await Vault(client, opened.blobs, opened.links, site=url).link(artifact)
    shutil.rmtree(store)


async def download(url: str, size: int, store: Path) -> None:
    """Bring a result home as a step would: fetch it, look at it, keep it."""
    with Store.open(store) as opened:
        async with hub(url.rpartition("/")[0]) as client:
            artifact = await Vault(client, opened.blobs, opened.links, site=url).fetch(url, "clip", "mp4")
    assert (artifact.size, artifact.duration) == (size, 1.0)
    shutil.rmtree(store)


def hub(url: str) -> RunningHub:
    """Return a client of the stub."""
    return RunningHub(Connection(url, Secret("a-key"), "simulated"))


if __name__ == "__main__":
    sys.exit(main())
