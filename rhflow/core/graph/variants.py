"""One recipe with several sets of parameters, as one pipeline: so that common work is one call, under one schedule."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rhflow.core.graph.nesting import moved
from rhflow.core.recipe.document import Output, Pipeline, Step
from rhflow.core.recipe.keys import key_of
from rhflow.core.recipe.template import rescope

MAX_VARIANTS = 10_000


@dataclass(frozen=True, slots=True)
class Variant:
    """One set of parameters (as typed) and the name it goes by."""

    label: str
    params: Mapping[str, Any]


def cross(axes: Mapping[str, Sequence[str]]) -> list[Variant]:
    """Return every combination of the values of some parameters, named after them."""
    found = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    return named(found)


def named(rows: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """Return a variant per row, named by its ``key`` or else by its values; equal names get a number."""
    seen: dict[str, int] = {}
    variants = []
    for row in rows:
        own = row.get("key")
        label = key_of(own) if own is not None else "-".join(key_of(value) for value in row.values())[:60]
        seen[label] = seen.get(label, 0) + 1
        unique = label if seen[label] == 1 else f"{label}-{seen[label]}"
        variants.append(Variant(unique, {name: value for name, value in row.items() if name != "key"}))
    return variants


def combine(pipeline: Pipeline, variants: Sequence[Variant]) -> Pipeline:
    """Return one pipeline with the steps and outputs of every variant, each in a scope of its own."""
    steps: dict[str, Step] = {}
    outputs: dict[str, Output] = {}
    for variant in variants:
        scope = f"{variant.label}/"
        for step in pipeline.steps.values():
            copy = moved(step, scope, partial(rescope, prefix=scope))
            steps[copy.id] = copy
        for name, output in (pipeline.outputs or {}).items():
            value, save_as = rescope(output.value, scope), rescope(output.save_as, scope)
            outputs[f"{scope}{name}"] = replace(output, name=name, value=value, save_as=save_as, scope=scope)
    return replace(pipeline, steps=steps, outputs=None if pipeline.outputs is None else outputs)
