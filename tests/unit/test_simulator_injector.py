"""Which requests a plan of faults hits, and what a plan may say."""

from __future__ import annotations

import pytest

from rhflow.contract import load_schema
from rhflow.core.errors import RecipeError, Source
from rhflow.core.text.source import read
from rhflow.simulator.fault_injector import Call, Injector
from rhflow.simulator.fault_plan import KINDS, FaultPlan, Operation, read_plan


def plan_of(*rules: str, seed: int = 0) -> FaultPlan:
    return read_plan(read(Source("plan.yaml", f"faults: 1\nseed: {seed}\nrules: [{', '.join(rules)}]\n")))


def hits(injector: Injector, *calls: Call) -> list[bool]:
    return [injector.hit(call, KINDS) is not None for call in calls]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("", "xxxxxx"),
        ("at: 2", ".x...."),
        ("at: [1, 4]", "x..x.."),
        ("every: 3", "..x..x"),
        ("every: 2, times: 1", ".x...."),
        ("times: 2", "xx...."),
        ("endpoint: 'b/*'", "...xxx"),
        ("endpoint: 'b/*', at: 2", "....x."),
        ("task: 4", "...x.."),
        ("chance: 0", "......"),
        ("chance: 1", "xxxxxx"),
    ],
)
def test_which_requests_a_rule_picks(rule: str, expected: str) -> None:
    calls = [Call("query", "a/x" if at < 3 else "b/y", at + 1) for at in range(6)]
    injector = Injector(plan_of(f"{{fault: drop, on: query{', ' if rule else ''}{rule}}}"))
    assert "".join("x" if hit else "." for hit in hits(injector, *calls)) == expected
    assert hits(Injector(plan_of("{fault: drop, on: submit}")), *calls) == [False] * 6


def test_chance_is_drawn_from_the_call_and_not_from_the_order() -> None:
    calls = [Call("submit", "x", identity=str(at)) for at in range(200)]
    rule = "{fault: drop, chance: 0.25}"
    straight = hits(Injector(plan_of(rule, seed=1)), *calls)
    back = hits(Injector(plan_of(rule, seed=1)), *reversed(calls))
    assert straight == back[::-1]
    assert 30 < sum(straight) < 70
    assert straight != hits(Injector(plan_of(rule, seed=2)), *calls)


def test_the_first_rule_that_hits_is_the_one_that_happens() -> None:
    injector = Injector(plan_of("{fault: drop, at: 2}", "{fault: empty}"))
    assert hits(injector, *[Call("query")] * 3) == [True] * 3
    assert injector.injected == {"drop": 1, "empty": 2}


def test_the_schema_names_what_the_code_knows() -> None:
    schema = load_schema("faults")
    rule = schema["$defs"]["rule"]["properties"]
    assert set(rule["fault"]["enum"]) == set(KINDS)
    assert set(schema["$defs"]["operation"]["enum"]) == set(Operation.__args__)
    assert {name for kind in KINDS.values() for name in kind.takes} <= set(rule)


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_can_be_planned_alone_and_refuses_what_is_not_its_own(name: str) -> None:
    kind = KINDS[name]
    needed = "".join(f", {key}: {'1015' if key == 'code' else 1}" for key in kind.needs)
    assert plan_of(f"{{fault: {name}{needed}}}").rules[0].on == kind.on
    foreign = next(key for key in ("limit", "seconds", "where") if key not in kind.takes)
    with pytest.raises(RecipeError) as caught:
        plan_of(f"{{fault: {name}{needed}, {foreign}: {'head' if foreign == 'where' else 1}}}")
    (problem,) = caught.value.problems
    assert problem.span is not None and problem.hint is not None
