"""An AI app: a published workflow with a form, called by the names that the form has.

The app's call example is fetched first, which costs nothing. It says what the form takes, so that a name or a value
that does not fit is found before anything is paid; it is sent back whole, with the new values put in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhflow.core.cost import wire_text
from rhflow.core.errors import Problem, StepError, did_you_mean
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Artifact, Pending
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.apps import AppDemo, AppInput
from rhflow.runninghub.operations.orders import NodeValue, Order
from rhflow.steps import model
from rhflow.steps.context import Report, Tools
from rhflow.steps.machine import options_of
from rhflow.steps.once import Once

_MEDIA = frozenset({"IMAGE", "AUDIO", "VIDEO"})
_SWITCHES = frozenset({"BOOLEAN", "SWITCH"})


class Apps:
    """Runs AI apps; the form of each is fetched once, however many steps use it."""

    def __init__(self) -> None:
        self._forms: Once[AppDemo] = Once()

    async def run(self, call: StepCall, report: Report, tools: Tools) -> StepResult:
        """Run an app. Raises RhflowError when it failed or its outcome is unknown."""

        async def prepare() -> Order:
            app, inputs = str(call.inputs["app"]), call.inputs
            await self.check(inputs, tools)
            nodes = await filled_in(await self.form(app, tools), inputs.get("inputs", {}), tools, app=app)
            return orders.app(app, nodes, options_of(inputs))

        return await model.carry_out(call, prepare, report, tools)

    async def check(self, inputs: Mapping[str, Any], tools: Tools) -> None:
        """Raise StepError for values that the form has no place for, as far as the inputs are known."""
        app, values = inputs.get("app"), inputs.get("inputs", {})
        if isinstance(app, Pending) or isinstance(values, Pending):
            return
        form = await self.form(str(app), tools)
        if form.locked and "password" not in inputs:
            hint = "add `password:` under `with`, best from a parameter with `secret: true`"
            raise StepError(Problem("app-locked", f"the AI app `{app}` wants a password", hint=hint))
        taken(form, values, str(app))

    async def form(self, app: str, tools: Tools) -> AppDemo:
        """Return what an app takes."""
        return await self._forms.get(app, lambda: tools.hub.app_demo(app))


async def filled_in(form: AppDemo, values: Mapping[str, Any], tools: Tools, *, app: str) -> list[NodeValue]:
    """Return the form with values put in, files uploaded. Raises StepError with every value that does not fit."""
    ready = {
        name: await tools.vault.node_name(value) if isinstance(value, Artifact) else value
        for name, value in taken(form, values, app).items()
    }
    return [NodeValue(each.node, each.field, ready.get(each.name, each.value), each.told) for each in form.inputs]


def taken(form: AppDemo, values: Mapping[str, Any], app: str) -> dict[str, Any]:
    """Return values as the form takes them, by ``node.field``. Raises StepError with every value that does not fit."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in values.items():
        try:
            leads_to = _input_named(form, name, app)
            known = not isinstance(value, Artifact | Pending)
            found[leads_to.name] = _checked(leads_to, name, value) if known else value
        except StepError as error:
            problems += error.problems
    if problems:
        raise StepError(problems)
    return found


def _input_named(form: AppDemo, name: str, app: str) -> AppInput:
    """Return the input that a name leads to: ``node.field``, or what the form calls it in either language."""
    for each in form.inputs:
        if each.name == name:
            return each
    folded = name.strip().casefold()
    fitting = [
        each for each in form.inputs if folded in (each.label.strip().casefold(), each.label_en.strip().casefold())
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        hint = "use " + " or ".join(f"`{each.name}`" for each in fitting)
        raise StepError(
            Problem(
                "ambiguous-app-input",
                f"the AI app `{app}` has several inputs `{name}`",
                hint=hint,
                input=("inputs", name),
            )
        )
    if not form.inputs:
        hint = "open it on the RunningHub site and run it there once"
        raise StepError(Problem("app-without-form", f"the AI app `{app}` does not tell what it takes", hint=hint))
    known = [each for one in form.inputs for each in (one.label_en or one.label, one.name, one.label) if each]
    hint = did_you_mean(name, known, limit=12) or f"`rhflow app show {app}` lists what it takes"
    message = f"the AI app `{app}` has no input `{name}`"
    raise StepError(Problem("unknown-app-input", message, hint=hint, input=("inputs", name)))


def _checked(taken: AppInput, name: str, value: Any) -> str:
    """Return a plain value as the form sends it. Raises StepError when it is none of what the form takes."""
    if isinstance(value, dict | list):
        raise _bad_value(name, "takes one plain value or a file")
    text = wire_text(value)
    if taken.choices:
        return _chosen(taken, name, text)
    if taken.type in ("INT", "FLOAT") and not _is_number(text, whole=taken.type == "INT"):
        raise _bad_value(name, f"takes a {'whole ' if taken.type == 'INT' else ''}number, not `{text}`")
    if taken.type in _SWITCHES and text.casefold() not in ("true", "false", "0", "1"):
        raise _bad_value(name, f"takes true or false, not `{text}`")
    if taken.type in _MEDIA and text.startswith(("./", "../", "/")):
        hint = "declare it as a parameter of type `image`, `video` or `audio`, or bring it in by an `upload` step"
        raise _bad_value(name, f"takes a file, and `{text}` is only a text", hint)
    return text


def _chosen(taken: AppInput, name: str, text: str) -> str:
    for each in taken.choices:
        if text.strip().casefold() in (each.value.casefold(), each.name.casefold()):
            return each.value
    listed = ", ".join(f"`{each.name}`" for each in taken.choices[:12])
    hint = did_you_mean(text, [each.name for each in taken.choices]) or f"choose from {listed}"
    raise _bad_value(name, f"`{text}` is not one of its {len(taken.choices)} values", hint)


def _is_number(text: str, *, whole: bool) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return number.is_integer() if whole else True


def _bad_value(name: str, what: str, hint: str | None = None) -> StepError:
    return StepError(Problem("bad-app-value", f"`{name}`: {what}", hint=hint, input=("inputs", name)))
