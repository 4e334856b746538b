"""Plans of loops: what their nodes can read, what a whole loop gives, what is skipped, and what is made again."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.core.errors import RecipeError
from rhflow.core.plan.plan import Later, Run, Wait
from rhflow.core.values import Outputs
from tests.fakes import FakeExecutor, artifact
from tests.support import Bench, files, plan_of, problems_of, statuses
from tests.unit.loops_support import kinds, prompts, prompts_run


def one(text: str, **told: Any) -> dict[str, Any]:
    """Return the prompts of a recipe with one step ``s``, given without its kind."""
    return prompts(plan_of(f"steps: {{s: {{uses: text-to-image, {text}}}}}", **told))


# --- names -----------------------------------------------------------------------------------------------------------


def test_item_key_and_index() -> None:
    found = one('foreach: [{key: A, say: x}, b], with: {prompt: "${{ key }} ${{ index }} ${{ item }}"}')
    assert found == {"s[a]": 'a 0 {"key": "A", "say": "x"}', "s[b]": "b 1 b"}


def test_matrix_and_variation() -> None:
    prompt = "${{ matrix.look }} ${{ matrix.n }} ${{ variation }}"
    assert one(f'matrix: {{look: [day], n: [1, 2]}}, variations: 2, with: {{prompt: "{prompt}"}}') == {
        "s[day-1-1]": "day 1 1", "s[day-1-2]": "day 1 2", "s[day-2-1]": "day 2 1", "s[day-2-2]": "day 2 2",
    }  # fmt: skip


def test_a_map_and_a_range() -> None:
    assert one('foreach: {Morning: sun, night: moon}, with: {prompt: "${{ item }}"}') == {
        "s[morning]": "sun",
        "s[night]": "moon",
    }
    assert one('foreach: {range: 2}, with: {prompt: "take ${{ item + 1 }}"}') == {"s[0]": "take 1", "s[1]": "take 2"}


def test_items_may_use_params_and_vars() -> None:
    text = """
    params: {brand: Nimbus}
    vars: {look: soft}
    steps:
      s:
        uses: text-to-image
        foreach: ["${{ params.brand }}", {key: b, say: "${{ vars.look }} light", deep: [{at: "${{ params.brand }}"}]}]
        with: {prompt: "${{ item.say if key == 'b' else item }} ${{ item.deep[0].at if key == 'b' else '' }}"}
    """
    assert prompts(plan_of(text)) == {"s[nimbus]": "Nimbus ", "s[b]": "soft light Nimbus"}


def test_nested_data_keeps_its_types() -> None:
    text = """
    steps:
      s:
        uses: image-to-video
        foreach: [{image: a.png, seconds: 10, tags: [x, {y: z}]}]
        with: {prompt: "${{ item.tags[1].y }} ${{ item.tags | length }}", image: "${{ item.image }}", duration: "${{ item.seconds }}"}
    """  # noqa: E501
    [decision] = plan_of(text, local=files("a.png")).decisions.values()
    assert isinstance(decision, Run)
    assert decision.call.inputs["prompt"] == "z 2"
    assert decision.call.inputs["duration"] == "10"
    assert decision.call.inputs["firstImageUrl"] == artifact("a.png")


def test_a_prompt_without_the_item_is_one_call_for_all() -> None:
    plan = plan_of("steps: {s: {uses: text-to-image, foreach: [a, b], with: {prompt: x}}}")
    first, second = plan.decisions.values()
    assert isinstance(first, Run)
    assert isinstance(second, Run)
    assert first.call.key == second.call.key
    assert (second.reasons, str(plan.cost)) == (("the same call as `s[a]`",), "0.2 CNY")


async def test_prev_is_what_the_node_before_gave_and_null_for_the_first() -> None:
    text = """
    steps:
      s:
        uses: text-to-text
        foreach: [a, b, c]
        chain: true
        with: {prompt: "${{ item }} after ${{ prev.text if prev else 'nothing' }}"}
    """
    said = FakeExecutor({f"s[{key}]": Outputs(texts=(key.upper(),)) for key in "abc"})
    assert await prompts_run(text, executor=said) == {
        "s[a]": "a after nothing",
        "s[b]": "b after A",
        "s[c]": "c after B",
    }


def test_prev_of_the_first_item_has_no_outputs() -> None:
    text = """
    steps:
      s: {uses: image-to-image, foreach: [a, b], chain: true, with: {prompt: x, image: "${{ prev.image }}"}}
    """
    with pytest.raises(RecipeError) as caught:
        plan_of(text)
    [problem] = caught.value.problems
    assert problem.hint == "nothing is before the first item: `${{ prev.image if prev else … }}`"


# --- files in items --------------------------------------------------------------------------------------------------


def test_paths_that_the_author_or_a_parameter_gave_are_files() -> None:
    for foreach in ("[a.png, {image: a.png}]", '"${{ params.pictures }}"', '"${{ vars.pictures }}"'):
        text = f"""
        params: {{pictures: {{type: list, default: [a.png]}}, use: x}}
        vars: {{pictures: [a.png]}}
        steps:
          s:
            uses: upscale
            foreach: {foreach}
            with: {{image: "${{{{ item.image if item is mapping else item }}}}"}}
        """
        for decision in plan_of(text, local=files("a.png")).decisions.values():
            assert isinstance(decision, Run)
            assert decision.call.inputs["imageUrl"] == artifact("a.png")


def test_paths_in_a_matrix_are_files_too() -> None:
    text = 'steps: {s: {uses: upscale, matrix: {of: [a.png, b.png]}, with: {image: "${{ matrix.of }}"}}}'
    plan = plan_of(text, local=files("a.png", "b.png"))
    assert [each.call.inputs["imageUrl"].name for each in plan.decisions.values()] == ["a.png", "b.png"]  # type: ignore[union-attr]


async def test_a_path_of_the_author_is_a_file_also_two_loops_later() -> None:
    text = """
    steps:
      still:
        uses: text-to-image
        foreach: [{key: a, end: end.png}]
        with: {prompt: x}
      clip:
        uses: start-end-to-video
        foreach: ${{ steps.still.items }}
        with: {prompt: x, first_frame: "${{ item.image }}", last_frame: "${{ item.item.end }}"}
    """
    bench = Bench(text, local=files("end.png"))
    assert statuses(await bench.run()) == {"still[a]": "succeeded", "clip[a]": "succeeded"}
    assert artifact("end.png") in bench.executor.calls[1].inputs.values()


@pytest.mark.parametrize(
    ("loop", "value"),
    [
        ('foreach: "${{ steps.words.json }}"', "item.path"),
        ("matrix: {of: \"${{ steps.words.json | map(attribute='path') | list }}\"}", "matrix.of"),
        ('foreach: [{path: "${{ steps.words.json[0].path }}"}]', "item.path"),
        ('foreach: [a.png], variations: "${{ steps.words.json | length }}"', "steps.words.json[0].path"),
    ],
)
async def test_a_path_that_a_model_wrote_is_never_read(loop: str, value: str) -> None:
    text = f"""
    steps:
      words: {{uses: text-to-text, with: {{prompt: JSON}}}}
      s: {{uses: upscale, {loop}, with: {{image: "${{{{ {value} }}}}"}}}}
    """
    said = FakeExecutor({"words": Outputs(texts=('[{"path": "a.png"}]',))})
    bench = Bench(text, local=files("a.png"), executor=said)
    results = await bench.run()
    [failed] = [each for each in results.values() if each.status == "failed"]
    assert failed.error is not None
    assert [each.code for each in failed.error.problems] == ["not-a-file"]
    assert said.nodes == ["words"]


# --- what is not known yet -------------------------------------------------------------------------------------------


def test_a_linked_item_is_known_as_far_as_the_recipe_tells() -> None:
    text = """
    steps:
      still:
        uses: text-to-image
        foreach: [{key: a, seconds: 5, model: kling-v2-6-pro-i2v}, {key: b, seconds: 10, model: kling-v2-6-pro-i2v}]
        with: {prompt: x}
      clip:
        uses: image-to-video
        foreach: ${{ steps.still.items }}
        model: ${{ item.item.model }}
        with: {prompt: "${{ item.key }} ${{ item.index }}", image: "${{ item.image }}", duration: "${{ item.item.seconds }}"}
    """  # noqa: E501
    plan = plan_of(text)
    clips = [plan.decisions["clip[a]"], plan.decisions["clip[b]"]]
    assert [each.draft.bound.values["prompt"] for each in clips if isinstance(each, Wait)] == ["a 0", "b 1"]
    assert [each.draft.bound.values["duration"] for each in clips if isinstance(each, Wait)] == ["5", "10"]
    short, long = (each.estimate.high for each in clips if isinstance(each, Wait))
    assert short is not None
    assert long is not None
    assert long > short


def test_what_waits_in_one_part_of_an_item_does_not_hold_up_the_others() -> None:
    text = """
    steps:
      draw: {uses: text-to-image, with: {prompt: x}}
      clip:
        uses: image-to-video
        foreach: [{key: a, image: "${{ steps.draw.image }}", model: kling-v2-6-pro-i2v, seconds: 10}]
        model: ${{ item.model }}
        with: {prompt: "${{ item.key }}", image: "${{ item.image }}", duration: "${{ item.seconds }}"}
    """
    decision = plan_of(text).decisions["clip[a]"]
    assert isinstance(decision, Wait)
    assert decision.draft.model is not None
    assert (decision.draft.model.id, decision.draft.bound.values["duration"]) == ("kling-v2-6-pro-i2v", "10")
    assert decision.on == ("draw",)


def test_the_wrong_medium_of_an_item_is_found_before_anything_runs() -> None:
    text = """
    steps:
      still: {uses: text-to-image, foreach: [a], with: {prompt: x}}
      sing: {uses: upscale, foreach: "${{ steps.still.items }}", with: {video: "${{ item.video }}"}}
    """
    assert [each.message for each in problems_of(text)] == ["step `still` gives an image, not a video"]


def test_a_linked_loop_knows_the_length_of_its_clips() -> None:
    text = """
    steps:
      clip:
        uses: image-to-video
        foreach: [{key: a, seconds: 5}, {key: b, seconds: 10}]
        with: {prompt: x, image: a.png, duration: "${{ item.seconds }}"}
      big:
        uses: upscale
        foreach: ${{ steps.clip.items }}
        with: {video: "${{ item.video }}", resolution: 1080p}
    """
    plan = plan_of(text, local=files("a.png"))
    prices = [each.estimate.high for node, each in plan.decisions.items() if isinstance(each, Wait)]
    assert prices[0] is not None
    assert prices == [prices[0], prices[0] * 2]


def test_a_loop_that_grows_is_one_line_with_an_unknown_price() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      still: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item }}"}}
      up: {uses: upload, foreach: "${{ steps.words.json }}", with: {file: "${{ item }}"}}
      clip: {uses: image-to-video, foreach: "${{ steps.still.items }}", with: {prompt: x, image: "${{ item.image }}"}}
      poster: {uses: image-to-image, with: {prompt: x, images: "${{ steps.still.images }}"}}
    """
    plan = plan_of(text)
    assert kinds(plan) == {"words": "Run", "still[*]": "Later", "up[*]": "Later", "clip[*]": "Later", "poster": "Wait"}
    still, up, clip = (plan.decisions[f"{name}[*]"] for name in ("still", "up", "clip"))
    assert isinstance(still, Later)
    assert isinstance(up, Later)
    assert isinstance(clip, Later)
    assert (still.on, clip.on) == (("words",), ("still[*]",))
    assert (still.estimate.known, up.estimate.known) == (False, True)
    assert not plan.cost.known


