"""What shall go wrong, as data: a plan of faults, read from YAML and checked with places before anything is served.

A rule picks requests by number, by turn or by chance. Chance is drawn from the seed, the call and how often it came,
never from the order in which calls arrive: the same plan hits the same calls, however they race.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rhflow.contract import load_schema
from rhflow.core.errors import Problem, RecipeError
from rhflow.core.text.located import Located
from rhflow.core.text.shape import shape_problems

Operation: TypeAlias = Literal["submit", "query", "upload", "download", "queue", "account", "webhook"]
CALLS: tuple[Operation, ...] = ("submit", "query", "upload", "queue", "account")
EVERYWHERE: tuple[Operation, ...] = (*CALLS, "download")
_PICKS = ("at", "every", "chance")
_ALWAYS = frozenset({"fault", "on", "endpoint", "task", "times", *_PICKS})


@dataclass(frozen=True, slots=True)
class Kind:
    """What can go wrong: at which operations, with which settings of its own (``needs`` must be given)."""

    on: tuple[Operation, ...]
    takes: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


KINDS: Mapping[str, Kind] = {
    "refuse": Kind(CALLS, frozenset({"code", "status"}), frozenset({"code"})),
    "auth": Kind(CALLS, frozenset({"status"})),
    "too-many": Kind(EVERYWHERE, frozenset({"retry_after"})),
    "server-error": Kind(EVERYWHERE, frozenset({"status", "when"})),
    "drop": Kind(EVERYWHERE, frozenset({"when"})),
    "delay": Kind(EVERYWHERE, frozenset({"seconds"}), frozenset({"seconds"})),
    "trickle": Kind(EVERYWHERE, frozenset({"seconds"}), frozenset({"seconds"})),
    "garbage": Kind(CALLS),
    "empty": Kind(EVERYWHERE),
    "wrong-length": Kind(EVERYWHERE),
    "truncate": Kind(("download",)),
    "corrupt": Kind(("download",), frozenset({"where"})),
    "expire": Kind(("query", "upload"), frozenset({"seconds"})),
    "fail": Kind(("submit",), frozenset({"code", "seconds"})),
    "stuck": Kind(("submit",), frozenset({"seconds"})),
    "limit": Kind(("submit",), frozenset({"limit"}), frozenset({"limit"})),
    "repeat-webhook": Kind(("webhook",)),
}
ON_TASKS = frozenset({"fail", "stuck"})
ON_LINKS = frozenset({"expire"})
ON_WEBHOOKS = frozenset({"repeat-webhook"})
ON_REPLIES = frozenset(KINDS) - ON_TASKS - ON_LINKS - ON_WEBHOOKS


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: which fault, at which of the requests that match. ``seconds`` and ``retry_after`` are simulated.

    ``endpoint`` is a pattern with ``*``; ``task`` counts accepted tasks from 1; ``at`` and ``every`` count the requests
    that match this rule, ``times`` how often the fault happens at most. ``when``: before the request is processed, or
    after it. ``where`` a corrupted file is wrong: at its head or in its middle.
    """

    fault: str
    on: tuple[Operation, ...]
    endpoint: str = "*"
    task: int | None = None
    at: frozenset[int] = frozenset()
    every: int | None = None
    chance: float | None = None
    times: int | None = None
    when: Literal["before", "after"] = "before"
    where: Literal["head", "middle"] = "middle"
    code: str = ""
    status: int | None = None
    seconds: float | None = None
    retry_after: float | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Rules in order: the first that hits a request is the one that happens."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0


def read_plan(located: Located) -> FaultPlan:
    """Return the plan that a file holds. Raises RecipeError with every problem and its place."""
    problems = shape_problems(located, load_schema("faults"), whole="the plan of faults")
    if not problems:
        rules = located.data["rules"]
        problems = [each for at, rule in enumerate(rules) for each in _misfits(located, at, rule)]
    if problems:
        raise RecipeError(problems)
    return FaultPlan(tuple(map(_rule, located.data["rules"])), located.data.get("seed", 0))


def _rule(data: Mapping[str, Any]) -> Rule:
    on = data.get("on", KINDS[data["fault"]].on)
    at = data.get("at", ())
    named = {
        "on": (on,) if isinstance(on, str) else tuple(on),
        "at": frozenset({at} if isinstance(at, int) else at),
        "code": str(data.get("code", "")),
    }
    return Rule(**{**data, **named})


def _misfits(located: Located, at: int, rule: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a rule has that its fault does not go with; the schema says nothing about that."""
    yield from _wrong_settings(located, at, rule)
    yield from _wrong_operations(located, at, rule)
    picks = [each for each in _PICKS if each in rule]
    if len(picks) > 1:
        message = f"`{picks[0]}` and `{picks[1]}` both say which request is hit"
        yield Problem("fault-picks", message, located.key_span(("rules", at, picks[1])), "keep one of them")


def _wrong_settings(located: Located, at: int, rule: Mapping[str, Any]) -> Iterator[Problem]:
    name, kind = rule["fault"], KINDS[rule["fault"]]
    takes = ", ".join(f"`{each}`" for each in sorted(kind.takes)) or "nothing of its own"
    for key in [each for each in rule if each not in _ALWAYS | kind.takes]:
        span = located.key_span(("rules", at, key))
        yield Problem("fault-setting", f"the fault `{name}` takes no `{key}`", span, f"it takes {takes}")
    for key in sorted(kind.needs - set(rule)):
        span = located.span(("rules", at, "fault"))
        yield Problem("fault-lacks", f"the fault `{name}` needs `{key}`", span, f"add `{key}: {_EXAMPLES[key]}`")


def _wrong_operations(located: Located, at: int, rule: Mapping[str, Any]) -> Iterator[Problem]:
    name, on = rule["fault"], KINDS[rule["fault"]].on
    given = rule.get("on", on)
    for operation in [given] if isinstance(given, str) else given:
        if operation not in on:
            hint = f"write `on: {on[0]}`" if len(on) == 1 else f"choose from {', '.join(on)}"
            message = f"the fault `{name}` does not happen to `{operation}`"
            yield Problem("fault-operation", message, located.span(("rules", at, "on")), hint)


_EXAMPLES = {"code": '"1011"', "seconds": "10", "limit": "1"}
