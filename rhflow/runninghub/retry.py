"""What may be sent again, and when: pure decisions, and the two loops that obey them.

Everything but a submit is free to repeat. A submit is a payment and the service knows no idempotency key, so one
function, ``classify_submit``, says whether the same request may go out once more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from rhflow.core.errors import RhflowError
from rhflow.runninghub.clock import Clock
from rhflow.runninghub.errors import ApiError, SimulatorError, SubmitFailed, SubmitVerdict
from rhflow.runninghub.wire import Submitted

T = TypeVar("T")

BUSY = frozenset({"421", "415", "814", "1003", "1011", "1520"})
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NO_ADDRESS = (httpx.UnsupportedProtocol, httpx.InvalidURL, SimulatorError)
_LONGEST_ASKED_WAIT = 300.0


def classify_submit(outcome: Submitted | ApiError | Exception) -> SubmitVerdict:
    """Return what one submit came to.

    ==============================================================  ============  =========================
    outcome                                                         verdict       sent again by itself
    ==============================================================  ============  =========================
    any reply with a task id                                        `accepted`    no
    no connection, no free connection, proxy gives none             `not_sent`    yes
    421, 415, 814, 1003, 1011, 1520; HTTP 429                       `busy`        yes, after a while
    a code of class N, P, or another of class T; HTTP 3xx and 4xx   `refused`     no
    an address that is none; a simulator answers a live run         `refused`     no
    HTTP 5xx, whatever code the body has; HTTP 408                  `maybe_sent`  no
    a code of class A or S, a code nobody has listed                `maybe_sent`  no
    time-out or break while sending or reading, unreadable 2xx      `maybe_sent`  no
    anything unforeseen                                             `maybe_sent`  no
    ==============================================================  ============  =========================

    `refused` means that nothing was created and that the same request would fail again.
    """
    match outcome:
        case Submitted():
            return "accepted"
        case ApiError():
            return _classify_reply(outcome)
        case _ if isinstance(outcome, _NEVER_LEFT):
            return "not_sent"
        case _ if isinstance(outcome, _NO_ADDRESS):
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
_WAITS: Mapping[SubmitVerdict, Backoff] = {"not_sent": UNSENT, "busy": FULL}


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

    ``before_attempt(n)`` runs before each POST and journals the intent. ``on_wait(failed, seconds)`` runs after each
    POST that created nothing and will be repeated: it settles the intent, and may lower a limit. A full account is
    waited for without end (the step's time-out bounds it), an unreachable one for a few minutes. Raises SubmitFailed
    for every other verdict.
    """
    attempt, counts = 0, Counter[SubmitVerdict]()
    while True:
        attempt += 1
        await before_attempt(attempt)
        try:
            return await send()
        except SubmitFailed as failed:
            policy, count = _WAITS.get(failed.verdict), counts[failed.verdict] + 1
            if policy is None or policy.exhausted(count):
                raise
            counts = Counter({failed.verdict: count})  # the other kind of waiting starts anew
            delay = wait_for(policy, count, clock=clock, asked=failed.retry_after)
            await on_wait(failed, delay)
        await clock.sleep(delay)