# --- problems --------------------------------------------------------------------------------------------------------


def test_problems_of_items_have_the_place_in_the_recipe() -> None:
    text = """
    params: {shots: {type: list}}
    steps:
      s: {uses: text-to-image, foreach: "${{ params.shots }}", with: {prompt: x, aspect_ratio: "${{ item.ratio }}"}}
    """
    with pytest.raises(RecipeError) as caught:
        plan_of(text, params={"shots": [{"ratio": "16:9"}, {"ratio": "7:1"}, {"raito": "1:1"}]})
    found = [(each.code, each.span.line if each.span else 0) for each in caught.value.problems]
    assert found == [("wrong-choice", 4), ("unknown-name", 4)]


async def test_a_list_that_a_model_got_wrong_is_told_with_its_place() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: JSON}}
      s: {uses: text-to-image, foreach: "${{ steps.words.json }}", with: {prompt: "${{ item }}"}}
    """
    for said, code in {"not json": "not-json", '{"a": 1': "not-json", "3": "bad-foreach"}.items():
        bench = Bench(text, executor=FakeExecutor({"words": Outputs(texts=(said,))}))
        error = (await bench.run())["s[*]"].error
        assert error is not None
        [problem] = error.problems
        assert problem.span is not None
        assert (problem.code, problem.span.line) == (code, 4)
