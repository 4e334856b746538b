"""Which coroutine serves which kind: a list, built once and passed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from rhflow.core.errors import Problem, StepError
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.steps import lora, model, upload
from rhflow.steps.app import Apps
from rhflow.steps.comfyui import Workflows
from rhflow.steps.context import Report, Tools
from rhflow.steps.kinds import all_kinds
from rhflow.steps.local import run as local
from rhflow.steps.quick_create import QuickCreate

Runner: TypeAlias = Callable[[StepCall, Report, Tools], Awaitable[StepResult]]
Check: TypeAlias = Callable[[Mapping[str, Any], Tools], Awaitable[None]]


class Registry:
    """Carries calls out with one set of tools: the executor that the loop is given."""

    def __init__(self, tools: Tools, kinds: Mapping[str, KindSpec] | None = None) -> None:
        self._tools = tools
        workflows, apps = Workflows(), Apps()
        modules = QuickCreate(apps)
        own: Mapping[str, Runner] = {
            "upload": upload.run,
            "upload-lora": lora.run,
            "comfyui": workflows.run,
            "app": apps.run,
            "quick-create": modules.run,
            **dict.fromkeys(local.OPERATIONS, _on_this_machine),
        }
        self._runners = {name: own.get(name, model.run) for name in kinds or all_kinds()}
        self._checks: Mapping[str, Check] = {
            "comfyui": workflows.check,
            "app": apps.check,
            "quick-create": modules.check,
        }

    async def preflight(self, kind: KindSpec, inputs: Mapping[str, Any]) -> None:
        """Raise StepError for inputs (some may be pending) that cannot be carried out. Costs nothing."""
        if kind.name in local.OPERATIONS:
            local.check(kind, inputs)
        elif kind.name in self._checks:
            await self._checks[kind.name](inputs, self._tools)

    def stop(self) -> None:
        """Begin nothing more that is paid: calls that wait for a place of the account raise NotBegun."""
        self._tools.slots.close()

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        """Return what the call gave. Raises RhflowError."""
        if self._tools.closed and call.kind.pool != "local":
            message = f"step `{call.node}` was to be reused, and its result was removed meanwhile"
            raise StepError(Problem("account-closed", message, hint="run again"))
        return await self._runners[call.kind.name](call, report, self._tools)


async def _on_this_machine(call: StepCall, report: Report, tools: Tools) -> StepResult:
    return await local.run(call, tools.vault, tools.now)
