"""What every operation has in common: who asks, in which envelope it is answered, how it is refused."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rhflow.core.values import Json
from rhflow.simulator.accounts import Account
from rhflow.simulator.replies import Envelope, RefusalError, Reply
from rhflow.simulator.simulator import Simulator, site_of

KeyPlace = Literal["bearer", "header", "apiKey", "apikey", "query", "form", "path", "any-path", "none"]
_OWN_NAMES = (".runninghub.cn", ".runninghub.ai")


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: who asks, what for, and what links in the reply begin with (``base``, without a slash).

    ``given`` is the JSON object that came with it, None where there was none.
    """

    simulator: Simulator
    account: Account
    operation: Operation
    given: Mapping[str, Json] | None
    base: str
    request: Request

    @property
    def body(self) -> Mapping[str, Json]:
        """The JSON object that came with the request. Raises RefusalError where there is none."""
        if self.given is None:
            raise RefusalError(self.operation.wrong_input, "the body must be a JSON object")
        return self.given

    def text(self, name: str) -> str:
        """Return a member that must be a text that is not blank; a number counts. Raises RefusalError."""
        value = self.body.get(name)
        found = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if not found:
            raise RefusalError("301", f"`{name}` is required")
        return found


Handler: TypeAlias = Callable[[Visit], Awaitable[Reply | Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its name (that of its schema in ``schemas/api``), where it is, how it is asked and answered.

    ``key`` is where the key is looked for: ``bearer`` only in the header, ``header`` there with or without the word
    ``Bearer``; ``apiKey`` and ``apikey`` in the body, ``query`` in the address, each of these or in the header;
    ``path`` in the path alone, ``any-path`` there too but any will do. A path without a place for it is that of a
    ComfyUI which has no accounts.
    """

    name: str
    method: str
    path: str
    handler: Handler
    envelope: Envelope = "wrapped"
    key: KeyPlace = "apiKey"

    @property
    def wrong_input(self) -> str:
        """The code for input that is wrong."""
        return "1007" if self.envelope in ("flat", "bare") else "301"

    def route(self, simulator: Simulator) -> Route:
        """Return the route that serves it."""

        async def endpoint(request: Request) -> Response:
            try:
                found = await self.handler(await self._visit(simulator, request))
                return found if isinstance(found, Response) else JSONResponse(found)
            except RefusalError as refused:
                return JSONResponse(refused.reply(self.envelope), status_code=refused.status)

        return Route(self.path, endpoint, methods=[self.method])

    async def _visit(self, simulator: Simulator, request: Request) -> Visit:
        """Check the key, as the service does before anything else."""
        given = dict(request.query_params) if self.method == "GET" else await self._given(request)
        key = bearer(request, bare=self.key == "header")
        if self.key in ("apiKey", "apikey", "query"):
            told = (given or {}).get("apiKey") or (given or {}).get("apikey")
            key = key or (told.strip() if isinstance(told, str) else "")
        in_path = self.key in ("path", "any-path")
        account = self._at_path(simulator, request) if in_path else self._admitted(simulator, request, key)
        return Visit(simulator, account, self, given, base_of(simulator, request), request)

    def _at_path(self, simulator: Simulator, request: Request) -> Account:
        key = request.path_params.get("apiKey")
        if key is None:
            return simulator.local
        account = simulator.accounts.of(key, site_of(request.url.hostname or "", simulator.config.site))
        if account.bad is not None and self.key == "path":
            raise self.key_refused(account.bad)
        return account

    def _admitted(self, simulator: Simulator, request: Request, key: str) -> Account:
        site = site_of(request.url.hostname or "", simulator.config.site)
        if not key and self.key == "form":
            return Account("", site)  # the form is read by the handler, which asks again
        if not key and self.key not in ("bearer", "header", "none"):
            raise RefusalError("301", "`apiKey` is required")
        account = simulator.accounts.of(key, site)
        code = (None if self.key == "none" else "806") if not key else account.bad
        if code is not None:
            raise self.key_refused(code)
        return account

    def key_refused(self, code: str) -> RefusalError:
        """Return how this operation says that a key is not good."""
        if self.key == "form":
            return RefusalError("-1", status=401)
        if code in ("801", "811") or (self.envelope == "wrapped" and not self.path.startswith("/openapi/v2/")):
            return RefusalError(code)
        return RefusalError("1002") if self.envelope in ("flat", "bare") else RefusalError("401")

    async def _given(self, request: Request) -> dict[str, Json] | None:
        if request.headers.get("content-type", "").startswith("multipart/"):
            return {}  # a form: whoever expects one reads it
        body = read_json(await request.body())
        return body if isinstance(body, dict) else None


def read_json(data: bytes | str) -> Any:
    """Return what a JSON text holds, None where it is none."""
    try:
        return json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> None:
    """Refuse what Python's reader takes for a number and JSON does not know."""
    raise ValueError(f"{name} is not JSON")


def bearer(request: Request, *, bare: bool = False) -> str:
    """Return the key in the header, "" where there is none; ``bare``: also one without the word before it."""
    given = request.headers.get("authorization", "").strip()
    scheme, _, key = given.partition(" ")
    if scheme.casefold() == "bearer":
        return key.strip()
    return given if bare and given.isascii() and " " not in given else ""


def base_of(simulator: Simulator, request: Request) -> str:
    """Return what links to this server begin with.

    That is the name by which it was asked, but never the service's own: clients that insist on that ``Host`` would be
    sent elsewhere, so they get the address of the socket.
    """
    host, server = request.url.hostname or "", request.scope.get("server")
    if not f".{host}".endswith(_OWN_NAMES) or server is None:
        return simulator.reached_at(str(request.base_url))
    name = f"[{server[0]}]" if ":" in server[0] else server[0]
    return simulator.reached_at(f"{request.url.scheme}://{name}" + (f":{server[1]}" if server[1] else ""))
