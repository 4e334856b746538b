"""A LoRA of the user's, brought to where ``RHLoraLoader`` nodes find it: once per content and site.

A step is not needed for that, since a LoRA given to a node is uploaded like any file; it serves those who want it done
before anything else.
"""

from __future__ import annotations

from rhflow.core.errors import Problem, StepError
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Artifact, Outputs
from rhflow.steps.context import Report, Tools


async def run(call: StepCall, report: Report, tools: Tools) -> StepResult:
    """Keep the file and see to it that the service has it."""
    file, began = call.inputs["file"], tools.now()
    if not isinstance(file, Artifact):
        hint = "download it, and give its path"
        raise StepError(Problem("lora-by-link", f"`{file}` is a link, and a LoRA is sent from this machine", hint=hint))
    kept = await tools.vault.keep(file)
    await tools.vault.node_name(kept)
    return StepResult(Outputs((kept,)), seconds=tools.now() - began)
