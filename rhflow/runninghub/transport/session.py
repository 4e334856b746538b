"""Requests to one account on one site: sent with the key where each family wants it, repeated where that is harmless.

The key goes into the header, for the older families also into the body or the query, for the gateway into the path. A
link that holds it must not be remembered anywhere, so the library's own log lines are cleared of it and its errors get
the bare link.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

import httpx

from rhflow.core.errors import RhflowError
from rhflow.runninghub.transport import lanes
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.transport.pace import Pace
from rhflow.runninghub.transport.retry import (
    FREE,
    Backoff,
    Passing,
    classify_submit,
    is_too_fast,
    may_pass,
    refuses_key,
    retry_after,
    retry_free,
)
from rhflow.runninghub.wire.envelope import Reader
from rhflow.runninghub.wire.errors import (
    ApiError,
    SimulatorError,
    UnreadableError,
    service_error,
    unknown_creation,
    unreachable,
)

T = TypeVar("T")

SIMULATOR_HEADER = "rhflow-simulator"
GATES = ("/proxy/", "/proxy-plus/")
"""Where ComfyUI's own interface begins; the key follows."""
ONCE = Backoff(first=0, factor=1, longest=0, attempts=1)
_JSON = {"Content-Type": "application/json"}

KeyPlace = Literal["header", "apiKey", "apikey", "query", "none"]
"""Where the key goes besides the header: nowhere, into a member of the body by this name, into the query.

``none``: the request leaves the site and must not get the key at all.
"""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """A request that costs nothing, and may be repeated unless it says otherwise.

    ``kind`` is what it is counted as, ``what`` names it in messages ("the query of task `7`"). Without a ``payload``
    it is a GET. ``once``: a second time would make a second thing, so it is never repeated.
    """

    kind: str
    what: str
    path: str
    read: Reader[T]
    payload: Mapping[str, Any] | None = None
    key: KeyPlace = "header"
    params: Mapping[str, str] | None = None
    once: bool = False


class Session:
    """One account on one site. Use it with ``async with``; every method may be called many times at once.

    ``requests`` counts what was sent, by kind: ``submit``, ``query``, ``upload``, ``download``, ``queue`` …
    ``key_worked``: the service has taken the key, so one that is refused now is worth another try.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.connection = connection
        self.requests: Counter[str] = Counter()
        self.key_worked = False
        self._clock = clock or Clock()
        self._pace = pace or Pace(self._clock)
        self._lanes = lanes.open_lanes(transport)
        self._bearer = lanes.Bearer(connection.key)
        self._discretion = _Discretion(connection.key)

    async def __aenter__(self) -> Self:
        logging.getLogger("httpx").addFilter(self._discretion)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger("httpx").removeFilter(self._discretion)
        await self._lanes.close()

    async def ask(self, question: Question[T]) -> T:
        """Return the answer to a free request, asked again as long as that may help. Raises RhflowError."""

        def request() -> httpx.Request:
            return self._request(question)

        return await self._repeat(question, request)

    async def _repeat(self, question: Question[T], request: Callable[[], httpx.Request]) -> T:
        """Make a free request as ``request`` builds it, again and again as far as it helps."""
        kind, what, keyed = question.kind, question.what, question.key != "none"
        by = self._lanes.files if kind == "upload" else self._lanes.api

        async def attempt() -> T:
            try:
                response = await self._exchange(kind, by, request(), keyed=keyed)
                answer = question.read(self._body(response), response.status_code)
            except UnreadableError as error:
                raise Passing(_told(question, error, error)) from None
            except (httpx.HTTPError, OSError) as error:
                failed = _told(question, error, unreachable(what, error))
                raise (Passing(failed) if may_pass(error) else failed) from error
            asked = retry_after(response.headers)
            self._heed(answer, asked)
            if not isinstance(answer, ApiError):
                self.key_worked = self.key_worked or keyed
                return answer
            refused = _told(question, answer, service_error(answer, what))
            flaps = self.key_worked and refuses_key(answer)
            raise Passing(refused, asked=asked) if flaps or may_pass(answer) else refused

        return await retry_free(attempt, clock=self._clock, policy=ONCE if question.once else FREE)

    def _heed(self, answer: object, asked: float | None) -> None:
        """Slow every call down when the service says so; ``asked`` is for how many seconds."""
        if isinstance(answer, ApiError) and is_too_fast(answer):
            self._pace.slow_down(asked)
        else:
            self._pace.answered()

    async def _exchange(
        self, kind: str, by: lanes.Lane, request: httpx.Request, *, keyed: bool = True
    ) -> httpx.Response:
        if keyed:
            await self._pace.turn()
        async with by.gate:
            self.requests[kind] += 1
            try:
                response = await by.client.send(request, auth=self._bearer if keyed else None)
            except httpx.RequestError as error:
                error.request = httpx.Request(request.method, self._bare(request.url))
                raise
        if self.connection.realm == "live" and SIMULATOR_HEADER in response.headers:
            raise SimulatorError(self.connection.base_url)
        return response

    def _bare(self, url: httpx.URL) -> str:
        """Return a link without the key, wherever it stands in it."""
        return str(url.copy_remove_param("apiKey")).replace(f"/{self.connection.key.in_path()}/", "/***/")

    def _keyed(self, path: str) -> str:
        """Return a path of the site as it is asked for: the gateway wants the key in it."""
        gate = next((each for each in GATES if path.startswith(each)), None)
        return path if gate is None else f"{gate}{self.connection.key.in_path()}/{path.removeprefix(gate)}"

    def _body(self, response: httpx.Response) -> bytes:
        return self.connection.key.hide_in(response.content)

    def _request(self, question: Question[Any]) -> httpx.Request:
        secret = self.connection.key.reveal()
        params = dict(question.params or {}) | ({"apiKey": secret} if question.key == "query" else {})
        if question.payload is None:
            return self._build("GET", question.path, timeout=lanes.QUERY, params=params or None)
        keyed: dict[str, str] = {question.key: secret} if question.key in ("apiKey", "apikey") else {}
        return self._post(question.path, {**question.payload, **keyed}, timeout=lanes.QUERY)

    def _post(self, path: str, payload: Mapping[str, Any], *, timeout: httpx.Timeout) -> httpx.Request:
        body = json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
        return self._build("POST", path, timeout=timeout, headers=_JSON, content=body)

    def _build(self, method: str, path: str, *, timeout: httpx.Timeout, **rest: Any) -> httpx.Request:
        url = f"{self.connection.base_url}{self._keyed(path)}"
        return self._lanes.api.client.build_request(method, url, timeout=timeout, **rest)


def _told(question: Question[Any], outcome: ApiError | Exception, error: RhflowError) -> RhflowError:
    """Return what to raise for a failed attempt: what must not be made twice may have been made, by the same table."""
    doubtful = question.once and classify_submit(outcome) == "maybe_sent"
    return unknown_creation(question.what, outcome) if doubtful else error


class _Discretion(logging.Filter):
    """Clears the key out of log lines before anybody writes them."""

    def __init__(self, key: Secret) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage().encode("utf-8", "replace")
        record.msg, record.args = self._key.hide_in(said).decode(), None
        return True
