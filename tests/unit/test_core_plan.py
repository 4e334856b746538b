"""What will happen to each node and why: one decision for plan and run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rhflow.core.errors import RecipeError
from rhflow.core.plan.plan import Plan, Reuse, Run, Wait
from rhflow.core.values import Outputs
from tests.fakes import FakeExecutor, FakeModels, artifact, outputs_of
from tests.support import Bench, files, plan_of, problems_of
from tests.unit.test_core_calls import DRAW

CHAIN = """
params: {subject: cat}
steps:
  words: {uses: text-to-text, with: {prompt: "about ${{ params.subject }}"}}
  draw: {uses: text-to-image, with: {prompt: "${{ steps.words.text }}"}}
  clip: {uses: image-to-video, with: {image: "${{ steps.draw.image }}", prompt: push in}}
  alone: {uses: text-to-image, with: {prompt: a dog}}
"""


def names(plan: Plan) -> dict[str, str]:
    """Return what is decided on each node, by the name of the decision."""
    return {node: type(decision).__name__ for node, decision in plan.decisions.items()}


async def done(bench: Bench) -> Bench:
    """Run a recipe to its end and return the next run of it."""
    await bench.run()
    return bench.again()


def test_at_first_everything_runs_or_waits() -> None:
    plan = plan_of(CHAIN)
    assert names(plan) == {"words": "Run", "draw": "Wait", "clip": "Wait", "alone": "Run"}
    draw, clip = plan.decisions["draw"], plan.decisions["clip"]
    assert isinstance(draw, Wait)
    assert isinstance(clip, Wait)
    assert list(draw.on) == ["words"]
    assert list(clip.on) == ["draw"]


def test_a_new_node_says_so() -> None:
    decision = plan_of(CHAIN).decisions["words"]
    assert isinstance(decision, Run)
    assert decision.reasons == ("new",)


async def test_a_finished_run_is_reused_through_the_whole_chain() -> None:
    again = await done(Bench(CHAIN))
    assert names(again.plan()) == dict.fromkeys(["words", "draw", "clip", "alone"], "Reuse")
    assert again.planner.views.keys() >= {"words", "draw", "clip", "alone"}


async def test_the_cache_is_asked_once_a_wave_not_once_a_node() -> None:
    again = await done(Bench(CHAIN))
    again.cache.lookups.clear()
    again.plan()
    assert [len(keys) for keys in again.cache.lookups] == [2, 1, 1]


async def test_a_changed_parameter_reruns_and_what_follows_waits() -> None:
    first = Bench(CHAIN)
    await first.run()
    plan = first.again(params={"subject": "dog"}).plan()
    assert names(plan) == {"words": "Run", "draw": "Wait", "clip": "Wait", "alone": "Reuse"}
    words = plan.decisions["words"]
    assert isinstance(words, Run)
    assert words.reasons == ("`prompt` changed",)


async def test_downstream_is_reused_when_upstream_gives_the_same_again() -> None:
    same = FakeExecutor({"words": Outputs(texts=("always this",))})
    first = Bench(CHAIN, executor=same)
    await first.run()
    second = first.again(params={"subject": "dog"}, executor=FakeExecutor(same.script))
    await second.run()
    assert second.executor.nodes == ["words"]


async def test_a_wave_goes_on_behind_what_is_cached() -> None:
    first = Bench(CHAIN)
    await first.run()
    changed = CHAIN.replace("push in", "pull out")
    plan = first.again(changed).plan()
    assert names(plan) == {"words": "Reuse", "draw": "Reuse", "clip": "Run", "alone": "Reuse"}
    clip = plan.decisions["clip"]
    assert isinstance(clip, Run)
    assert clip.reasons == ("`prompt` changed",)
    assert clip.call.inputs["firstImageUrl"].family == "image"


async def test_what_the_store_lost_is_made_again_and_says_why() -> None:
    first = Bench(CHAIN)
    await first.run()
    del first.cache.kept[next(call.key for call in first.executor.calls if call.node == "alone")]
    alone = first.again().plan().decisions["alone"]
    assert isinstance(alone, Run)
    assert alone.reasons == ("its result is not in the store",)


async def test_a_step_without_cache_always_runs() -> None:
    text = CHAIN.replace("alone: {", "alone: {cache: false, ")
    again = await done(Bench(text))
    alone = again.plan().decisions["alone"]
    assert isinstance(alone, Run)
    assert alone.reasons == ("`cache` is off",)


async def test_a_step_without_cache_runs_even_when_its_twin_is_cached() -> None:
    text = """
    steps:
      kept: {uses: text-to-image, with: {prompt: cat}}
      fresh: {uses: text-to-image, cache: false, with: {prompt: cat}}
    """
    again = await done(Bench(text))
    assert names(again.plan()) == {"kept": "Reuse", "fresh": "Run"}


async def test_a_result_of_the_simulator_is_no_result() -> None:
    first = Bench(CHAIN, realm="simulated")
    await first.run()
    assert first.again(realm="live").plan().count(Reuse) == 0
    assert first.again().plan().count(Reuse) == 4


# --- order -----------------------------------------------------------------------------------------------------------


def test_nodes_come_dependencies_first_else_as_written() -> None:
    assert list(plan_of(CHAIN).decisions) == ["words", "draw", "clip", "alone"]
    backwards = """
    steps:
      z: {uses: image-to-video, with: {image: "${{ steps.y.image }}", prompt: p}}
      m: {uses: text-to-image, with: {prompt: m}}
      y: {uses: text-to-image, with: {prompt: y}}
      b: {uses: text-to-image, with: {prompt: b}, needs: [z]}
      a: {uses: text-to-image, with: {prompt: a}}
    """
    assert list(plan_of(backwards).decisions) == ["m", "y", "z", "b", "a"]


def test_needs_is_an_edge_too() -> None:
    plan = plan_of("""
    steps:
      a: {uses: text-to-image, with: {prompt: a}}
      b: {uses: text-to-image, with: {prompt: b}, needs: [a]}
    """)
    assert names(plan) == {"a": "Run", "b": "Wait"}


# --- cost ------------------------------------------------------------------------------------------------------------


def test_the_cost_of_a_plan_is_the_sum_of_what_runs() -> None:
    assert str(plan_of("steps: {a: {uses: text-to-image, with: {prompt: x}}}").cost) == "0.2 CNY"
    assert str(plan_of("steps: {a: {uses: upload, with: {file: x}}}", local=files("x")).cost) == "0"


def test_what_waits_may_cost_nothing_and_at_most_its_price() -> None:
    cost = plan_of(CHAIN).cost
    assert str(cost).startswith("0.22 to ")
    draft = plan_of(CHAIN).decisions["draw"]
    assert isinstance(draft, Wait)
    assert str(draft.estimate) == "at most 0.2 CNY"


@pytest.mark.parametrize(
    ("clip", "price"),
    [
        ("with: {image: '${{ steps.draw.image }}', prompt: x}", "1.05 CNY"),
        ("with: {image: a.png, prompt: x}, needs: [draw]", "at most 1.05 CNY"),
        ("cache: false, with: {image: a.png, prompt: x}, needs: [draw]", "1.05 CNY"),
        (
            "if: '${{ steps.draw.seconds > 3 }}', with: {image: '${{ steps.draw.image }}', prompt: x}",
            "at most 1.05 CNY",
        ),
        ("with: {image: '${{ steps.small.image }}', prompt: x}", "1.05 CNY"),
        ("with: {image: '${{ steps.maybe.image }}', prompt: x}", "at most 1.05 CNY"),
        ("with: {image: a.png, prompt: '${{ steps.words.text }}'}", "at most 1.05 CNY"),
    ],
)
def test_what_is_sure_to_be_paid_counts_at_least(clip: str, price: str) -> None:
    text = f"""
    steps:
      words: {{uses: text-to-text, with: {{prompt: x}}}}
      draw: {{uses: text-to-image, with: {{prompt: x}}}}
      small: {{uses: resize, with: {{image: "${{{{ steps.draw.image }}}}", width: 64}}}}
      maybe:
        uses: image-to-image
        if: steps.words.text == 'yes'
        with: {{images: ["${{{{ steps.draw.image }}}}"], prompt: y}}
      clip: {{uses: image-to-video, {clip}}}
    """
    decision = plan_of(text, local=files("a.png")).decisions["clip"]
    assert isinstance(decision, Wait)
    assert str(decision.estimate) == price


def test_the_same_call_that_waits_twice_is_paid_once() -> None:
    clips = "uses: image-to-video, with: {image: '${{ steps.draw.image }}', prompt: x}"
    text = f"steps: {{draw: {{uses: text-to-image, with: {{prompt: x}}}}, a: {{{clips}}}, b: {{{clips}}}}}"
    assert [str(each.estimate) for each in plan_of(text).decisions.values()] == [
        "0.2 CNY", "1.05 CNY", "at most 1.05 CNY",
    ]  # fmt: skip


async def test_a_reused_plan_costs_nothing() -> None:
    assert str((await done(Bench(CHAIN))).plan().cost) == "0"


def test_an_unknown_price_is_never_zero() -> None:
    models = FakeModels(replace(DRAW, price=None))
    plan = plan_of("steps: {a: {uses: text-to-image, with: {prompt: x}}}", models=models)
    assert not plan.cost.known


# --- problems --------------------------------------------------------------------------------------------------------


def codes(text: str, **told: object) -> list[tuple[str, int]]:
    with pytest.raises(RecipeError) as caught:
        Bench(text, **told).plan()  # type: ignore[arg-type]
    return [(each.code, each.span.line if each.span else 0) for each in caught.value.problems]


def test_problems_of_all_steps_come_at_once() -> None:
    text = """
    params: {ratio: {type: string}, seconds: {type: string}}
    steps:
      a: {uses: text-to-image, with: {prompt: x, aspect_ratio: "${{ params.ratio }}"}}
      b: {uses: image-to-video, with: {prompt: x, image: gone.png}}
      c: {uses: text-to-image, with: {prompt: x}}
      d:
        uses: image-to-video
        with: {prompt: "${{ params.nothing or 'x' }}", image: "${{ steps.c.image }}", duration: "${{ params.seconds }}"}
      e: {uses: image-to-video, with: {prompt: x, image: gone-too.png}, needs: [c]}
    """.replace("${{ params.nothing or 'x' }}", "x")
    found = codes(text, params={"ratio": "7:1", "seconds": "77"})
    assert found == [("wrong-choice", 4), ("no-such-file", 5), ("wrong-choice", 9), ("no-such-file", 10)]


def test_several_problems_of_one_step_come_at_once() -> None:
    text = """
    params: {word: {type: string}}
    steps:
      a: {uses: image-to-video, with: {prompt: x, image: gone.png, duration: "${{ params.word }}", guidance: "${{ params.word }}"}}
    """  # noqa: E501
    assert [code for code, _ in codes(text, params={"word": "w"})] == ["no-such-file", "wrong-choice", "wrong-type"]


async def test_what_a_step_said_is_checked_when_it_is_known() -> None:
    text = """
    steps:
      words: {uses: text-to-text, with: {prompt: x}}
      draw: {uses: text-to-image, with: {prompt: x, aspect_ratio: "${{ steps.words.text }}"}}
      clip: {uses: image-to-video, with: {prompt: x, image: "${{ steps.words.text }}"}}
    """
    said = FakeExecutor({"words": Outputs(texts=("/etc/passwd",))})
    results = await Bench(text, local=files("/etc/passwd"), executor=said).run()
    found = [each for node in ("draw", "clip") if (error := results[node].error) for each in error.problems]
    assert [(each.code, each.span.line if each.span else 0) for each in found] == [
        ("wrong-choice", 4),
        ("not-a-file", 5),
    ]
    assert said.nodes == ["words"]


def test_a_local_file_is_checked_when_the_plan_is_made() -> None:
    text = "steps: {a: {uses: image-to-video, with: {prompt: x, image: clip.mp4}}}"
    assert codes(text, local=files("clip.mp4")) == [("wrong-media", 2)]


async def test_an_upload_gives_its_file_to_what_follows() -> None:
    text = """
    steps:
      up: {uses: upload, with: {file: a.png}}
      big: {uses: upscale, with: {image: "${{ steps.up.file }}"}}
    """
    bench = Bench(text, local=files("a.png"))
    results = await bench.run()
    assert results["big"].status == "succeeded"
    assert bench.executor.calls[1].inputs["imageUrl"] == artifact("a.png")


async def test_an_output_that_was_not_made_is_a_problem_with_a_place() -> None:
    text = """
    steps:
      draw: {uses: text-to-image, with: {prompt: x}}
      big: {uses: upscale, with: {image: "${{ steps.draw.files[1] }}"}}
    """
    bench = Bench(text, executor=FakeExecutor({"draw": outputs_of("image", "x")}))
    error = (await bench.run())["big"].error
    assert error is not None
    [problem] = error.problems
    assert problem.span is not None
    assert (problem.code, problem.span.line) == ("unknown-name", 4)
    assert problem.hint == "it is a list of 1: pick one, as in `[0]`"


async def test_a_result_whose_files_are_lost_is_made_again_and_the_plan_says_why() -> None:
    bench = Bench(CHAIN)
    await bench.run()
    again = bench.again()
    entry = next(each for each in again.cache.kept.values() if each.ingredients == again.cache.last["alone"])
    del again.cache.kept[entry.key]
    again.cache.damaged[entry.key] = "the stored result is damaged: `alone.png` has 1 of 9 bytes"
    plan = again.plan()
    assert names(plan) == {"words": "Reuse", "draw": "Reuse", "clip": "Reuse", "alone": "Run"}
    run = plan.decisions["alone"]
    assert isinstance(run, Run) and run.again and run.estimate.low > 0
    assert run.reasons == ("the stored result is damaged: `alone.png` has 1 of 9 bytes",)
    changed = again.again(CHAIN.replace("a dog", "a cow")).plan().decisions["alone"]
    assert isinstance(changed, Run) and not changed.again and changed.reasons == ("`prompt` changed",)


def test_a_call_that_would_be_refused_is_told_before_anything_is_paid() -> None:
    text = """
    steps:
      draw: {uses: text-to-image, with: {prompt: a cat}}
      again: {uses: text-to-image, model: gpt-image-1-5-t2i-lowcost, with: {prompt: "${{ steps.draw.image.name }}"}}
    """
    assert [each.severity for each in problems_of(text)] == ["warning"]
    with pytest.raises(RecipeError, match="`gpt-image-1-5-t2i-lowcost` was withdrawn"):
        plan_of(text)
