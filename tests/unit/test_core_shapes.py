"""What is known of values before they are there: typos in parts are found, and nothing that may turn out well is."""

from __future__ import annotations

import pytest

from rhflow.catalog.catalog import Catalog
from rhflow.core.plan.infer import Inference
from rhflow.core.plan.shapes import ANY, TEXT, Absent, Data, FileShape, LoopShape, Made, part_of
from rhflow.core.plan.views import FACT_NAMES, OUTPUT_NAMES, ItemView, LoopView, PipelineView, StepView
from rhflow.core.recipe.loops import OF_LOOPS
from rhflow.core.recipe.template import Template, syntax_of
from rhflow.core.values import ARTIFACT_MEMBERS, Entry, Outputs, member_of
from rhflow.steps.kinds import all_kinds
from tests.fakes import artifact
from tests.support import problems_of

STILL = """
  still:
    uses: text-to-image
    foreach: [{key: a, scene: dawn, mood: calm}, {key: b, scene: noon}]
    with: {prompt: "${{ item.scene }}"}
"""
SHOT = """\
rhflow: 1
params: {subject: {type: string}}
steps:
  still: {uses: text-to-image, with: {prompt: "${{ params.subject }}"}}
outputs:
  picture: ${{ steps.still.image }}
  words: {from: "${{ params.subject }}"}
"""


def errors_of(steps: str, **told: str) -> list[str]:
    """Return the messages of what is wrong with a recipe of these steps."""
    found = problems_of(f"steps:\n{STILL.strip(chr(10))}\n{steps}", **told)
    return [each.message for each in found if each.severity == "error"]


# --- the same members as the views -----------------------------------------------------------------------------------


def test_shapes_have_the_members_of_the_views_that_they_stand_for() -> None:
    outputs = Outputs((artifact("a.png"), artifact("b.mp4"), artifact("c.mp3"), artifact("d.glb")), ("{}",))
    step = StepView(Entry("k", outputs, {}, 0.0), cached=True)
    facts = {"key": "a", "index": 0, "item": 1}
    item = ItemView(step, facts)
    made = Made("s", facts={name: lambda: ANY for name in facts})
    for view, shape in ((step, Made("s")), (item, made), (LoopView([item], "succeeded"), LoopShape(made))):
        for name in view:
            assert not isinstance(part_of(shape, name, "`x`"), Absent), name
    recipe = PipelineView({"words": "x"}, dict, [step], "succeeded")
    shape = Made("s", outputs={"words": lambda: TEXT})
    for name in (*OUTPUT_NAMES, *FACT_NAMES, "words", "nothing"):
        known = True
        try:
            recipe[name]
        except KeyError:
            known = False
        assert known or isinstance(part_of(shape, name, "`x`"), Absent) or name in ("image", "video", "audio",
                                                                                    "model3d", "file")  # fmt: skip
    assert set(OF_LOOPS) <= set(LoopView([item], "succeeded"))


def test_every_member_of_a_file_has_the_shape_of_its_value() -> None:
    of_file = artifact("a.png")
    for name in ARTIFACT_MEMBERS:
        value = member_of(of_file, name)
        assert value is None or (part_of(FileShape(), name, "`x`") is TEXT) == isinstance(value, str), name


def test_the_medium_of_a_kind_is_that_of_its_default_model() -> None:
    catalog, kinds = Catalog.load(), all_kinds()
    defaults = [(kind, catalog.default_for(task)) for kind in kinds.values() for task in kind.tasks]
    assert all(kind.output in ("file", model.output) for kind, model in defaults if model is not None)


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${{ steps.still.items[0].item.scen }}", "`steps.still.items[0].item` has no `scen`"),
        ("${{ steps.still['b'].item.mood }}", "`steps.still.b.item` has no `mood`"),
        ("${{ (steps.still.items | first).hight }}", "an item of step `still` has no `hight`"),
        ("${{ (steps.still.items + steps.still.items)[4] }}", "this has 4 items, there is no `[4]`"),
        ("${{ steps.still.images | sum(attribute='widht') }}", "this is a file, it has no `widht`"),
        ("{% set one = steps.still.a %}${{ one.imge }}", "an item of step `still` has no `imge`"),
        ("${{ steps.still.a.nodes[9].text }}", "the ids of nodes are texts"),
    ],
)
def test_a_part_that_there_is_not(value: str, message: str) -> None:
    assert errors_of(f'  b: {{uses: text-to-image, with: {{prompt: "{value}"}}}}') == [message]


