"""Paid calls that earlier runs left open, and what a run makes of one: one verdict for the plan and for the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from rhflow.core.values import Realm

OnUnknown: TypeAlias = Literal["fail", "wait", "resubmit"]
"""What to do about a call whose outcome nobody knows: stop, leave it open and go on with the rest, or pay again."""
Standing: TypeAlias = Literal["lost", "task", "unknown", "elsewhere"]
"""``lost`` with the simulator it was made on, known by its ``task``, of ``unknown`` outcome, or made ``elsewhere``."""


class Sent(Protocol):
    """As much of an open call as says how it stands: the address of the service, and the task if it is known."""

    @property
    def site(self) -> str | None: ...
    @property
    def task_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A paid call of another run that is not settled; ``at`` is when it was last heard of, in seconds since 1970.

    ``running``: that run goes on and sees to it.
    """

    run: str
    at: float
    task_id: str | None = None
    site: str | None = None
    running: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a planner is told of earlier runs, and of the account that a call would be taken up on.

    ``calls`` returns the open ones among the keys of calls. ``forgetful``: the service is a simulator that begins with
    the run, and knows nothing of earlier tasks.
    """

    calls: Callable[[Sequence[str]], Mapping[str, OpenCall]]
    site: str
    forgetful: bool = False
    on_unknown: OnUnknown = "fail"


def standing(call: Sent, *, site: str, realm: Realm, forgetful: bool) -> Standing:
    """Return how an open call stands for who asks ``site`` now."""
    elsewhere = call.site not in (None, site)
    if forgetful or (elsewhere and realm == "simulated"):
        return "lost"
    if elsewhere:
        return "elsewhere"
    return "unknown" if call.task_id is None else "task"
