"""The schemas are the contract: they are valid, and they say what the code says."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from rhflow.app.report import NO_REQUESTS, NodeRow, RunReport
from rhflow.contract import load_schema
from rhflow.core.events import Event, EventType
from rhflow.core.recipe.document import Param
from rhflow.engine.outcome import NodeStatus, RunStatus

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("path", sorted(SCHEMAS.rglob("*.schema.json")), ids=lambda path: path.name)
def test_each_is_a_schema_and_can_be_loaded(path: Path) -> None:
    name = str(path.relative_to(SCHEMAS)).removesuffix(".schema.json")
    Draft202012Validator.check_schema(load_schema(name))


def test_run_report() -> None:
    schema = load_schema("run")
    row = NodeRow("a", "a", "succeeded", False, "m", ("0.2", "CNY"), 1.0, ("x.png",))
    report = RunReport("r", "succeeded", "live", 1, head=[row])
    Draft202012Validator(schema).validate(report.to_json())
    assert set(schema["properties"]) == set(report.to_json())
    assert set(schema["$defs"]["node"]["properties"]) == set(row.to_json())
    assert set(schema["$defs"]["node"]["properties"]["status"]["enum"]) == set(get_args(NodeStatus))
    assert set(schema["properties"]["status"]["enum"]) == set(get_args(RunStatus))
    assert set(schema["properties"]["requests"]["required"]) == set(NO_REQUESTS)


def test_event() -> None:
    schema = load_schema("event")
    assert set(schema["properties"]) == {each.name for each in fields(Event)}
    assert set(schema["properties"]["type"]["enum"]) == set(get_args(EventType))


def test_pipeline_params() -> None:
    declared = set(load_schema("pipeline")["$defs"]["param"]["properties"])
    assert declared == {each.name for each in fields(Param)} - {"name", "pointer", "required"}
