"""How close a run comes to its ideal duration: calls that take a given time, through the engine and through HTTP."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import generate
import rig
from PIL import Image
from table import Rows

from rhflow.app.request import Request
from rhflow.app.runs.prepare import prepared
from rhflow.app.runs.run import run
from rhflow.cli.main import collect_seldom
from rhflow.settings import Settings

CHAIN = {"upload": 0.1, "image-to-image": 0.5, "image-to-video": 1.5, "upscale": 0.8}


def main() -> int:
    """Measure and return 1 when a ratio is above its bound."""
    collect_seldom()
    rows = Rows()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows.add("200 calls of 1 s at once, fake executor", wide(root), 1.0, 1.15)
        rows.add("50 chains of 0.1 + 0.5 + 1.5 + 0.8 s, fake executor", deep(root), sum(CHAIN.values()), 1.15)
        rows.add("200 calls of 1 s at once, over HTTP", over_http(root, 200, 1.0), 1.0)
        rows.add("20 calls of 5 s at once, over HTTP", over_http(root, 20, 5.0), 5.0)
    return int(rows.failed)


def engine_time(recipe: Path, seconds: dict[str, float]) -> float:
    """Return how long the engine takes, loading and planning left out."""
    folder = recipe.parent
    with prepared(rig.request_for(recipe, folder / f"store-{recipe.stem}", folder / "out")) as ready:
        engine = rig.engine(ready, seconds, jobs=1000)
        return rig.timed(lambda: asyncio.run(engine.run()))


def wide(root: Path) -> float:
    """Two hundred independent calls."""
    return engine_time(generate.write(root, "wide", generate.independent(200)), {"text-to-image": 1.0})


def deep(root: Path) -> float:
    """Fifty chains of four."""
    for at in range(50):
        Image.new("RGB", (8, 8), (at, 90, 120)).save(root / f"photo{at}.png")
    return engine_time(generate.write(root, "deep", generate.chains(50)), CHAIN)


def over_http(root: Path, count: int, seconds: float) -> float:
    """Return how long a run takes, client, poller and journal included, from its first event to its end."""
    lines = [f"  s{at}: {{uses: text-to-text, with: {{prompt: text {at}}}}}" for at in range(count)]
    recipe = generate.write(root, f"http{count}", "\n".join(["rhflow: 1", "steps:", *lines, ""]))
    began: list[float] = []
    with rig.stub(seconds) as url:
        settings = Settings(root / f"store-http{count}", url)
        request = Request(recipe, settings, out=root / "out", jobs=1000)
        watcher = rig.Watch(on_start=lambda: began.append(time.perf_counter()))
        report, _ = asyncio.run(run(request, watcher))
    assert report.status == "succeeded"
    return time.perf_counter() - began[0]


if __name__ == "__main__":
    sys.exit(main())
