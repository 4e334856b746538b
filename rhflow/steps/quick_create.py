"""A quick create module of the site: a ready-made app, called by the code of its own page.

Where the service tells the module's form, names and values are checked against it as for an app; else the author
names inputs by ``node.field`` and they are sent as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhflow.core.errors import Problem, StepError
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Artifact, Pending
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.apps import AppDemo
from rhflow.runninghub.operations.orders import NodeValue, Order
from rhflow.steps import model
from rhflow.steps.app import Apps, filled_in, taken
from rhflow.steps.comfyui import node_value
from rhflow.steps.context import Report, Tools

_NO_FORM = AppDemo("", ())
_NO_APP = "api-901"


class QuickCreate:
    """Runs modules, with the forms of apps."""

    def __init__(self, apps: Apps) -> None:
        self._apps = apps

    async def run(self, call: StepCall, report: Report, tools: Tools) -> StepResult:
        """Run a module. Raises RhflowError when it failed or its outcome is unknown."""

        async def prepare() -> Order:
            app, values = str(call.inputs["app"]), call.inputs.get("inputs", {})
            await self.check(call.inputs, tools)
            form = await self._form(app, tools)
            nodes = await filled_in(form, values, tools, app=app) if form.inputs else await _as_named(values, tools)
            return orders.quick_create(app, _code(call.inputs["code"]), nodes)

        return await model.carry_out(call, prepare, report, tools)

    async def check(self, inputs: Mapping[str, Any], tools: Tools) -> None:
        """Raise StepError for values that the module has no place for, as far as that can be known."""
        app, values = inputs.get("app"), inputs.get("inputs", {})
        if isinstance(app, Pending) or isinstance(values, Pending):
            return
        form = await self._form(str(app), tools)
        if form.inputs:
            taken(form, values, str(app))
        elif wrong := [_nameless(name) for name in values if not all(name.partition("."))]:
            raise StepError(wrong)

    async def _form(self, app: str, tools: Tools) -> AppDemo:
        try:
            return await self._apps.form(app, tools)
        except StepError as error:
            if error.problems[0].code == _NO_APP:
                return _NO_FORM  # a module need not be published as an app
            raise


def _nameless(name: str) -> Problem:
    hint = "write the node's id and the input's name, such as `6.text`"
    return Problem("node-name", f"`{name}` does not name an input of a node", hint=hint, input=("inputs", name))


def _code(code: str) -> str:
    """Return a code with the zeros that YAML drops from one without quotes."""
    return code.zfill(3) if code.isdecimal() else code


async def _as_named(values: Mapping[str, Any], tools: Tools) -> list[NodeValue]:
    """Return values for inputs by ``node.field``, with the members that the service wants of each."""
    nodes = []
    for name, value in values.items():
        sent = await node_value(name, value, tools)
        told = {"nodeName": "", "fieldType": _type_of(value), "description": ""}
        nodes.append(NodeValue(sent.node, sent.field, sent.value, told))
    return nodes


def _type_of(value: Any) -> str:
    if isinstance(value, Artifact):
        return value.family.upper() if value.family in ("image", "audio", "video") else "STRING"
    return "SWITCH" if isinstance(value, bool) else "INT" if isinstance(value, int) else "STRING"