def test_outputs_of_a_recipe_that_is_a_step() -> None:
    use = "  shot: {uses: ./shot.yaml, with: {subject: tea}}\n"
    parts = {"./shot.yaml": SHOT}
    wrong = '  b: {uses: text-to-image, with: {prompt: "${{ steps.shot.picture.widht }} ${{ steps.shot.words.x }}"}}'
    found = problems_of(f"steps:\n{use}{wrong}", parts=parts)
    assert [each.message for each in found if each.severity == "error"] == [
        "`steps.shot.picture` is a file, it has no `widht`", "`steps.shot.words` has no `x`",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("step", "what", "hint"),
    [
        ('sheet, with: {images: "${{ steps.still.items }}"}', "`steps.still.items`", "write `steps.still.images`"),
        ('sheet, with: {images: "${{ steps.still.items | reverse }}"}', "this", "add `| map(attribute='image')`"),
        ('text-to-image, with: {prompt: "${{ steps.still.items }}"}', "`steps.still.items`",
         "write `steps.still.images`"),
        ('text-to-image, with: {prompt: "like ${{ steps.still.items }}"}', "`steps.still.items`",
         "add `| map(attribute='image.name') | join(', ')`"),
        ('sheet, foreach: "${{ steps.still.items | batch(2) }}", with: {images: "${{ item }}"}', "`item`",
         "add `| map(attribute='image')`"),
    ],
)  # fmt: skip
def test_a_list_of_whole_items_stands_where_their_outputs_are_meant(step: str, what: str, hint: str) -> None:
    found = [each for each in problems_of(f"steps:{STILL}  b: {{uses: {step}}}") if each.severity == "error"]
    assert [(each.code, each.message, each.hint) for each in found] == [
        ("whole-step", f"{what} is a list of whole items, not of their outputs", hint)
    ]


@pytest.mark.parametrize("value", ["steps.words.texts", "steps.still.items | map(attribute='key')"])
def test_a_list_that_is_sure_to_have_two_does_not_go_into_a_text(value: str) -> None:
    words = "  words: {uses: text-to-text, variations: 2, with: {prompt: x}}\n"
    assert errors_of(f'{words}  b: {{uses: text-to-image, with: {{prompt: "${{{{ {value} }}}}"}}}}') == [
        "step `b`: `prompt`: takes one value, not a list of 2"
    ]


def test_the_item_of_an_item_is_meant_where_it_is_nearest() -> None:
    clip = 'uses: image-to-video, foreach: "${{ steps.still.items }}"'
    given = 'image: "${{ item.image }}", prompt: "${{ item.secne }}"'
    found = problems_of(f"steps:{STILL}  b: {{{clip}, with: {{{given}}}}}")
    assert [each.hint for each in found if each.severity == "error"] == ["did you mean `item.item.scene`?"]


