"""Which rule of a plan hits what, and the count of it: the one place that keeps score of faults.

It also counts accepted tasks by what was asked for, so that anybody can see whether a call was paid for twice.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from rhflow.simulator.fault_plan import ON_LINKS, ON_TASKS, ON_WEBHOOKS, FaultPlan, Operation, Rule
from rhflow.simulator.replies import message_of
from rhflow.simulator.tasks import Failure, Task


@dataclass(frozen=True, slots=True)
class Call:
    """Something a rule may hit: an operation, of which endpoint and task, and by what it is known again."""

    on: Operation
    endpoint: str = ""
    task: int | None = None
    identity: str = ""


class Injector:
    """Applies one plan to one simulator."""

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.injected: Counter[str] = Counter()
        self._matched: Counter[int] = Counter()
        self._hits: Counter[int] = Counter()
        self._seen: Counter[tuple[int, str]] = Counter()
        self._payloads: Counter[str] = Counter()
        self._tasks: dict[str, Call] = {}
        self._files: dict[str, str] = {}
        self._dies: dict[str, float] = {}

    def hit(self, call: Call, kinds: Iterable[str]) -> Rule | None:
        """Return the first rule of these kinds that hits ``call``, counted; every rule that matches counts the call."""
        found: Rule | None = None
        for number, rule in enumerate(self.plan.rules):
            if rule.fault not in kinds or not _matches(rule, call):
                continue
            due = self._due(number, rule, call)
            if due and found is None and (rule.times is None or self._hits[number] < rule.times):
                found = rule
                self._hits[number] += 1
                self.injected[rule.fault] += 1
        return found

    def _due(self, number: int, rule: Rule, call: Call) -> bool:
        """Count a call that matches, and say whether it is one of those that the rule picks."""
        self._matched[number] += 1
        turn = self._matched[number]
        if rule.at:
            return turn in rule.at
        if rule.every is not None:
            return turn % rule.every == 0
        if rule.chance is None:
            return True
        self._seen[number, call.identity] += 1
        drawn = f"{self.plan.seed}/{number}/{call.identity}/{self._seen[number, call.identity]}"
        return int.from_bytes(hashlib.sha256(drawn.encode()).digest()[:8]) / 2**64 < rule.chance

    def call_of_task(self, on: Operation, task_id: str) -> Call:
        """Return a call about a task that was accepted here."""
        known = self._tasks.get(task_id)
        return Call(on) if known is None else Call(on, known.endpoint, known.task, known.identity)

    def call_of_file(self, name: str) -> Call:
        """Return the download of a file, with the task that made it, if one did."""
        return self.call_of_task("download", self._files.get(name, ""))

    # --- tasks and links ---------------------------------------------------------------------------------------------

    def accepted(self, task: Task) -> None:
        """Number and count a new task, and settle what will become of it."""
        call = Call("submit", task.work.endpoint, len(self._tasks) + 1, task.key)
        self._tasks[task.id] = call
        self._payloads[f"{call.endpoint} {task.key[:16]}"] += 1
        rule = self.hit(call, ON_TASKS)
        if rule is None:
            return
        if rule.fault == "stuck":
            task.queue = math.inf if rule.seconds is None else rule.seconds
            return
        code = rule.code or "1015"
        task.doom = Failure(code, message_of(code))
        if rule.seconds is not None:
            task.queue, task.run = 0.0, rule.seconds

    def linked(self, on: Operation, names: Iterable[str], now: float, *, task_id: str = "") -> None:
        """Take note of links that were handed out at ``now``, and settle when they die."""
        names = list(names)
        rule = self.hit(self.call_of_task(on, task_id), ON_LINKS)
        for name in names:
            self._files[name] = task_id
            self._dies.pop(name, None)
            if rule is not None:
                self._dies[name] = now + (rule.seconds or 0.0)

    def dead(self, name: str, now: float) -> bool:
        """Whether a link has expired."""
        return now >= self._dies.get(name, math.inf)

    def tells_twice(self, task_id: str) -> bool:
        """Whether the webhook of a task is told once more, although it was taken."""
        return self.hit(self.call_of_task("webhook", task_id), ON_WEBHOOKS) is not None

    # --- the count ---------------------------------------------------------------------------------------------------

    def stats(self) -> dict[str, Any]:
        """Return what was injected, how many tasks were accepted per endpoint and inputs, and how many needlessly."""
        return {
            "faults": dict(self.injected),
            "accepted_by_payload": dict(self._payloads),
            "duplicates": sum(count - 1 for count in self._payloads.values()),
        }

    def reset(self) -> None:
        """Begin the plan anew; tasks and links stay known."""
        for counter in (self.injected, self._matched, self._hits, self._seen, self._payloads):
            counter.clear()


def _matches(rule: Rule, call: Call) -> bool:
    wanted = call.on in rule.on and (rule.task is None or rule.task == call.task)
    return wanted and (rule.endpoint == "*" or fnmatchcase(call.endpoint, rule.endpoint))
