"""Kinds of this machine to the core: what they take, what they will give, what they cost."""

from __future__ import annotations

from types import SimpleNamespace

import httpx
import pytest

from rhflow.app.account.limits import asks_the_service
from rhflow.core.cost import Estimate
from rhflow.core.errors import StepError
from rhflow.core.inputs.coerce import BadValueError, coerce
from rhflow.core.inputs.input_schema import input_schema
from rhflow.core.kinds import Field
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.plan import Run, Wait
from rhflow.runninghub.transport.nobody import Nobody
from rhflow.steps.kinds import all_kinds
from rhflow.steps.local.kinds import LOCAL
from rhflow.steps.local.run import OPERATIONS
from rhflow.steps.registry import Registry
from tests.fakes import artifact
from tests.support import files, plan_of, problems_of

AT = Field("at", "string", pattern=r"last|\d+(\.\d*)?", form="`last` or seconds", about="which frame")


def not_a_file(path: str):
    raise AssertionError(f"{path} was taken for a file")


@pytest.mark.parametrize(("given", "taken"), [("last", "last"), (2, "2"), (2.5, "2.5"), ("2.", "2.")])
def test_a_text_of_the_form_that_is_wanted(given: object, taken: str) -> None:
    assert coerce(AT, given, not_a_file) == taken


@pytest.mark.parametrize("given", ["end", "last ", "-1", "2s", ""])
def test_a_text_of_another_form(given: str) -> None:
    with pytest.raises(BadValueError, match="takes `last` or seconds, not"):
        coerce(AT, given, not_a_file)


def test_an_editor_is_told_the_form() -> None:
    schema = input_schema(AT, "at")
    assert schema["description"] == "Which frame. `last` or seconds."
    assert schema["pattern"].endswith(r"|^(last|\d+(\.\d*)?)$")
    assert schema["patternErrorMessage"] == "takes `last` or seconds, or an expression"


def test_every_kind_is_free_and_carried_out_here() -> None:
    assert {each.name for each in LOCAL} == OPERATIONS.keys()
    assert all(not each.paid and each.pool == "local" and each.description for each in LOCAL)
    for kind in LOCAL:
        own = {each.name for each in kind.fields}
        assert all(set(group) <= own for group in (*kind.any_of, *kind.never_both))
        assert all(each.about or each.name == "duration" for each in kind.fields), kind.name


def test_two_inputs_of_which_one_can_count() -> None:
    [problem] = problems_of("steps: {a: {uses: resize, with: {image: a.png, scale: 2, width: 100}}}")
    assert (problem.code, problem.hint) == ("conflict", "leave out `scale` or `width`")


def test_one_of_a_group_must_be_given() -> None:
    [problem] = problems_of("steps: {a: {uses: resize, with: {image: a.png}}}")
    assert problem.message == "step `a`: `resize` needs `width` or `height` or `scale`"


TEXT = """
steps:
  all: {uses: concat, with: {videos: [a.mp4, b.mp4], crossfade: 1}}
  half: {uses: resize, with: {video: "${{ steps.all.video }}", scale: 0.5}}
  large: {uses: upscale, model: rh-video-upscaler, with: {video: "${{ steps.half.video }}", resolution: 1080p}}
"""


def test_the_length_of_what_comes_counts_for_prices_after_it() -> None:
    plan = plan_of(TEXT, local=files("a.mp4", "b.mp4", duration=4.0))
    joined, half, large = plan.decisions.values()
    assert isinstance(joined, Run) and isinstance(half, Wait) and isinstance(large, Wait)
    assert (joined.estimate, half.estimate) == (Estimate(), Estimate())
    alone = plan_of(
        "steps: {l: {uses: upscale, model: rh-video-upscaler, with: {video: a.mp4, resolution: 1080p}}}",
        local=files("a.mp4", duration=8.0),
    ).decisions["l"]
    assert isinstance(alone, Run)
    assert large.estimate.high == alone.estimate.high is not None


def test_a_length_that_is_not_known_leaves_the_price_open() -> None:
    text = TEXT.replace("[a.mp4, b.mp4]", '"${{ steps.c.videos }}"').replace(
        "steps:", "steps:\n  c: {uses: text-to-video, foreach: [a, b], with: {prompt: '${{ item }}'}}", 1
    )
    large = plan_of(text).decisions["large"]
    assert isinstance(large, Wait) and large.estimate.high is None


def test_the_key_follows_the_content_and_the_order() -> None:
    def key(*names: str, **more: str) -> str:
        local = {each: artifact(each, content=more.get(each, each)) for each in names}
        plan = plan_of(f"steps: {{a: {{uses: concat, with: {{videos: [{', '.join(names)}]}}}}}}", local=_local(local))
        [decision] = plan.decisions.values()
        assert isinstance(decision, Run)
        return decision.call.key

    assert key("a.mp4", "b.mp4") != key("b.mp4", "a.mp4")
    assert key("a.mp4", "c.mp4", **{"c.mp4": "b.mp4"}) == key("a.mp4", "b.mp4")


def _local(found: dict[str, object]):
    known = files()
    known.update(found)  # type: ignore[arg-type]
    return known


# --- no account is needed --------------------------------------------------------------------------------------------

PARTS = {"./part.yaml": "params: {v: {type: video}}\nsteps: {f: {uses: frame, with: {video: '${{ params.v }}'}}}"}
FRAMES = "f: {uses: frame, foreach: [first, last], with: {video: a.mp4, at: '${{ item }}'}}"
LOOP = "foreach: '${{ steps.f.images }}', with: {image: '${{ item }}', width: 64}}"


@pytest.mark.parametrize(
    ("steps", "asks"),
    [
        (FRAMES, False),
        (f"{FRAMES}, r: {{uses: resize, {LOOP}", False),
        (f"{FRAMES}, r: {{uses: ./part.yaml, foreach: '${{{{ steps.f.images }}}}', with: {{v: a.mp4}}}}", False),
        (f"{FRAMES}, r: {{uses: upscale, {LOOP.replace('width: 64', 'scale: 2x')}", True),
        ("u: {uses: upload, with: {file: a.mp4}}", True),
        (f"{FRAMES}, t: {{uses: text-to-image, with: {{prompt: x}}}}", True),
    ],
)
def test_who_asks_the_service(steps: str, asks: bool) -> None:
    plan = plan_of(f"steps: {{{steps}}}", local=files("a.mp4", duration=4.0), parts=PARTS)
    assert asks_the_service(plan, all_kinds()) is asks


async def test_nothing_is_sent_where_no_account_is_open() -> None:
    tools = SimpleNamespace(closed=True)
    call = StepCall("draw", all_kinds()["text-to-image"], None, {}, "key", {})
    with pytest.raises(StepError, match="was to be reused") as caught:
        await Registry(tools).execute(call, _no_report)  # type: ignore[arg-type]
    assert caught.value.problems[0].hint == "run again"
    async with httpx.AsyncClient(transport=Nobody()) as client:
        with pytest.raises(httpx.ConnectError, match="no account"):
            await client.get("https://service.test")


async def _no_report(*_: object, **__: object) -> None:
    raise AssertionError("there is nothing to report")
