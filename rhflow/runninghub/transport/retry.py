"""What may be sent again, and when: pure decisions, and the two loops that obey them.

Everything but a submit is free to repeat. A submit is a payment and the service knows no idempotency key, so one
function, ``classify_submit``, says whether the same request may go out once more.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from rhflow.core.errors import RhflowError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.wire.errors import ApiError, PromptRejectedError, SimulatorError, SubmitFailed, SubmitVerdict
from rhflow.runninghub.wire.states import Submitted

T = TypeVar("T")

BUSY = frozenset({"421", "415", "814", "1003", "1011", "1520"})
TOO_FAST = frozenset({"1003", "http-429"})
KEY_REFUSED = frozenset({"-1", "401", "802", "806", "811", "1002", "http-401"})
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NO_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL, SimulatorError)
_LONGEST_ASKED_WAIT = 300.0


def classify_submit(outcome: Submitted | ApiError | Exception, *, key_worked: bool = False) -> SubmitVerdict:
    """Return what one submit came to; ``key_worked``: the service has taken this key before.

    ==============================================================  =============  ========================
    outcome                                                         verdict        sent again by itself
    ==============================================================  =============  ========================
    any reply with a task id                                        `accepted`     no
    no connection, no free connection, proxy gives none             `not_sent`     yes, up to 8 in all
    421, 415, 814, 1003, 1011, 1520; HTTP 429                       `busy`         yes, until there is room
    -1, 401, 802, 806, 811, 1002, HTTP 401 for a key that worked    `key_refused`  yes, up to 4 in all
    a code of class N, P, or another of class T; HTTP 3xx and 4xx   `refused`      no
    an address that is none; a simulator answers a live run         `refused`      no
    a graph that ComfyUI rejects, with HTTP 400                     `refused`      no
    HTTP 5xx, whatever code the body has; HTTP 408                  `maybe_sent`   no
    a code of class A or S, a code nobody has listed                `maybe_sent`   no
    time-out or break while sending or reading, unreadable 2xx      `maybe_sent`   no
    anything unforeseen                                             `maybe_sent`   no
    ==============================================================  =============  ========================

    `refused` means that nothing was created and that the same request would fail again.
    """
    match outcome:
        case Submitted():
            return "accepted"
        case ApiError():
            return "key_refused" if key_worked and refuses_key(outcome) else _classify_reply(outcome)
        case _ if isinstance(outcome, _NEVER_LEFT):
            return "not_sent"
        case _ if isinstance(outcome, (*_NO_ADDRESS, PromptRejectedError)):
            return "refused"
        case _:
            return "maybe_sent"


def _classify_reply(error: ApiError) -> SubmitVerdict:
    row = error.row
    if error.http_status >= 500:
        return "maybe_sent"
    if row.code in BUSY or (error.http_status == 429 and row.klass not in "NP"):
        return "busy"
    return "maybe_sent" if row.klass in "AS" else "refused"


def refuses_key(outcome: ApiError) -> bool:
    """Whether a reply refuses the key itself; the service does that now and then to a good one."""
    return outcome.row.code in KEY_REFUSED and outcome.http_status < 500


def is_too_fast(outcome: ApiError) -> bool:
    """Whether a reply means that there are too many requests, whatever they ask for."""
    return outcome.row.code in TOO_FAST or outcome.http_status == 429


def may_pass(outcome: ApiError | Exception) -> bool:
    """Whether a free request that ended like this is worth sending again."""
    if isinstance(outcome, ApiError):
        return outcome.row.klass in "TA" or outcome.http_status == 429 or outcome.http_status >= 500
    on_the_way = isinstance(outcome, httpx.TransportError | httpx.DecodingError | OSError)
    return on_the_way and not isinstance(outcome, _NO_ADDRESS)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Growing waits in seconds; ``attempts`` bounds how many requests are made in all (None: no bound)."""

    first: float
    factor: float
    longest: float
    attempts: int | None = None

    def delay(self, attempt: int, jitter: float) -> float:
        """Return how long to wait after ``attempt`` (from 1); ``jitter`` 0 gives half of it, 1 the whole."""
        grown = self.first * self.factor ** min(attempt - 1, 100)
        return min(grown, self.longest) * (0.5 + jitter / 2)

    def exhausted(self, attempt: int) -> bool:
        """Whether ``attempt`` was the last one."""
        return self.attempts is not None and attempt >= self.attempts


FREE = Backoff(first=0.5, factor=2, longest=15, attempts=6)
UNSENT = Backoff(first=1, factor=2, longest=30, attempts=8)
FULL = Backoff(first=5, factor=1.4, longest=90)
FLAP = Backoff(first=1, factor=3, longest=10, attempts=4)
_WAITS: Mapping[SubmitVerdict, Backoff] = {"not_sent": UNSENT, "key_refused": FLAP}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a reply asks to wait, at most 300; a date counts from the reply's own ``Date``."""
    asked = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", asked):
        return min(float(asked), _LONGEST_ASKED_WAIT)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(wait.total_seconds(), 0.0), _LONGEST_ASKED_WAIT)


def wait_for(policy: Backoff, attempt: int, *, clock: Clock, asked: float | None) -> float:
    """Return the real seconds to wait: what the service asks (a little spread out), else the policy's, scaled."""
    if asked is not None:
        return asked * (1 + clock.jitter() / 10)
    return policy.delay(attempt, clock.jitter()) * clock.scale


class Passing(Exception):  # noqa: N818 -- a signal between an attempt and its loop
    """An attempt of a free request failed in a way that may pass; ``error`` is what to raise when it does not.

    ``progress``: the attempt came further than any before, so the count of attempts starts anew.
    """

    def __init__(self, error: RhflowError, *, asked: float | None = None, progress: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.asked = asked
        self.progress = progress


async def retry_free(attempt: Callable[[], Awaitable[T]], *, clock: Clock, policy: Backoff = FREE) -> T:
    """Make a free request until it succeeds or the policy is exhausted. Raises the last attempt's error."""
    count = 0
    while True:
        count += 1
        try:
            return await attempt()
        except Passing as passing:
            if passing.progress:
                count = 1
            if policy.exhausted(count):
                raise passing.error from passing.__cause__
            delay = wait_for(policy, count, clock=clock, asked=passing.asked)
        await clock.sleep(delay)


async def submit_when_free(
    send: Callable[[], Awaitable[Submitted]],
    *,
    before_attempt: Callable[[int], Awaitable[None]],
    on_wait: Callable[[SubmitFailed, float], Awaitable[None]],
    clock: Clock,
) -> Submitted:
    """Submit until the service has room: one ``send`` is one POST.

    ``before_attempt(n)`` runs before each POST: it waits for a place and journals the intent. ``on_wait(failed,
    seconds)`` runs after each POST that created nothing and will be repeated. A full account is waited for by
    ``before_attempt``, without end; an unreachable one here, for a few minutes, and a key that is refused although it
    worked before for some seconds. Raises SubmitFailed for every other verdict.
    """
    attempt = unsent = 0
    while True:
        attempt += 1
        await before_attempt(attempt)
        try:
            return await send()
        except SubmitFailed as failed:
            if failed.verdict == "busy":
                unsent = 0
                await on_wait(failed, 0.0)
                continue
            unsent += 1
            policy = _WAITS.get(failed.verdict)
            if policy is None or policy.exhausted(unsent):
                raise
            delay = wait_for(policy, unsent, clock=clock, asked=failed.retry_after)
            await on_wait(failed, delay)
        await clock.sleep(delay)
