"""A file of the user's, kept by content and brought to where the service can read it."""

from __future__ import annotations

from rhflow.core.errors import Problem, StepError
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Artifact, Outputs
from rhflow.steps.context import Report, Tools


async def run(call: StepCall, report: Report, tools: Tools) -> StepResult:
    """Keep the file and give it a link; a file given as a link is fetched first."""
    file = call.inputs["file"]
    started = tools.now()
    if isinstance(file, Artifact):
        kept = await tools.vault.keep(file)
    elif str(file).startswith("asset://"):
        hint = "steps take it as it is; give the file itself to bring it elsewhere"
        raise StepError(Problem("asset-upload", f"`{file}` is at the service already", hint=hint))
    else:
        kept = await tools.vault.fetch(str(file), call.node)
    await tools.vault.link(kept)
    return StepResult(Outputs((kept,)), seconds=tools.now() - started)
