"""How a workflow or app is run, as its step says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhflow.runninghub.operations.orders import RunOptions


def options_of(inputs: Mapping[str, Any]) -> RunOptions:
    """Return the choice of a machine and how to wait for it."""
    return RunOptions(
        instance_type=inputs.get("instance_type"),
        personal_queue=inputs.get("personal_queue"),
        retain_seconds=inputs.get("retain_seconds"),
        password=inputs.get("password"),
    )


def is_plus(inputs: Mapping[str, Any]) -> bool:
    """Whether a machine of 48 GB is asked for, of the two that the gateway has."""
    return inputs.get("instance_type") == "plus"
