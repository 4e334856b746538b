"""What only the service can tell of a plan, asked before anything is paid.

A workflow or the form of an app is fetched, which costs nothing; a name that it does not have is then a mistake of the
recipe like any other, and all of them are told at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rhflow.core.errors import Problem, RecipeError, StepError
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.plan import InDoubt, Plan, Run, Wait
from rhflow.core.recipe.document import Step

if TYPE_CHECKING:
    from rhflow.steps.registry import Registry


async def preflight(plan: Plan, registry: Registry) -> None:
    """Raise RecipeError with every value of a planned call that the service has no place for.

    Raises another RhflowError when the service cannot be asked, or knows no such workflow.
    """
    problems: list[Problem] = []
    for node, kind, inputs in _planned(plan):
        try:
            await registry.preflight(kind, inputs)
        except StepError as error:
            found = [placed(each, node, plan.graph.nodes[node].step) for each in error.problems]
            if not all(each.input for each in found):
                raise error.with_problems(found) from error
            problems += found
    if problems:
        raise RecipeError(problems)


def check_here(plan: Plan) -> None:
    """Raise RecipeError with every planned call that this machine is to carry out and cannot; nobody is asked."""
    problems: list[Problem] = []
    here = [each for each in _planned(plan) if each[1].pool == "local"]
    if here:
        from rhflow.steps.local.run import OPERATIONS, check  # imported late, with what reads media
    for node, kind, inputs in here:
        if kind.name not in OPERATIONS:
            continue  # a workflow on a server of one's own
        try:
            check(kind, inputs)
        except StepError as error:
            problems += [placed(each, node, plan.graph.nodes[node].step) for each in error.problems]
    if problems:
        raise RecipeError(problems)


def _planned(plan: Plan) -> Iterator[tuple[str, KindSpec, Mapping[str, Any]]]:
    for node, decision in plan.decisions.items():
        if isinstance(decision, Run | InDoubt):
            yield node, decision.call.kind, decision.call.inputs
        elif isinstance(decision, Wait):
            yield node, decision.draft.kind, decision.draft.bound.values


def placed(problem: Problem, node: str, step: Step) -> Problem:
    """Return a problem with the place of its step, or of the input it is about, where it has none."""
    if problem.span is not None:
        return problem
    named = problem.message if f"`{node}`" in problem.message else f"step `{node}`: {problem.message}"
    pointer = ("with", *problem.input)
    found = step.located is not None and problem.input and (*step.pointer, *pointer) in step.located.places
    span = None if step.located is None else step.located.key_span((*step.pointer, *(pointer if found else ())))
    return replace(problem, span=span, message=named)
