"""The simulator as a Starlette application.

It works over a socket and in process (``httpx.ASGITransport``), where there are no start-up events: nothing here
depends on one. Whoever makes an app closes it: ``app.state.simulator.close()``; under uvicorn that happens at shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rhflow.core.kinds import Models
from rhflow.simulator.clock import Clock
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.fault_layer import FaultLayer
from rhflow.simulator.replies import RefusalError, refusal
from rhflow.simulator.routes import comfyui
from rhflow.simulator.routes.control import control_routes
from rhflow.simulator.routes.listening import listening_routes
from rhflow.simulator.routes.operation import bearer
from rhflow.simulator.routes.progress import progress_route
from rhflow.simulator.routes.table import OPERATIONS
from rhflow.simulator.routes.uploads import storage
from rhflow.simulator.simulator import Simulator

HEADER = "rhflow-simulator"
_V2 = "/openapi/v2/"


def create_app(models: Models, config: SimulatorConfig | None = None, *, clock: Clock | None = None) -> Starlette:
    """Return a simulator of the models in a catalogue; ``clock`` gives simulated seconds, for tests."""
    simulator = Simulator(models, config or SimulatorConfig(), clock=clock)
    elsewhere = _elsewhere(simulator)
    app = Starlette(
        routes=[
            *(operation.route(simulator) for operation in (*OPERATIONS, *comfyui.elsewhere())),
            *storage(simulator),
            *control_routes(simulator),
            progress_route(simulator),
            *listening_routes(simulator),
        ],
        middleware=[
            Middleware(_Signed, latency=simulator.config.latency),
            Middleware(FaultLayer, simulator=simulator),
        ],
        exception_handlers={
            404: elsewhere,
            405: elsewhere,
            Exception: _internal_error,
            ClientDisconnect: _hung_up,
        },
        lifespan=_lifespan,
    )
    app.state.simulator = simulator
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    await run_in_threadpool(app.state.simulator.close)


class _Signed:
    """Says in every reply that it is simulated, and takes its time where that is wanted."""

    def __init__(self, app: ASGIApp, *, latency: float) -> None:
        self._app, self._latency = app, latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = "1"
            await send(message)

        if scope["type"] == "http" and self._latency > 0:
            await asyncio.sleep(self._latency)
        await self._app(scope, receive, signed)


async def _internal_error(_: Request, __: Exception) -> Response:
    """Answer as the service does; Starlette raises the error on, so the server logs it."""
    return JSONResponse(refusal("1005"), status_code=500, headers={HEADER: "1"})


async def _hung_up(_: Request, __: Exception) -> Response:
    """Answer a client that is no more, before its request was whole: nobody reads it, and nothing is wrong here."""
    return Response(status_code=400)


def _elsewhere(simulator: Simulator) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers a path that is nobody's, or another method than its own.

    The older family knows neither: whatever it cannot place is a matter of the token. The newer says 1009 where the
    path exists, else 1001.
    """

    async def answer(request: Request, _: Exception) -> Response:
        path = request.url.path
        if not path.startswith(_V2):
            return JSONResponse(RefusalError("412").reply("wrapped"))
        if not bearer(request):
            return JSONResponse(refusal("1002"))
        return JSONResponse(refusal("1009" if _exists(simulator, path) else "1001"))

    return answer


def _exists(simulator: Simulator, path: str) -> bool:
    endpoint = path.removeprefix(_V2)
    fixed = any(each.path == path for each in OPERATIONS) or endpoint.startswith(("run/ai-app/", "run/workflow/"))
    return fixed or simulator.model_at(endpoint.removeprefix("price-preview/")) is not None
