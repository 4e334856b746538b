"""From the data of a recipe to a Pipeline: the defaults of kinds merged in, every template read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rhflow.core.errors import Problem, RecipeError
from rhflow.core.recipe.document import Budget, Loop, Output, Param, Pipeline, Retry, Step
from rhflow.core.recipe.template import Template, Unresolved, parse_value
from rhflow.core.text.located import Located, Pointer
from rhflow.core.text.shape import shape_problems
from rhflow.core.values import Money

_PARAM_TYPES: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object",
}  # fmt: skip
_MONEY = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")  # what the schema lets through
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def build(located: Located, schema: Mapping[str, Any], *, name: str) -> tuple[Pipeline, list[Problem]]:
    """Return the pipeline and the problems of its templates.

    ``name`` is used where the recipe gives none. Raises RecipeError when the shape is wrong, with every problem.
    """
    if problems := shape_problems(located, schema):
        raise RecipeError(problems)
    found: list[Problem] = []
    data: dict[str, Any] = located.data
    pipeline = Pipeline(
        name=data.get("name", name),
        located=located,
        params={key: _param(key, each) for key, each in data.get("params", {}).items()},
        vars={key: parse_value(each, located, ("vars", key), found) for key, each in data.get("vars", {}).items()},
        steps={key: _Reader(located, pointer, found).step(key) for key, pointer in _ids(located, found)},
        outputs=_outputs(located, found),
        description=data.get("description", ""),
        env=tuple(data.get("env", ())),
        budget=_budget(data.get("budget", {})),
    )
    return pipeline, found


def _ids(located: Located, found: list[Problem]) -> Iterator[tuple[str, Pointer]]:
    """Yield the id and the place of every step, whether they stand in a map or in a list."""
    steps = located.data["steps"]
    if isinstance(steps, dict):
        yield from ((key, ("steps", key)) for key in steps)
        return
    seen: set[str] = set()
    for at, step in enumerate(steps):
        if step["id"] in seen:
            span = located.span(("steps", at, "id"))
            found.append(Problem("duplicate-key", f"the id `{step['id']}` is already used", span, "rename one"))
            continue
        seen.add(step["id"])
        yield step["id"], ("steps", at)


def _budget(data: Mapping[str, Any]) -> Budget:
    amounts: dict[str, Decimal] = {}
    written = data.get("max_cost", "")
    for number, currency in _MONEY.findall(written if isinstance(written, str) else f"{Decimal(str(written)):f}"):
        amounts[currency or "CNY"] = amounts.get(currency or "CNY", Decimal(0)) + Decimal(number)
    return Budget(tuple(Money(amount, currency) for currency, amount in amounts.items()), data.get("max_tasks"))


def _param(name: str, data: Any) -> Param:
    pointer = ("params", name)
    if not isinstance(data, dict):
        return Param(name, _PARAM_TYPES[type(data)], pointer, required=False, default=data)
    default = data.get("default")
    return Param(
        name=name,
        type=data.get("type") or _PARAM_TYPES.get(type(default), "string"),
        pointer=pointer,
        required="default" not in data,
        default=default,
        enum=tuple(data.get("enum", ())),
        minimum=data.get("minimum"),
        maximum=data.get("maximum"),
        pattern=data.get("pattern"),
        description=data.get("description", ""),
        secret=data.get("secret", False),
    )


class _Reader:
    """Reads one step, with the defaults of its kind under it."""

    def __init__(self, located: Located, here: Pointer, found: list[Problem]) -> None:
        self._located, self._here, self._found = located, here, found
        steps: Any = located.data["steps"]
        self._written: dict[str, Any] = steps[here[1]]
        self._there: Pointer = ("defaults", self._written["uses"])
        self._base: dict[str, Any] = located.data.get("defaults", {}).get(self._written["uses"], {})

    def step(self, key: str) -> Step:
        """Return the step."""
        cache = self._get("cache", True)
        retry = self._get("retry", {})
        return Step(
            id=key,
            kind=self._written["uses"],
            pointer=self._here,
            inputs=self._inputs(),
            model=self._value("model"),
            needs=tuple(self._written.get("needs", ())),
            cache=cache is not False,
            salt=cache["salt"] if isinstance(cache, dict) else None,
            save_as=self._value("save_as"),
            description=self._written.get("description", ""),
            loop=self._loop(),
            condition=self._condition(),
            on_error=self._get("on_error", "fail"),
            retry=Retry(retry.get("max", 0), tuple(retry.get("on", ("failed",)))),
            timeout=seconds_of(self._get("timeout", None)),
            pool=self._get("pool", None),
            located=self._located,
        )

    def _get(self, name: str, default: Any) -> Any:
        return self._written.get(name, self._base.get(name, default))

    def _value(self, name: str) -> Unresolved:
        if name in self._written:
            return parse_value(self._written[name], self._located, (*self._here, name), self._found)
        return parse_value(self._base.get(name), self._located, (*self._there, name), self._found)

    def _inputs(self) -> dict[str, Unresolved]:
        own: dict[str, Any] = self._written.get("with", {})
        places = {name: (self._there, each) for name, each in self._base.get("with", {}).items() if name not in own}
        places |= {name: (self._here, each) for name, each in own.items()}
        return {
            name: parse_value(each, self._located, (*head, "with", name), self._found)
            for name, (head, each) in places.items()
        }

    def _loop(self) -> Loop | None:
        if not {"foreach", "matrix", "variations"} & set(self._written):
            if self._written.get("chain"):
                span = self._located.key_span((*self._here, "chain"))
                hint = "add `foreach`, `matrix` or `variations`"
                self._found.append(Problem("no-loop", "`chain` needs a loop", span, hint))
            return None
        matrix = self._value("matrix")
        return Loop(
            foreach=self._value("foreach"),
            matrix=matrix if isinstance(matrix, dict) else None,
            variations=self._value("variations"),
            chain=self._written.get("chain", False),
        )

    def _condition(self) -> Unresolved:
        """Return the condition; one without braces is an expression all the same, as in GitHub Actions."""
        written, here = self._written.get("if"), (*self._here, "if")
        if not isinstance(written, str):
            return parse_value(written, self._located, here, self._found)
        text = written.strip()
        if not text:
            span, hint = self._located.span(here), "remove it, or write an expression, as in `params.draft`"
            self._found.append(Problem("bad-condition", "`if` is empty", span, hint))
            return None
        found = parse_value(text if "${{" in text else f"${{{{ {text} }}}}", self._located, here, self._found)
        if isinstance(found, Template) and not found.exact:
            message = "`if` is a text around an expression, and a text is always true"
            self._found.append(found.problem("bad-condition", message, hint="write it as one: `${{ a and b }}`"))
        return found


def seconds_of(written: Any) -> float | None:
    """Return ``90s``, ``20m`` or ``2h`` in seconds; a bare number is seconds."""
    if written is None or isinstance(written, int | float):
        return written
    return float(written[:-1]) * _SECONDS[written[-1]]


def _outputs(located: Located, found: list[Problem]) -> Mapping[str, Output] | None:
    if "outputs" not in located.data:
        return None
    outputs: dict[str, Output] = {}
    for name, each in located.data["outputs"].items():
        pointer: Pointer = ("outputs", name)
        if isinstance(each, dict):
            value = parse_value(each["from"], located, (*pointer, "from"), found)
            save_as = parse_value(each.get("save_as"), located, (*pointer, "save_as"), found)
            outputs[name] = Output(name, value, pointer, save_as)
        else:
            outputs[name] = Output(name, parse_value(each, located, pointer, found), pointer)
    return outputs
