"""How long a task is waited for, and under what name its duration is learnt and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.plan import Run
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.waiting.durations import Durations
from rhflow.steps.patience import label_of, patience_of
from rhflow.store.store import Store
from tests.support import plan_of


def call(step: str) -> StepCall:
    decision = plan_of(f"steps: {{s: {step}}}").decisions["s"]
    assert isinstance(decision, Run)
    return decision.call


@pytest.mark.parametrize(
    ("step", "seconds"),
    [
        ("{uses: text-to-image, with: {prompt: x}}", 600),
        ("{uses: text-to-text, with: {prompt: x}}", 600),
        ("{uses: text-to-music, with: {prompt: x}}", 900),
        ("{uses: text-to-video, with: {prompt: x}}", 3600),
        ("{uses: text-to-3d, with: {prompt: x}}", 3600),
        ("{uses: text-to-image, timeout: 90s, with: {prompt: x}}", 90),
    ],
)
def test_a_task_is_waited_for_as_long_as_told_or_by_what_it_makes(step: str, seconds: float) -> None:
    assert patience_of(call(step)) == seconds


def test_a_slow_machine_may_take_its_time_to_simulate() -> None:
    assert Clock().patience(600) == 600
    assert Clock(scale=1 / 20).patience(600) == 120
    assert Clock(scale=1 / 20).patience(3600) == 180
    assert Clock(scale=1 / 20).patience(0.5) == 0.5  # never longer than it says


def test_durations_are_learnt_by_model_and_length() -> None:
    clip = call("{uses: text-to-video, with: {prompt: x, duration: 10}}")
    assert clip.model is not None
    assert label_of(clip) == f"{clip.model.id} 10s"
    picture = call("{uses: text-to-image, with: {prompt: x}}")
    assert picture.model is not None
    assert label_of(picture) == picture.model.id


def test_a_length_never_seen_counts_as_the_model() -> None:
    durations = Durations()
    durations.observe("model 5s", 20)
    durations.observe("model 10s", 80)
    assert durations.expected("model 5s", 1) == pytest.approx(20)
    assert durations.expected("model 15s", 1) == durations.expected("model", 1) == pytest.approx(40)
    assert durations.expected("another 5s", 1) == 1


def test_what_was_learnt_is_kept_by_realm(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:

        def keep(label: str, seconds: float, seen: int) -> None:
            store.typical.keep("simulated", label, seconds=seconds, seen=seen)

        durations = Durations(store.typical.known("simulated"), keep)
        durations.observe("model 5s", 20)
        durations.observe("model 5s", 20)
    with Store.open(tmp_path) as store:
        assert store.typical.known("live") == {}
        again = Durations(store.typical.known("simulated"))
        assert again.known == {"model": (pytest.approx(20), 2), "model 5s": (pytest.approx(20), 2)}