# --- what may turn out well ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "${{ steps.still.b.item.mood | default('none') }}",
        "${{ steps.still.b.item.mood if steps.still.b.item.mood is defined else '' }}",
        "${{ steps.still.b.item.mood if 'mood' in steps.still.b.item else '' }}",
        "{% for x in steps.still.items %}{% if x.key == 'a' %}${{ x.item.mood }}{% endif %}{% endfor %}",
        "${{ steps.still.items | selectattr('item.mood', 'defined') | map(attribute='item.mood') | join }}",
        "${{ steps.still.items | map(attribute='item.mood', default='') | join }}",
        "${{ steps.still.items[index].key }}",
        "${{ steps.still.images[3].name }}",
        "${{ steps.still.b.item.get('mood', '') }}",
        "{% set x = steps.still.a %}{% if true %}{% set x = {'imge': 1} %}{% endif %}${{ x.imge }}",
        "${{ steps.list.json.shots[4].scene }}",
        "${{ steps.list.text[:20] }} ${{ steps.list.text.strip() }}",
        "${{ steps.flow.nodes['9'].video.duration }} ${{ steps.flow.texts | join }}",
        "${{ (steps.still.items | first).image.width }} ${{ steps.still.a.image.width // 2 }}",
    ],
)
def test_nothing_is_wrong_with(value: str) -> None:
    others = """
  list: {uses: text-to-text, with: {prompt: shots}}
  flow: {uses: comfyui, with: {workflow: "1900000000000000101"}}
"""
    assert errors_of(f'{others}  b: {{uses: text-to-image, foreach: [x], with: {{prompt: "{value}"}}}}') == []


def test_an_item_that_is_left_out_may_lack_what_the_others_have() -> None:
    steps = """
  b: {uses: image-to-image, foreach: "${{ steps.still.items }}", if: item.item.mood is defined,
      with: {images: ["${{ item.image }}"], prompt: "${{ item.item.mood }}"}}
  c: {uses: text-to-image, foreach: [{x: 1}, {y: 2}], if: item.x is defined, with: {prompt: "${{ item.x }}"}}
"""
    assert errors_of(steps) == []


def test_a_recipe_may_be_given_a_list_of_items_and_an_output_may_be_one() -> None:
    every = "rhflow: 1\nparams: {all: {type: list}}\nsteps:\n"
    every += '  a: {uses: text-to-image, foreach: "${{ params.all }}", with: {prompt: "${{ item.key }}"}}\n'
    steps = (
        '  b: {uses: ./every.yaml, with: {all: "${{ steps.still.items }}"}}\noutputs: {o: "${{ steps.still.items }}"}'
    )
    assert errors_of(steps, parts={"./every.yaml": every}) == []


def test_a_list_that_may_be_short_goes_into_a_single_input() -> None:
    short = STILL.replace("    with:", "    on_error: skip\n    with:")
    clip = '  b: {uses: image-to-video, with: {image: "${{ steps.still.images }}", prompt: x}}'
    assert not [each for each in problems_of(f"steps:\n{short}{clip}") if each.severity == "error"]
    assert errors_of(clip) == ["step `b`: `image`: takes one value, not a list of 2"]


def test_loops_may_follow_one_another_through_expressions_many_times() -> None:
    over, image = "${{ steps.sY.items | map(attribute='image') }}", "${{ item }}"
    line = f'  sX: {{uses: upscale, foreach: "{over}", with: {{image: "{image}"}}}}\n'
    lines = [line.replace("X", str(at)).replace("Y", str(at - 1)) for at in range(500, 0, -1)]
    assert errors_of("".join(lines) + "  s0: {uses: text-to-image, variations: 2, with: {prompt: x}}\n") == []


def test_members_that_only_some_have_are_told_apart() -> None:
    shape = Data({"x": TEXT, "y": TEXT}, {"y": "item `b`"})
    found = part_of(shape, "y", "`item`")
    assert isinstance(found, Absent)
    assert found.message == "`item` has no `y` in item `b`"
    assert not found.never


def test_values_that_hold_others_twice_take_no_time() -> None:
    doubled = "{% set x = {'p': x, 'q': x} %}{% set y = {'p': y, 'q': y} %}" * 40
    text = f"{{% set x = {{'p': 1}} %}}{{% set y = {{'p': ''}} %}}{doubled}${{{{ ([x, y] | first) is mapping }}}}"
    lists = "{% set x = [1] %}{% set y = [''] %}" + "{% set x = [x, x] %}{% set y = [y, y] %}" * 40
    text += f"{lists}${{{{ (x if index else y) is iterable }}}}"
    read: list[str] = []
    tree = syntax_of(Template(text, (), (), exact=False))
    Inference({}, lambda absent, path: read.append(absent.message), sure=True).run(tree.body)
    assert read == []
