"""Whether a file that did not ship with rhflow is a catalogue, and what is wrong with it if not.

A catalogue may be newer than this rhflow: members that are not known are left out, models of a task that is not known
do ``other``. What is known must be right. Separate from the catalogue itself because it needs ``jsonschema``, which
costs more to import than the shipped catalogue costs to read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema

from rhflow.catalog.catalog import FORMAT, references
from rhflow.contract import load_schema
from rhflow.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from jsonschema import ValidationError

_SHOWN = 20  # problems listed at once: a foreign file can have thousands


def validate(data: object, name: str) -> list[str]:
    """Leave out of ``data``, read from the file ``name``, what only a newer rhflow knows, and return those places.

    Raises UsageError with a problem for each thing that is not right.
    """
    if not isinstance(data, dict) or "models" not in data:
        raise UsageError(Problem("catalog-invalid", f"`{name}` is not a catalogue of models", hint=_HINT))
    if (version := data.get("format")) != FORMAT:
        message = f"the catalogue `{name}` has format `{version}`, this rhflow reads format `{FORMAT}`"
        raise UsageError(Problem("catalog-format", message, hint=_HINT))
    schema = load_schema("catalog")
    unknown = list(_strip(data, schema, schema)) + list(_strip_tasks(data, schema["$defs"]["task"]["enum"]))
    problems = _schema_problems(data, name) or list(_reference_problems(data, name))
    if problems:
        raise UsageError(problems)
    return [_place(data, path) for path in unknown]


_HINT = "see `schemas/catalog.schema.json` for what a catalogue holds"


def _strip(value: object, schema: dict[str, Any], whole: dict[str, Any]) -> Iterator[list[str | int]]:
    """Remove the members that a closed part of the ``whole`` schema does not name, and yield where they were."""
    schema = whole["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if isinstance(value, dict) and schema.get("additionalProperties") is False:
        known = schema["properties"]
        for member in [each for each in value if each not in known]:
            del value[member]
            yield [member]
        parts: Iterable[tuple[str | int, object, Any]] = ((each, value[each], known[each]) for each in value)
    elif isinstance(value, list) and "items" in schema:
        parts = ((at, each, schema["items"]) for at, each in enumerate(value))
    else:
        return
    for at, part, rules in parts:
        if isinstance(rules, dict):
            yield from ([at, *path] for path in _strip(part, rules, whole))


def _strip_tasks(data: dict[str, Any], known: Collection[str]) -> Iterator[list[str | int]]:
    """Let models of unknown tasks do ``other``, without a default, and yield where that was."""
    rows = data["models"] if isinstance(data["models"], list) else []
    for at, row in enumerate(rows):
        tasks = row.get("tasks") if isinstance(row, dict) else None
        if isinstance(tasks, list) and any(isinstance(each, str) and each not in known for each in tasks):
            row["tasks"] = [each for each in tasks if each in known] or ["other"]
            yield ["models", at, "tasks"]
    defaults = data.get("defaults")
    if isinstance(defaults, dict):
        for task in [each for each in defaults if each not in known]:
            del defaults[task]
            yield ["defaults", task]


def _schema_problems(data: dict[str, Any], name: str) -> list[Problem]:
    validator = jsonschema.Draft202012Validator(load_schema("catalog"))
    errors: Iterable[ValidationError] = islice(validator.iter_errors(data), _SHOWN)
    return [_problem(name, _place(data, list(error.absolute_path)), _reason(error)) for error in errors]


def _problem(name: str, place: str, reason: str) -> Problem:
    where = f" at `{place}`" if place else ""
    return Problem("catalog-invalid", f"the catalogue `{name}` is not valid{where}: {reason}", hint=_HINT)


def _place(data: dict[str, Any], path: list[str | int]) -> str:
    """Return a place as ``models[3].price.fixed``, with the model's id instead of its number where it has one."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    if len(path) > 1 and path[0] == "models" and isinstance(index := path[1], int):
        row = data["models"][index]
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            return text.replace(f"[{index}]", f"[{row['id']}]", 1)
    return text


def _reason(error: ValidationError) -> str:
    """Return what is wrong, without repeating a whole model in the message."""
    shown = error.message
    if len(shown) > 200 and not isinstance(error.instance, str | int | float | bool):
        return f"a {type(error.instance).__name__} does not fit the rule `{error.validator}`"
    return shown if len(shown) <= 200 else shown[:199] + "…"


def _reference_problems(data: dict[str, Any], name: str) -> Iterator[Problem]:
    """Yield what a schema cannot say: texts that stand for two models, ids that stand for none."""
    owner: dict[str, str] = {}
    ids: set[str] = set()
    for row in data["models"]:
        if row["id"] in ids:
            yield _problem(name, "models", f"`{row['id']}` is there twice")
        ids.add(row["id"])
        for text in references(row):
            if (other := owner.setdefault(text.casefold(), row["id"])) != row["id"]:
                yield _problem(name, "models", f"`{text}` stands for both `{other}` and `{row['id']}`")
    for task, model_id in data["defaults"].items():
        if model_id not in ids:
            yield _problem(name, f"defaults.{task}", f"there is no model `{model_id}`")
    for row in data["models"]:
        if row.get("successor", row["id"]) not in ids:
            yield _problem(name, f"models[{row['id']}].successor", f"there is no model `{row['successor']}`")
        yield from _field_problems(row, name)


def _field_problems(row: dict[str, Any], name: str) -> Iterator[Problem]:
    fields = {each["name"] for each in row["fields"]}
    groups = [*row.get("spread", {}).values(), *row.get("any_of", ())]
    conditions = [rule["when"] for rule in row.get("price", {}).get("rules", ())]
    implied = [[rule["field"], rule["then"]] for rule in row.get("implied", ())]
    for field in sorted({each for group in [*groups, *conditions, *implied] for each in group} - fields):
        yield _problem(name, f"models[{row['id']}]", f"there is no field `{field}`")
    aliases = [each["alias"] for each in row["fields"] if "alias" in each]
    for alias in sorted({each for each in aliases if aliases.count(each) > 1}):
        yield _problem(name, f"models[{row['id']}]", f"the alias `{alias}` stands for two fields")
