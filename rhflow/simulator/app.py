"""The routes of the simulator, as a Starlette application.

It works over a socket and in process (``httpx.ASGITransport``), where there are no start-up events: nothing here
depends on one. Whoever makes an app closes it: ``app.state.simulator.close()``; under uvicorn that happens at shutdown.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rhflow.core.kinds import Model, Models
from rhflow.core.values import Json
from rhflow.simulator.clock import Clock
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.replies import KEY_UNKNOWN, refusal, wrapped_refusal
from rhflow.simulator.simulator import PREFIX, Simulator

Handler: TypeAlias = Callable[[Simulator, Request], Awaitable[Response]]
Reply: TypeAlias = dict[str, Any]
HEADER = "rhflow-simulator"
_FIXED = frozenset({"query", "media/upload/binary", "queue/status"})
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def create_app(models: Models, config: SimulatorConfig | None = None, *, clock: Clock | None = None) -> Starlette:
    """Return a simulator of the models in a catalogue; ``clock`` gives simulated seconds, for tests."""
    simulator = Simulator(models, config or SimulatorConfig(), clock=clock)
    v2 = "/openapi/v2"
    routes = [
        _route(f"{v2}/query", _query, simulator),
        _route(f"{v2}/media/upload/binary", _upload, simulator),
        _route(f"{v2}/queue/status", _queue_status, simulator, method="GET"),
        _route(f"{v2}/price-preview/{{endpoint:path}}", _preview, simulator),
        _route(f"{v2}/{{endpoint:path}}", _submit, simulator),
        Route(f"{v2}/{{path:path}}", _other_method(simulator), methods=_METHODS),
        _route(f"{PREFIX}{{name:path}}", _file, simulator, method="GET"),
        _route("/_simulator/stats", _stats, simulator, method="GET"),
        _route("/_simulator/reset", _reset, simulator),
        Route("/{path:path}", _elsewhere, methods=_METHODS),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_Signed, latency=simulator.config.latency)],
        exception_handlers={Exception: _internal_error},
        lifespan=_lifespan,
    )
    app.state.simulator = simulator
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    await run_in_threadpool(app.state.simulator.close)


def _route(path: str, handler: Handler, simulator: Simulator, *, method: str = "POST") -> Route:
    async def endpoint(request: Request) -> Response:
        return await handler(simulator, request)

    return Route(path, endpoint, methods=[method])


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


def _has_key(request: Request) -> bool:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme.casefold() == "bearer" and bool(key.strip())


async def _payload(request: Request) -> dict[str, Json] | None:
    """Return the request's JSON object, or None when there is none."""
    try:
        body = json.loads(await request.body(), parse_constant=_no_number)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _no_number(name: str) -> None:
    """Refuse what Python's reader takes for a number and JSON does not know."""
    raise ValueError(f"{name} is not JSON")


async def _with_payload(
    simulator: Simulator, request: Request, then: Callable[[Model, Mapping[str, Json]], Awaitable[Reply]]
) -> Response:
    """Check key, path and body in the service's order, then answer."""
    if not _has_key(request):
        return JSONResponse(refusal("1002"))
    if (model := simulator.model_at(request.path_params["endpoint"])) is None:
        return JSONResponse(refusal("1009" if request.path_params["endpoint"] in _FIXED else "1001"))
    if (payload := await _payload(request)) is None:
        return JSONResponse(refusal("1007", "the body must be a JSON object"))
    simulator.reached_at(str(request.base_url))
    return JSONResponse(await then(model, payload))


async def _submit(simulator: Simulator, request: Request) -> Response:
    return await _with_payload(simulator, request, simulator.submit)


async def _preview(simulator: Simulator, request: Request) -> Response:
    return await _with_payload(simulator, request, simulator.preview)


async def _query(simulator: Simulator, request: Request) -> Response:
    if not _has_key(request):
        return JSONResponse(refusal("1002"))
    payload = await _payload(request) or {}
    return JSONResponse(simulator.query(payload.get("taskId"), simulator.reached_at(str(request.base_url))))


async def _upload(simulator: Simulator, request: Request) -> Response:
    if not _has_key(request):
        return JSONResponse(wrapped_refusal(401, KEY_UNKNOWN, word="message"))
    missing = JSONResponse(wrapped_refusal(301, "PARAMS_INVALID: a part named `file` is required", word="message"))
    try:
        async with request.form() as form:
            if not isinstance(part := form.get("file"), UploadFile):
                return missing
            file = await run_in_threadpool(simulator.files.take, part.file, part.filename or "file")
    except HTTPException:  # Starlette's word for a body that is no multipart form
        return missing
    return JSONResponse(simulator.upload(file, simulator.reached_at(str(request.base_url))))


async def _queue_status(simulator: Simulator, request: Request) -> Response:
    if not _has_key(request):
        return JSONResponse(wrapped_refusal(401, KEY_UNKNOWN))
    return JSONResponse(simulator.queue_status())


async def _file(simulator: Simulator, request: Request) -> Response:
    file = simulator.files.served(request.path_params["name"])
    if file is None:
        return Response("no such file", status_code=404, media_type="text/plain")
    if request.method == "GET":
        simulator.counts["downloads"] += 1
    return FileResponse(file.path, media_type=file.info.media_type)


async def _stats(simulator: Simulator, _: Request) -> Response:
    return JSONResponse(simulator.stats())


async def _reset(simulator: Simulator, _: Request) -> Response:
    return JSONResponse(simulator.reset())


def _other_method(simulator: Simulator) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a v2 path with another method than its own: 1009 where the path exists, else 1001."""

    async def endpoint(request: Request) -> Response:
        if not _has_key(request):
            return JSONResponse(refusal("1002"))
        path = request.path_params["path"]
        known = path in _FIXED or simulator.model_at(path.removeprefix("price-preview/")) is not None
        return JSONResponse(refusal("1009" if known else "1001"))

    return endpoint


async def _elsewhere(_: Request) -> Response:
    return JSONResponse(wrapped_refusal(412, "TOKEN_INVALID"))
