"""How a plan tells of calls that earlier runs left open: which are taken up, which are in doubt, and what to type."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rhflow.cli.prices import bounds, price_words

if TYPE_CHECKING:
    from rhflow.core.plan.plan import InDoubt, Plan, Resume

Words = tuple[str, str, str, str]


def resume_words(decision: Resume) -> Words:
    """Return what will happen, why, with which model, and what is paid for already."""
    call, former = decision.call, decision.former
    since, paid = f"since {_clock(former.at)}", f"{price_words(decision.price)}, paid already"
    if former.running:
        return "wait", f"run `{former.run}` is at it {since}", call.subject or "", paid
    return "resume", f"task {former.task_id} is under way {since}", call.subject or "", paid


def doubt_words(decision: InDoubt) -> Words:
    """Return the same of a call in doubt, which has no price until somebody decides to pay it again."""
    call, former = decision.call, decision.former
    what = f"sent to `{former.site}`" if decision.elsewhere else "sent, and no reply tells what came of it"
    return "in doubt", f"{what} ({_clock(former.at)}, run `{former.run}`)", call.subject or "", ""


def doubt_lines(plan: Plan, *, asks: bool) -> Iterator[str]:
    """Yield what a run does about calls in doubt, and what to type about them; ``asks``: nobody has answered yet."""
    from rhflow.core.plan.plan import InDoubt

    doubts = {node: each for node, each in plan.decisions.items() if isinstance(each, InDoubt)}
    if not doubts:
        return
    names = ", ".join(f"`{node}`" for node in [*doubts][:3]) + (" …" if len(doubts) > 3 else "")
    if any(each.on_unknown == "wait" for each in doubts.values()):
        yield f"in doubt: a run leaves {names} open and goes on with what does not need it"
    else:
        also = ", and asks on a terminal" if asks else ""
        yield f"in doubt: a run stops at {names} with exit code 5 unless its task is found{also}"
    if any(each.elsewhere for each in doubts.values()):
        yield "set RUNNINGHUB_SITE and the key to those of the run that sent it"
    if not all(each.elsewhere for each in doubts.values()):
        yield "look for the task on the RunningHub site"
    from rhflow.core.cost import total

    price = total(each.price for each in doubts.values())
    yield f"`--unknown=resubmit` pays for a new one ({price}), `--unknown=wait` leaves it open"


def open_document(decision: Resume | InDoubt) -> dict[str, Any]:
    """Return what is told of an open call as data; ``sent`` is in seconds since 1970."""
    call, former = decision.call, decision.former
    told = {"run": former.run, "task_id": former.task_id, "site": former.site, "sent": former.at}
    return {
        "key": call.key,
        "inputs": dict(call.ingredients["inputs"]),
        "open": {**told, "price": bounds(decision.price)},
    }


def _clock(seconds: float) -> str:
    """Return a time of day, with its date where that is another day."""
    then, now = time.localtime(seconds), time.localtime()
    return time.strftime("%H:%M" if then[:3] == now[:3] else "%Y-%m-%d %H:%M", then)
