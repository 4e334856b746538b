"""The simulator behind a socket."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from rhflow.app.catalog.in_force import load_catalog
from rhflow.app.simulator.faults import load_faults
from rhflow.core.errors import Problem, UsageError
from rhflow.settings import read_settings
from rhflow.simulator.app import create_app
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.sockets import Droppable


def serve(host: str, port: int, *, config: SimulatorConfig, ready: Callable[[str], None]) -> None:
    """Serve until interrupted; ``ready`` is told the address once connections are taken."""
    listener = listen_on(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    app = create_app(load_catalog(read_settings()), config)
    server = uvicorn.Server(uvicorn.Config(app, http=Droppable, log_level="warning", lifespan="off"))

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


def configure(*, speed: float, limit: int, faults: Path | None) -> SimulatorConfig:
    """Return how a simulator shall behave; ``faults`` is a plan of what shall go wrong. Raises RhflowError."""
    most = read_settings().side
    return SimulatorConfig(speed=speed, limit=limit, most=most, faults=load_faults(faults), sockets=True)


def listen_on(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections. Raises UsageError when the port is taken."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {str(error.strerror).partition(' (while')[0]}"
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise UsageError(Problem("port-taken", message, hint="choose another with `--port 0`")) from error
        hint = "name an address of this machine, as in `--host 127.0.0.1`"
        raise UsageError(Problem("no-such-host", message, hint=hint)) from error
