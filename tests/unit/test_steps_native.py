"""A prompt on a server of one's own while it is waited for: asked about rarely, and at once when it may have ended."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from rhflow.runninghub.native import ComfyServer
from rhflow.steps.native import _wait
from tests.virtual import run


@pytest.mark.parametrize("told_at", [None, 10.0])
def test_its_end_is_noticed_late_unless_somebody_tells(told_at: float | None) -> None:
    async def main() -> tuple[float, int]:
        loop, over, count = asyncio.get_running_loop(), asyncio.Event(), 0

        def handler(request: httpx.Request) -> httpx.Response:
            nonlocal count
            count += 1
            return httpx.Response(200, json={"p1": {"outputs": {}}} if loop.time() >= 10.0 else {})

        if told_at is not None:
            loop.call_at(loop.time() + told_at, over.set)
        async with ComfyServer("http://127.0.0.1:8188", transport=httpx.MockTransport(handler)) as server:
            await _wait("p1", server, over)
        return loop.time(), count

    at, count = run(main)
    assert (at == 10.0) == (told_at is not None)
    assert 10.0 <= at < 12.0
    assert 5 < count < 20
