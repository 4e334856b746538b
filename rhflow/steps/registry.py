"""Which coroutine serves which kind: a list, built once and passed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from rhflow.core.calls import StepCall, StepResult
from rhflow.core.kinds import KindSpec
from rhflow.steps import model, upload
from rhflow.steps.context import Report, Tools
from rhflow.steps.kinds import all_kinds

Runner: TypeAlias = Callable[[StepCall, Report, Tools], Awaitable[StepResult]]

_OWN: Mapping[str, Runner] = {"upload": upload.run}


class Registry:
    """Carries calls out with one set of tools: the executor that the loop is given."""

    def __init__(self, tools: Tools, kinds: Mapping[str, KindSpec] | None = None) -> None:
        self._tools = tools
        self._runners = {name: _OWN.get(name, model.run) for name in kinds or all_kinds()}

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        """Return what the call gave. Raises RhflowError."""
        return await self._runners[call.kind.name](call, report, self._tools)
