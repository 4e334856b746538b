"""The simulator behind a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from rhflow.catalog.catalog import Catalog
from rhflow.core.errors import Problem, UsageError
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig


def serve(host: str, port: int, *, speed: float, limit: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted; ``ready`` is told the address once connections are taken."""
    listener = _listen(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    app = create_app(Catalog.load(), SimulatorConfig(speed=speed, limit=limit))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))

    async def run() -> None:
        ready(url)
        try:
            await server.serve([listener])
        finally:
            app.state.simulator.close()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        pass  # the way to end it


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}"
        raise UsageError(Problem("port-taken", message, hint="choose another with `--port 0`")) from error
