"""Values put into workflows and forms: what fits is sent, and what does not is told before anything is paid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rhflow.core.errors import StepError
from rhflow.runninghub.operations.apps import AppDemo, AppInput, Choice
from rhflow.runninghub.operations.orders import NodeValue
from rhflow.steps import comfyui
from rhflow.steps.app import filled_in
from rhflow.steps.comfyui import check_values, filled
from rhflow.steps.once import Once
from tests.fakes import artifact

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "model": ["4", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["4", 1]}},
    "57:8": {"class_type": "Inner", "inputs": {"pair": [1, 2]}},
}
FORM = AppDemo(
    "Restyler",
    (
        AppInput("1", "image", "IMAGE", "example.png", "上传图片", "Photo"),
        AppInput("7", "select", "LIST", "1", "风格", "Style", choices=(Choice("1", "Day"), Choice("2", "Night"))),
        AppInput("12", "denoise", "FLOAT", "0.65", "强度", "Strength"),
        AppInput("13", "steps", "INT", "20", "步数", "Strength"),
        AppInput("14", "hires", "SWITCH", "true", "高清"),
    ),
)


class _Vault:
    """Gives a name to every file that a node is to have."""

    async def node_name(self, file: Any) -> str:
        return f"api/{file.name}"


class _Tools:
    vault = _Vault()


def troubles(*names: str) -> list[tuple[str, str | None, tuple[str, ...]]]:
    with pytest.raises(StepError) as caught:
        check_values(GRAPH, names, where="the graph")
    return [(each.message, each.hint, each.input) for each in caught.value.problems]


def test_values_that_fit() -> None:
    check_values(GRAPH, ["6.text", "3.seed", "57:8.pair"], where="the graph")


def test_a_node_that_is_not_there_is_found_by_its_input() -> None:
    [(message, hint, place)] = troubles("66.text")
    assert message == "the graph has no node `66`, which `66.text` names"
    assert (hint, place) == ("inputs of this name: `6.text`", ("nodes", "66.text"))
    assert troubles("66.colour")[0][1] == "did you mean `6`?"


def test_every_problem_is_told_with_the_nearest_name() -> None:
    found = troubles("6.txt", "3.model", "4.ckpt")
    assert [hint for _, hint, _ in found] == [
        "did you mean `text`?", "set an input of node `4` instead", "did you mean `ckpt_name`?",
    ]  # fmt: skip
    assert found[1][0] == "`3.model` comes from node `4` in the graph, so it cannot be set"


def test_a_graph_is_filled_without_being_changed() -> None:
    result = filled(GRAPH, [NodeValue("6", "text", "a cat"), NodeValue("3", "seed", 7)])
    assert (result["6"]["inputs"]["text"], result["3"]["inputs"]["seed"]) == ("a cat", 7)
    assert GRAPH["6"]["inputs"]["text"] == "a fox"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a workflow in API format"),
        ("{}", "is not a workflow in API format"),
        (json.dumps({"nodes": [], "links": [], "version": 0.4}), "is not a workflow in API format"),
    ],
)
async def test_a_file_that_is_no_graph(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "graph.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StepError, match=message) as caught:
        await comfyui._read_graph(artifact("graph.json", path=str(path)))
    assert caught.value.problems[0].input == ("graph",)


async def sent(values: dict[str, Any]) -> dict[str, Any]:
    nodes = await filled_in(FORM, values, _Tools(), app="201")  # type: ignore[arg-type]
    return {f"{each.node}.{each.field}": each.value for each in nodes}


async def test_a_form_is_sent_whole_with_values_put_in() -> None:
    found = await sent({"photo": artifact("a.png"), "风格": "night", "12.denoise": 0.5, "高清": False})
    assert found == {
        "1.image": "api/a.png", "7.select": "2", "12.denoise": "0.5", "13.steps": "20", "14.hires": "false",
    }  # fmt: skip


async def refused(values: dict[str, Any]) -> list[tuple[str, str | None]]:
    with pytest.raises(StepError) as caught:
        await sent(values)
    return [(each.message, each.hint) for each in caught.value.problems]


async def test_names_and_values_that_do_not_fit_are_told_at_once() -> None:
    found = await refused({"Stile": 1, "Style": "Nacht", "13.steps": 2.5, "14.hires": "maybe", "1.image": "./a.png"})
    assert [message for message, _ in found] == [
        "the AI app `201` has no input `Stile`",
        "`Style`: `Nacht` is not one of its 2 values",
        "`13.steps`: takes a whole number, not `2.5`",
        "`14.hires`: takes true or false, not `maybe`",
        "`1.image`: takes a file, and `./a.png` is only a text",
    ]
    assert [hint for _, hint in found][:2] == ["did you mean `Style`?", "did you mean `Night`?"]


async def test_a_label_that_two_inputs_have() -> None:
    [(message, hint)] = await refused({"strength": 1})
    assert (message, hint) == (
        "the AI app `201` has several inputs `strength`", "use `12.denoise` or `13.steps`",
    )  # fmt: skip


async def test_what_is_asked_twice_is_answered_once_unless_it_failed() -> None:
    asked = 0

    async def ask() -> int:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise StepError([])
        return asked

    answers: Once[int] = Once()
    with pytest.raises(StepError):
        await answers.get("a", ask)
    assert [await answers.get("a", ask), await answers.get("a", ask)] == [2, 2]
