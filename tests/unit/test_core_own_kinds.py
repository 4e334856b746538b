"""Kinds that no hosted model serves: their inputs, what is in their keys, their price, and what their nodes gave."""

from __future__ import annotations

import pytest

from rhflow.core.cost import UNKNOWN
from rhflow.core.inputs.coerce import BadValueError, coerce
from rhflow.core.kinds import Field
from rhflow.core.plan.calls import changes
from rhflow.core.plan.plan import Reuse, Run
from rhflow.core.plan.promises import pending_of
from rhflow.core.plan.views import OutputsView, StepView, files_of
from rhflow.core.recipe.template import Ref
from rhflow.core.values import Entry, Outputs, Pending
from tests.fakes import artifact
from tests.support import plan_of

NODES = Field("nodes", "values", dotted=True)
PICTURE, CLIP = artifact("a.png"), artifact("b.mp4")


def no_file(path: str) -> Pending:
    raise AssertionError(f"{path} was taken for a file")


def call_of(step: str):
    [decision] = plan_of(f"steps: {{a: {step}}}").decisions.values()
    assert isinstance(decision, Run | Reuse)
    return decision


def key(step: str) -> str:
    return call_of(step).call.key


def test_values_by_name_stay_what_they_are() -> None:
    given = {"6.text": "./not-a-path.png", "3.seed": 5, "3.on": True, "12.image": PICTURE, "4.x": None, "5.f": 1.5}
    expected = {name: value for name, value in given.items() if name != "4.x"}
    assert coerce(NODES, given, no_file) == expected


@pytest.mark.parametrize("wrong", [["6.text"], "6.text", 5])
def test_values_want_a_mapping(wrong: object) -> None:
    with pytest.raises(BadValueError, match="takes a mapping"):
        coerce(NODES, wrong, no_file)


@pytest.mark.parametrize("name", ["text", "6.", ".text", ""])
def test_a_node_input_has_a_node_and_a_name(name: str) -> None:
    with pytest.raises(BadValueError, match="does not name an input"):
        coerce(NODES, {name: 1}, no_file)
    assert coerce(Field("inputs", "values"), {name: 1}, no_file) == {name: 1}


BASE = "{uses: comfyui, with: {workflow: 19, nodes: {6.text: cat, 3.seed: 5}}}"


@pytest.mark.parametrize(
    "same",
    [
        '{uses: comfyui, with: {workflow: "19", nodes: {3.seed: 5, 6.text: cat}}}',
        "{uses: comfyui, with: {workflow: 19, nodes: {6.text: cat, 3.seed: 5, 4.x: null}}}",
        "{uses: comfyui, with: {workflow: 19, instance_type: plus, nodes: {6.text: cat, 3.seed: 5}}}",
        "{uses: comfyui, with: {workflow: 19, password: x, personal_queue: true, nodes: {6.text: cat, 3.seed: 5}}}",
    ],
)
def test_how_a_workflow_is_run_is_no_part_of_its_key(same: str) -> None:
    assert key(same) == key(BASE)


@pytest.mark.parametrize(
    "other",
    [
        "{uses: comfyui, with: {workflow: 20, nodes: {6.text: cat, 3.seed: 5}}}",
        "{uses: comfyui, with: {workflow: 19, nodes: {6.text: dog, 3.seed: 5}}}",
        "{uses: comfyui, with: {workflow: 19, metadata: false, nodes: {6.text: cat, 3.seed: 5}}}",
        "{uses: comfyui, cache: {salt: changed}, with: {workflow: 19, nodes: {6.text: cat, 3.seed: 5}}}",
    ],
)
def test_what_a_workflow_makes_is(other: str) -> None:
    assert key(other) != key(BASE)


def test_a_password_is_kept_nowhere() -> None:
    call = call_of("{uses: comfyui, with: {workflow: 19, password: open sesame}}").call
    assert "sesame" not in str(call.ingredients)


def test_what_changed_is_told_to_the_value() -> None:
    before = call_of(BASE).call.ingredients
    now = call_of("{uses: comfyui, with: {workflow: 19, nodes: {6.text: dog, 7.text: fog}}}").call.ingredients
    assert changes(before, now) == ("`nodes: 6.text` changed", "`nodes: 7.text` added", "`nodes: 3.seed` removed")


def test_the_price_of_a_workflow_is_unknown() -> None:
    decided = call_of(BASE)
    assert isinstance(decided, Run)
    assert (decided.estimate, decided.call.subject) == (UNKNOWN, "workflow 19")


# --- what nodes gave -------------------------------------------------------------------------------------------------

MADE = Outputs((PICTURE, CLIP, PICTURE), ("a tale",), ("9", "12", "9", "30"))
VIEW = StepView(Entry("k", MADE, {}, 0.0), cached=False)


def test_outputs_by_node_survive_the_store() -> None:
    assert Outputs.from_json(MADE.to_json()) == MADE
    assert "nodes" not in Outputs((PICTURE,)).to_json()


def test_a_node_gives_what_a_step_gives() -> None:
    nodes = VIEW["nodes"]
    assert list(nodes) == ["9", "12", "30"]
    assert nodes["9"]["images"] == [PICTURE, PICTURE]
    assert nodes["12"]["video"] == CLIP
    assert nodes["30"]["text"] == "a tale"
    with pytest.raises(KeyError):
        nodes["30"]["file"]
    assert list(files_of([nodes["12"], nodes])) == [CLIP, PICTURE, PICTURE, CLIP]
    assert dict(OutputsView(Outputs(texts=("a",)))) == {"text": "a", "texts": ["a"], "files": []}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("steps", "a", "nodes", "9", "image"), Pending("image")),
        (("steps", "a", "nodes", "9", "images"), Pending("image", many=True)),
        (("steps", "a", "nodes", "9", "images", 0), Pending("image")),
        (("steps", "a", "nodes", "9"), Pending()),
        (("steps", "a", "nodes"), Pending()),
    ],
)
def test_what_a_node_will_give(path: tuple[str | int, ...], expected: Pending) -> None:
    assert pending_of(Ref(path), {}) == expected
