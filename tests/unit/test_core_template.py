"""Templates: what a value becomes, what it reads, and what it may not do."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.core.errors import Problem, RecipeError
from rhflow.core.recipe.template import Template, parse_text, parse_value, refs_in, resolve
from rhflow.core.values import MAX_TEXT
from tests.fakes import artifact, finished_step
from tests.support import located

FILES = (artifact("cat.png", width=64, height=48, url="https://x/cat.png"), artifact("clip.mp4", duration=5.0))
DRAW = finished_step(*FILES, texts=('{"q": [1]}',))
NAMES: dict[str, Any] = {
    "params": {
        "word": "cat", "n": 5, "half": 0.5, "list": ["a", "b"], "map": {"k": 1}, "yes": True, "none": None,
        "items": "x", "empty": "", "photo": FILES[0], "wide": "宽", "braces": "${{ params.n }}", "two words": "tw",
    },
    "vars": {"look": "soft"}, "steps": {"draw": DRAW, "two-words": DRAW}, "env": {}, "run": {"id": "r1"},
}  # fmt: skip


def rendered(text: str) -> Any:
    template = parse_text(text)
    return resolve(template, NAMES)


def refused(text: str) -> Problem:
    with pytest.raises(RecipeError) as caught:
        rendered(text)
    [problem] = caught.value.problems
    return problem


KEPT: dict[str, object] = {
    "${{ params.word }}": "cat",
    "${{params.n}}": 5,
    "${{  params.half  }}": 0.5,
    "${{ params.list }}": ["a", "b"],
    "${{ params.map }}": {"k": 1},
    "${{ params.yes }}": True,
    "${{ params.none }}": None,
    "${{ params.photo }}": FILES[0],
    "${{ steps.draw.files }}": list(FILES),
    "${{ steps.draw.image }}": FILES[0],
    "${{ steps.draw.json.q[0] }}": 1,
    "${{ steps.two-words.video }}": FILES[1],
    "${{ steps['two-words'].video.duration }}": 5.0,
    "${{ steps.draw.image.width }}": 64,
    "${{ steps.draw.cached }}": True,
    "${{ params.items }}": "x",
    "${{ params['two words'] }}": "tw",
    "${{ params.list[1] }}": "b",
    # from here on Jinja reads them
    "${{- params.n -}}": 5,
    "${{ params.n + 1 }}": 6,
    "${{ params.list | length }}": 2,
    "${{ params.list | map('upper') }}": ["A", "B"],
    "${{ params.map.items() }}": [["k", 1]],
    "${{ range(3) }}": [0, 1, 2],
    "${{ not params.yes }}": False,
    "${{ none }}": None,
    "${{ {'a': params.n} }}": {"a": 5},
    "${{{'a': 1}}}": {"a": 1},
    "${{ params.list[-1] }}": "b",
    "${{ steps.draw.image if params.yes else steps.draw.video }}": FILES[0],
    "${{ params.zz | default('d') }}": "d",
    "${{ steps.two-words.text | length }}": 10,
    "${{ params.list | tojson }}": '["a", "b"]',
    "${{ '}}' }}": "}}",
    "${{ 'see steps.two-words' }}": "see steps.two-words",
}
TEXTS: dict[str, str] = {
    "a ${{ params.word }}, ${{ params.n }}": "a cat, 5",
    "${{ params.word }}${{ params.n }}": "cat5",
    " ${{ params.n }}": " 5",
    "${{ params.n }}\n": "5\n",
    "x${{ params.yes }}${{ params.none }}": "xtrue",
    "x${{ params.half }}": "x0.5",
    "x${{ params.list }}${{ params.map }}": 'x["a", "b"]{"k": 1}',
    "${{ params.empty }}${{ params.empty }}": "",
    "${{ params.braces }}!": "${{ params.n }}!",  # what a value holds is not read again
    "${{ params.wide }}${{ params.word }}": "宽cat",
    "${{ steps.draw.image.name }} ${{ steps.draw.image.url }}": "cat.png https://x/cat.png",
    "}} ${{ params.n }} }}": "}} 5 }}",
    # from here on Jinja reads them
    "x ${{ params.yes }} ${{ params.none | default('', true) }}${{ true }}${{ none }}": "x true true",
    "{% if params.yes %}y{% else %}n{% endif %}": "y",
    "{% for each in params.list %}${{ loop.index }}${{ each }} {% endfor %}": "1a 2b ",
    "{% set x = params.n %}${{ x }}!": "5!",
    "{% set d = steps.draw %}${{ d.text }}": '{"q": [1]}',
    "{% set twice %}${{ params.word }}${{ params.word }}{% endset %}${{ twice }}!": "catcat!",
    "a ${{ params.list | map('upper') }}": 'a ["A", "B"]',
    "{# nothing #}x": "x",
    "${{ params.n }}{# five #}": "5",
    "a ${{ params.list | join(' and ') }}": "a a and b",
    "<b>${{ params.word ~ '<i>' }}": "<b>cat<i>",
    "${{ params.map | tojson }}<": '{"k": 1}<',
    "$${{ x }}": "${{ x }}",
    "$${{ params.n }} ${{ params.n }}": "${{ params.n }} 5",
    "${{ '{{' }} x": "{{ x",
    "${{ params.n }}-${{ steps.two-words.image.width + 1 }}": "5-65",
}
UNTOUCHED = [
    "", "$5", "costs $5 {not} a template", "(word:1.2)", "{a|b|c}", "<lora:x:0.8>", "${ x }", "100% {of", "}}",
    "a } } b", "${HOME}", "{}", "# no", "中文：提示", "\\n",
]  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_one_expression_keeps_its_type(text: str) -> None:
    value = rendered(text)
    assert value == KEPT[text]
    assert type(value) is type(KEPT[text])


@pytest.mark.parametrize("text", TEXTS)
def test_anything_else_is_text(text: str) -> None:
    value = rendered(text)
    assert value == TEXTS[text]
    assert type(value) is str


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_no_expression_passes_through(text: str) -> None:
    assert parse_text(text) == text


def test_values_inside_lists_and_maps_are_read_too() -> None:
    problems: list[Problem] = []
    data = {"a": ["${{ params.n }}", 1], "b": {"c": "x${{ params.n }}"}, "d": None}
    value = parse_value(data, located("x: 1"), (), problems)
    assert resolve(value, NAMES) == {"a": [5, 1], "b": {"c": "x5"}, "d": None}
    assert problems == []


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["{{ x }}", "a {{ x }} ${{ params.n }}", "{{{ x }}}", "{% raw %}{{ x }}{% endraw %}"])
def test_braces_without_a_dollar_are_refused(text: str) -> None:
    problem = refused(text)
    assert problem.code == "missing-dollar"
    assert problem.hint == "write `${{ … }}`, or `${{ '{{' }}` for literal braces"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("${{ }}", "an expression is missing before `}}`"),
        ("${{ params.n", "`}}` is missing"),
        ("${{ params. }}", "a name is missing after the dot"),
        ("${{ params.n + }}", "something is missing before `}}`"),
        ("{% if params.yes %}x", "`{% if %}` is never closed"),
        ("{% endif %}", "has no `{% if %}` before it"),
        ("{# x", "`{#` begins a comment that never ends"),
        ("${{ a b }}", "`b` cannot follow here"),
    ],
)
def test_bad_syntax_is_told_in_words(text: str, words: str) -> None:
    problem = refused(text)
    assert problem.code == "template-syntax"
    assert words in problem.message
    assert "print statement" not in problem.message
    assert not problem.message.endswith(".")


ESCAPES = [
    "${{ ''.__class__.__mro__ }}", "${{ params.__class__ }}", "${{ params.word.__class__ }}",
    "${{ params.word.upper.__self__ }}", "${{ params|attr('pop') }}", "${{ params.list.append(1) }}",
    "${{ params.map.update({}) }}", "${{ '{0.__class__}'.format(params) }}",
    "${{ '{x.__init__}'.format_map({'x': params.word}) }}", "${{ steps.draw._entry }}", "${{ steps.draw['_entry'] }}",
    "${{ steps.draw|attr('_entry') }}", "${{ steps.draw|attr('outputs') }}", "${{ steps.draw.outputs }}",
    "${{ steps.draw.__init__.__globals__ }}", "${{ steps.draw.image.to_json() }}", "${{ steps.draw.image.digest }}",
    "${{ steps.draw.image|attr('at') }}", "${{ steps.draw.image.__class__ }}", "${{ lipsum.__globals__ }}",
    "${{ cycler.__init__ }}", "${{ self.__init__ }}", "${{ [].__class__ }}", "${{ ().__class__.__bases__[0] }}",
    "${{ (params.list|map('upper')).gi_frame }}", "${{ namespace() }}", "${{ dict(a=1) }}", "{% include 'x' %}",
    "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% block b %}{% endblock %}",
    "${{ params.word | safe }}", "${{ params.list | random }}", "${{ range(1000000000) }}", "${{ 'a' * 100000000000 }}",
    "{% for x in params.list %}${{ x.__class__ }}{% endfor %}", "${{ joiner() }}",
]  # fmt: skip


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_reaches_beyond_the_recipe(text: str) -> None:
    problem = refused(text)
    assert problem.code in (
        "forbidden", "unknown-name", "unknown-filter", "template-failed", "list-too-long", "text-too-long",
        "needs-call",
    )  # fmt: skip
    assert "rhflow." not in problem.message
    assert not problem.message.endswith((".", ": "))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("see ${{ steps.draw.image }}", "the file `cat.png` cannot stand inside a text"),
        ("see ${{ steps.draw.image if params.yes }}", "the file `cat.png` cannot stand inside a text"),
        ("see ${{ steps.draw.files }}", "a list with files cannot stand inside a text"),
        ("see ${{ [steps.draw.image] }}", "a list with files cannot stand inside a text"),
        ("see ${{ {'a': params.photo} | tojson }}", "a list with files cannot stand inside a text"),
        ("see ${{ steps.draw }}", "a whole step cannot stand inside a text"),
        ("see ${{ steps }}", "a whole step cannot stand inside a text"),
    ],
)
def test_what_has_no_text_cannot_stand_in_one(text: str, words: str) -> None:
    problem = refused(text)
    assert problem.code == "not-text"
    assert words in problem.message
    assert problem.hint is not None


def test_names_are_strict() -> None:
    assert refused("${{ params.wrod }}").hint == "did you mean `word`?"
    assert refused("${{ steps.draw.image.widht }}").hint == "did you mean `width`?"
    assert refused("${{ params.list[7] }}").hint == "it is a list of 2: pick one, as in `[0]`"
    assert refused("${{ params.map.k.x }}").message == "`params.map.k` has no `x`"
    assert refused("${{ params.wrod | upper }}").message == "`params` has no `wrod`"
    assert refused("${{ nobody | upper }}").message == "`nobody` is not a name"
    assert refused("${{ steps.draw.audio }}").code == "unknown-name"


def test_an_unknown_filter_is_found_before_anything_is_rendered() -> None:
    with pytest.raises(RecipeError) as caught:
        parse_text("${{ params.word | uper }}")
    assert caught.value.problems[0].hint == "did you mean `upper`?"
    with pytest.raises(RecipeError, match="there is no test `evne`"):
        parse_text("${{ params.n is evne }}")


@pytest.mark.parametrize(
    "text", ["${{ 1 / 0 }}", "${{ params.n + params.word }}", "${{ params.list[params.word] + 1 }}"]
)
def test_what_fails_says_so(text: str) -> None:
    assert refused(text).code in ("template-failed", "unknown-name")


@pytest.mark.parametrize("expression", ["'a' * 2000000", "'a' | center(2000000)", "'x' ~ 'a' * 2000000"])
@pytest.mark.parametrize("around", ["", "x "])
def test_a_text_is_bounded(expression: str, around: str) -> None:
    problem = refused(f"{around}${{{{ {expression} }}}}")
    assert problem.code == "text-too-long"
    assert f"{MAX_TEXT:,}" in problem.message


def test_a_text_of_plain_names_is_bounded_too() -> None:
    template = parse_text("${{ params.long }}" * 3)
    with pytest.raises(RecipeError, match="grows beyond"):
        resolve(template, {"params": {"long": "a" * (MAX_TEXT // 2)}})


# --- what is read ----------------------------------------------------------------------------------------------------

READS: dict[str, list[str]] = {
    "${{ params.a }} ${{ steps.b.image }} ${{ params.a }}": ["params.a", "steps.b.image", "params.a"],
    "${{ steps['b'].files[0].name }}": ["steps.b.files[0].name"],
    "${{ steps.two-words.image }}": ["steps.two-words.image"],
    "${{ steps.two-words.image or steps.b.image }}": ["steps.two-words.image", "steps.b.image"],
    "${{ steps[params.which].image }}": ["steps[None].image", "params.which"],
    "${{ steps[params.which ~ '-x'][vars.y] }}": ["steps[None][None]", "params.which", "vars.y"],
    "{% for x in steps.b.files %}${{ x.name }}{% endfor %}": ["steps.b.files"],
    "{% set y = params.a %}${{ y }}": ["params.a"],
    "{% for z in [1] %}${{ z }}${{ vars.q }}{% endfor %}": ["vars.q"],
    "${{ params.list | map(attribute='x') | join(params.sep) }}": ["params.list", "params.sep"],
    "${{ params.a.upper() }}": ["params.a"],
    "${{ range(params.n) }}": ["params.n"],
    "$${{ params.a }}": [],
    "{# ${{ params.a }} #}": [],
    "${{ 'params.a' }}": [],
}


@pytest.mark.parametrize("text", READS)
def test_references_are_found_without_rendering(text: str) -> None:
    template = parse_text(text)
    assert isinstance(template, Template)
    assert sorted(str(ref) for ref in template.refs) == sorted(READS[text])


def test_references_are_found_inside_lists_and_maps() -> None:
    value = parse_value({"a": ["${{ params.x }}"], "b": "${{ vars.y }}"}, located("x: 1"), (), [])
    assert [str(ref) for _, ref in refs_in(value)] == ["params.x", "vars.y"]


def test_a_broken_text_is_a_problem_and_nothing_more() -> None:
    problems: list[Problem] = []
    value = parse_value("${{ params. }}", located("x: 1"), ("x",), problems)
    assert isinstance(value, Template)
    assert value.broken
    assert [problem.code for problem in problems] == ["template-syntax"]
