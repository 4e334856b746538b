"""Random recipes through planner and loop, against an oracle that does everything one after another."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rhflow.core import canonical
from rhflow.core.errors import Problem, StepError
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.plan import Reuse
from rhflow.core.values import Family, Outputs, artifacts_in
from rhflow.engine.flight import SingleFlight
from tests.fakes import FakeExecutor, MemoryLocks, outputs_of
from tests.support import POOLS, Bench

WORDS = ("cat", "dog", "sea")
GIVES: Mapping[str, Family] = {
    "text-to-text": "text", "text-to-image": "image", "image-to-image": "image", "image-to-video": "video",
}  # fmt: skip
Key = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class Made:
    """A step of a random recipe: ``words`` are literals, ``p0`` … (parameters) and numbers (texts of earlier steps)."""

    kind: str
    gives: Family
    words: tuple[str | int, ...]
    media: tuple[int, ...] = ()
    needs: tuple[int, ...] = ()


@st.composite
def recipes(draw: st.DrawFn) -> list[Made]:
    """Return steps, each reading earlier ones only."""
    steps: list[Made] = []
    for at in range(draw(st.integers(1, 8))):
        of = {
            family: [n for n, each in enumerate(steps) if each.gives == family] for family in ("text", "image", "video")
        }
        kinds = ["text-to-text", "text-to-image"]
        kinds += ["image-to-image", "image-to-video", "upscale"] if of["image"] else []
        kind = draw(st.sampled_from(kinds))
        words: list[str | int] = [draw(st.sampled_from(WORDS))]
        words += draw(st.lists(st.sampled_from(["p0", "p1", "p2", *of["text"]]), max_size=2))
        media: tuple[int, ...] = ()
        gives = GIVES.get(kind, "image")
        if kind == "image-to-image":
            media = tuple(draw(st.lists(st.sampled_from(of["image"]), min_size=1, max_size=3)))
        elif kind == "image-to-video":
            media = (draw(st.sampled_from(of["image"])),)
        elif kind == "upscale":
            media, words = (draw(st.sampled_from([*of["image"], *of["video"]])),), []
            gives = steps[media[0]].gives
        needs = draw(st.lists(st.integers(0, at - 1), max_size=1)) if at else []
        steps.append(Made(kind, gives, tuple(words), media, tuple(needs)))
    return steps


PARAMS = st.fixed_dictionaries({f"p{at}": st.sampled_from(WORDS) for at in range(3)})
SECONDS = st.lists(st.integers(0, 5), min_size=8, max_size=8)


def text_of(steps: Sequence[Made], order: Sequence[int]) -> str:
    """Return the recipe, its steps written in ``order``."""
    lines = ["params: {p0: {type: string}, p1: {type: string}, p2: {type: string}}", "steps:"]
    for at in order:
        step = steps[at]
        inputs: dict[str, Any] = {"prompt": " ".join(_word(each) for each in step.words)} if step.words else {}
        refs = [f"${{{{ steps.s{each}.{steps[each].gives} }}}}" for each in step.media]
        if refs:
            name = {"image-to-image": "images"}.get(step.kind, steps[step.media[0]].gives)
            inputs[name] = refs if name == "images" else refs[0]
        body = {"uses": step.kind, "with": inputs, "needs": [f"s{each}" for each in step.needs]}
        lines.append(f"  s{at}: {json.dumps(body)}")
    return "\n".join(lines)


def _word(word: str | int) -> str:
    if isinstance(word, int):
        return f"${{{{ steps.s{word}.text }}}}"
    return f"${{{{ params.{word} }}}}" if word.startswith("p") else word


def before(steps: Sequence[Made], at: int) -> set[int]:
    """Return the steps that a step waits for."""
    return {*steps[at].media, *steps[at].needs, *(each for each in steps[at].words if isinstance(each, int))}


def content_of(key: Key) -> str:
    """Return what a call gives: few different things, so that another input often gives the same."""
    return f"c{zlib.crc32(repr(key).encode()) % 4}"


def oracle(steps: Sequence[Made], params: Mapping[str, str]) -> list[Key]:
    """Return the call of each step, worked out one after another."""
    keys: list[Key] = []
    for step in steps:
        words = [content_of(keys[each]) if isinstance(each, int) else params.get(each, each) for each in step.words]
        media = tuple(outputs_of(steps[each].gives, content_of(keys[each])).files[0].digest for each in step.media)
        keys.append((f"{step.kind} {step.gives}", " ".join(words), media))
    return keys


def make(call: StepCall) -> Outputs:
    """Carry out a call as the oracle does."""
    assert call.model is not None
    media = tuple(each.digest for each in artifacts_in(dict(call.inputs)))
    key = (f"{call.kind.name} {call.model.output}", call.inputs.get("prompt", ""), media)
    return outputs_of(call.model.output, content_of(key))


def executor(seconds: Sequence[int], fails: Mapping[str, Any] | None = None) -> FakeExecutor:
    script: dict[str, Any] = dict.fromkeys((*GIVES, "upscale"), make) | dict(fails or {})
    return FakeExecutor(script, seconds={f"s{at}": float(each) for at, each in enumerate(seconds)})


def run(bench: Bench) -> dict[str, str]:
    """Run a recipe and return how each step ended; also check what always holds."""
    results = asyncio.run(bench.run())
    assert bench.executor.most <= sum(POOLS.values())
    for node, later in bench.graph.edges():
        if f"start {later}" in bench.log and f"start {node}" in bench.log:
            assert bench.log.index(f"end {node}") < bench.log.index(f"start {later}")
    return {node: each.status for node, each in results.items()}


def given_contents(bench: Bench, steps: Sequence[Made]) -> list[str]:
    """Return what each step gave, as the planner knows it."""
    return [bench.planner.views[f"s{at}"].outputs.to_json().__repr__() for at in range(len(steps))]


def expected_contents(steps: Sequence[Made], keys: Sequence[Key]) -> list[str]:
    return [repr(outputs_of(step.gives, content_of(key)).to_json()) for step, key in zip(steps, keys, strict=True)]


@settings(max_examples=150)
@given(recipes(), PARAMS, PARAMS, SECONDS, st.randoms(use_true_random=False))
def test_runs_agree_with_the_oracle(
    steps: list[Made], params: Any, other: Any, seconds: list[int], chance: Any
) -> None:
    order = list(range(len(steps)))
    chance.shuffle(order)
    text, keys = text_of(steps, order), oracle(steps, params)

    first = Bench(text, params=params, executor=executor(seconds), flight=SingleFlight(MemoryLocks()))
    assert set(run(first).values()) == {"succeeded"}
    assert given_contents(first, steps) == expected_contents(steps, keys)
    assert len(first.executor.calls) == len(set(keys))  # equal calls are made once

    second = first.again(executor=executor(seconds))
    assert second.plan().count(Reuse) == len(steps)
    third = first.again(executor=executor(seconds))
    assert set(run(third).values()) == {"succeeded"}
    assert third.executor.calls == []
    assert given_contents(third, steps) == expected_contents(steps, keys)

    changed = first.again(params=other, executor=executor(seconds), flight=SingleFlight(MemoryLocks()))
    assert set(run(changed).values()) == {"succeeded"}
    now = oracle(steps, other)
    made = {now[int(node[1:])] for node in changed.executor.nodes}
    assert made == set(now) - set(keys)  # exactly what is new, however deep in the cone
    assert len(changed.executor.nodes) == len(made)
    assert given_contents(changed, steps) == expected_contents(steps, now)


@settings(max_examples=120)
@given(recipes(), PARAMS, st.integers(0, 7), SECONDS)
def test_one_changed_step_reruns_its_cone_and_nothing_else(
    steps: list[Made], params: Any, which: int, seconds: list[int]
) -> None:
    order = range(len(steps))
    at = which % len(steps)
    if not steps[at].words:
        return
    first = Bench(text_of(steps, order), params=params, executor=executor(seconds), flight=SingleFlight(MemoryLocks()))
    run(first)
    steps[at] = replace(steps[at], words=("bird", *steps[at].words[1:]))
    again = first.again(text_of(steps, order), executor=executor(seconds), flight=SingleFlight(MemoryLocks()))
    decisions = again.plan().decisions
    cone = {f"s{at}"} | again.graph.cone(f"s{at}")
    assert {node for node, each in decisions.items() if not isinstance(each, Reuse)} == cone
    second = first.again(again.text, executor=executor(seconds), flight=SingleFlight(MemoryLocks()))
    run(second)
    assert f"s{at}" in second.executor.nodes
    assert set(second.executor.nodes) <= cone


@settings(max_examples=120)
@given(recipes(), PARAMS, st.sets(st.integers(0, 7), min_size=1, max_size=2), SECONDS)
def test_a_failure_costs_its_cone_and_the_next_run_what_is_left(
    steps: list[Made], params: Any, which: set[int], seconds: list[int]
) -> None:
    failing = {at % len(steps) for at in which}
    fails = {f"s{at}": StepError(Problem("task-failed", "no")) for at in failing}
    text, keys = text_of(steps, range(len(steps))), oracle(steps, params)
    first = Bench(text, params=params, executor=executor(seconds, fails), flight=SingleFlight(MemoryLocks()))
    found = run(first)
    failed = {node for node, status in found.items() if status == "failed"}
    assert failed <= fails.keys()
    lost = {later for node in failed for later in first.graph.cone(node)}
    for node, status in found.items():
        assert (status in ("skipped", "not-run")) or node not in lost
        if status == "succeeded":
            assert all(found[f"s{each}"] == "succeeded" for each in before(steps, int(node[1:])))
    kept = len(first.cache.kept)

    second = first.again(executor=executor(seconds), flight=SingleFlight(MemoryLocks()))
    assert set(run(second).values()) == {"succeeded"}
    assert len(second.executor.calls) == len(set(keys)) - kept
    assert given_contents(second, steps) == expected_contents(steps, keys)


# --- canonical data --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_data_round_trips(value: Any) -> None:
    once = canonical.canonical(value)
    assert canonical.canonical(once) == once
    assert json.loads(canonical.encode(value)) == once == json.loads(json.dumps(value)) or _has_whole_float(value)
    assert canonical.encode(json.loads(canonical.encode(value))) == canonical.encode(value)


def _has_whole_float(value: Any) -> bool:
    """Whether 1.0 became 1 somewhere, which JSON reads as another type of the same number."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, float) and value.is_integer()) or any(_has_whole_float(each) for each in parts)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(value: dict[str, Any], chance: Any) -> None:
    members = list(value.items())
    chance.shuffle(members)
    assert canonical.encode(dict(members)) == canonical.encode(value)


@given(JSON, JSON)
def test_equal_texts_mean_equal_data(left: Any, right: Any) -> None:
    if canonical.encode(left) == canonical.encode(right):
        assert left == right
    for odd in ([left, right], [right, left]):
        assert canonical.digest("x", canonical.canonical(odd)) != canonical.digest("y", canonical.canonical(odd))
