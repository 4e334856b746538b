"""No expression hangs, eats memory or escapes; what is wrong with one is told in plain words."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest

from rhflow.core.errors import RecipeError
from rhflow.core.expr import sandbox
from rhflow.core.expr.bounds import MAX_ITEMS, MAX_TEMPLATE, MAX_TEXT, Meter, SandboxError
from rhflow.core.expr.sandbox import environment, is_exact, parse, reads, render
from rhflow.core.recipe import template
from tests.fakes import artifact
from tests.support import located

ENV = environment()
NAMES: Mapping[str, Any] = {
    "params": {"word": "cat", "n": 3, "list": ["a", "b"], "map": {"k": 1}, "photo": artifact("cat.png"), "inf": 1e999},
    "steps": {},
}


def made(text: str) -> Any:
    """Return what a text becomes."""
    return render(ENV, text, exact=is_exact(parse(ENV, text), text), names=NAMES)


def refused(text: str) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        made(text)
    return caught.value


# --- hungry ----------------------------------------------------------------------------------------------------------

LOOP = "{% for i in range(1000) %}"
END = "{% endfor %}"
TEN_TIMES = "".join(f"{{% set a{at + 1} = {' ~ '.join([f'a{at}'] * 10)} %}}" for at in range(30))
TWICE = "".join(f"{{% set a{at + 1} = [a{at}, a{at}] %}}" for at in range(60))
HUNGRY: dict[str, str] = {
    "${{ 'x' * 10**9 }}": "text-too-long",
    "${{ 10**9 * 'x' }}": "text-too-long",
    "${{ ('x' * 900000) ~ ('x' * 900000) }}": "text-too-long",
    "${{ 'x' * 600000 + 'x' * 600000 }}": "text-too-long",
    "${{ 'a' | center(10**9) }}": "text-too-long",
    "${{ 'a' | indent(10**9, true) }}": "text-too-long",
    "${{ ('\\n' * 10000) | indent('x' * 1000, blank=true) }}": "text-too-long",
    "${{ ('x' * 10000) | replace('x', 'y' * 1000) }}": "text-too-long",
    "${{ ('x' * 10000) | replace('', 'y' * 1000) }}": "text-too-long",
    "${{ ('x' * 10000).replace('x', 'y' * 1000) }}": "text-too-long",
    "${{ ['x' * 1000] * 2000 }}": "text-too-long",
    "${{ range(90000) | join('x' * 100) }}": "text-too-long",
    "${{ ('x' * 100).join(range(90000)) }}": "text-too-long",
    "${{ 'x'.ljust(10**9) }}": "text-too-long",
    "${{ 'x'.zfill(10**9) }}": "text-too-long",
    "${{ '%s%s' % ('x' * 900000, 'x' * 900000) }}": "text-too-long",
    "${{ '{0}{0}'.format('x' * 900000) }}": "text-too-long",
    "${{ ('x' * 900000 ~ '\\n') | urlencode }}${{ 'x' * 900000 }}": "text-too-long",
    LOOP + LOOP + "x" * 10 + END + END: "text-too-long",
    "{% set a0 = 'xxxxxxxxxx' %}" + TEN_TIMES: "text-too-long",
    "${{ range(10**9) }}": "list-too-long",
    "${{ range(-10**9, 10**9) }}": "list-too-long",
    "${{ range(10**9, 0, -1) | first }}": "list-too-long",
    "${{ [1, 2] * 10**8 }}": "list-too-long",
    "${{ [[1] * 1000] * 1000 }}": "list-too-long",
    "${{ ('x' * 900000) | list }}": "list-too-long",
    "${{ ('x ' * 400000).split() }}": "list-too-long",
    "{% set a0 = [1] %}" + TWICE: "list-too-long",
    "${{ [1] | slice(10**9) }}": "template-failed",
    "${{ [1] | batch(10**9, 0) }}": "template-failed",
    "${{ '%999999999d' % 1 }}": "template-failed",
    "${{ '%.999999999f' % 1 }}": "template-failed",
    "${{ '%*d' % (10**9, 1) }}": "template-failed",
    "${{ '{:>999999999}'.format(1) }}": "template-failed",
    "${{ '{:{}}'.format(1, 10**9) }}": "template-failed",
    "${{ 1 | round(10**9) }}": "template-failed",
    "${{ 9**99999999 }}": "number-too-large",
    "${{ 10**10**10**10 }}": "number-too-large",
    "${{ 2**1399 * 2**1399 }}": "number-too-large",
    "${{ ('9' * 4000) | int }}": "number-too-large",
    "${{ ('f' * 900000) | int(base=16) }}": "number-too-large",
    "${{ [10**399, 10**399] | sum * 10**30 }}": "number-too-large",
    "${{ " + "9" * 5000 + " }}": "number-too-large",
    "${{ 0x" + "f" * 5000 + " }}": "number-too-large",
    "${{ 1e999 }}": "number-too-large",
    "${{ 1e308 * 10 }}": "number-too-large",
    "${{ params.inf - params.inf }}": "number-too-large",
    "${{ 'inf' | float }}": "number-too-large",
    LOOP * 3 + END * 3: "too-much-work",
    LOOP * 3 + "x" + END * 3: "too-much-work",
    LOOP + "${{ ('x' * 900000) | length }}" + END: "too-much-work",
    LOOP + "{% set a = 'x' * 100000 %}{% if a == a ~ '' %}{% endif %}" + END: "too-much-work",
    "${{ ('a' * 900000).rfind('a' * 400000 ~ 'b') }}": "too-much-work",
    "${{ ('a' * 900000).strip('b' * 400000) }}": "too-much-work",
    "{% for x in [1, 2, 3, 4, 5, 6, 7, 8, 9] %}" * 20 + END * 20: "too-much-work",
    "{% set a = [1] %}" + "{% set a = [a] %}" * 500: "too-deep",
}


@pytest.mark.parametrize("text", HUNGRY, ids=lambda text: text[:60])
def test_a_hungry_expression_is_stopped(text: str) -> None:
    error = refused(text)
    assert error.code == HUNGRY[text]
    assert not error.message.endswith(".")


def test_what_is_stopped_was_never_made() -> None:
    refused("${{ 1 }}${{ 'x' * 10**9 }}")
    tracemalloc.start()
    try:
        for text, code in HUNGRY.items():
            if code in ("text-too-long", "number-too-large") and "{%" not in text:
                refused(text)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


DEEP: dict[str, bool] = {
    "(" * 20 + "1" + ")" * 20: True,
    "[" * 20 + "1" + "]" * 20: True,
    " ~ ".join(["1"] * 10_000): True,
    " + ".join(["1"] * 90): True,
    "(" * 5000 + "1" + ")" * 5000: False,
    "[" * 5000 + "1" + "]" * 5000: False,
    "{'a':" * 5000 + "1" + "}" * 5000: False,
    "(" * 5000: False,
    " + ".join(["1"] * 10_000): False,
    " and ".join(["1"] * 10_000): False,
    "not " * 10_000 + "1": False,
    "-" * 10_000 + "1": False,
    "1 if 1 else " * 5_000 + "1": False,
    "1" + " | abs" * 10_000: False,
    "''" + ".strip()" * 10_000: False,
    "params" + "[0]" * 10_000 + " | abs": False,
}


@pytest.mark.parametrize("expression", DEEP, ids=lambda text: text[:20])
def test_nesting_is_bounded(expression: str) -> None:
    text = f"${{{{ {expression} }}}}"
    if DEEP[expression]:
        assert made(text) is not None
    else:
        assert refused(text).code in ("too-deep", "template-syntax")


@pytest.mark.parametrize("block", ["{% if 1 %}", "{% for x in [1] %}", "{% with %}", "{% filter upper %}"])
def test_blocks_in_blocks_are_bounded(block: str) -> None:
    end = "{% end" + block.split()[1] + " %}"
    assert made(block * 15 + "x" + end * 15) in ("x", "X")
    assert refused(block * 500 + "x" + end * 500).code == "too-deep"


def test_the_bound_does_not_depend_on_who_calls() -> None:
    def deep_down(levels: int, text: str) -> Any:
        return deep_down(levels - 1, text) if levels else made(text)

    deepest = "${{ " + "(" * 22 + "1" + ")" * 22 + " }} ${{ " + " + ".join(["1"] * 95) + " }}"
    assert deep_down(0, deepest) == "1 95"
    for cached in (sandbox._parse_short, sandbox._parse_long):
        cached.cache_clear()
    assert deep_down(sys.getrecursionlimit() // 4, deepest) == "1 95"


def test_a_template_has_a_length() -> None:
    text = "${{ 1 }}" * (MAX_TEMPLATE // 8 + 1)
    assert refused(text).code == "text-too-long"
    assert "file(…)" in str(refused(text).hint)


def test_a_text_and_a_list_may_be_as_long_as_allowed() -> None:
    assert len(made(f"${{{{ 'x' * {MAX_TEXT} }}}}")) == MAX_TEXT
    assert len(made(f"x${{{{ 'x' * {MAX_TEXT - 1} }}}}")) == MAX_TEXT
    assert len(made(f"${{{{ range({MAX_ITEMS}) }}}}")) == MAX_ITEMS
    assert made(f"${{{{ 2**1300 % 10 }}}}{LOOP}{END}") == "6"


def test_a_meter_counts_a_part_as_often_as_it_occurs() -> None:
    shared: list[Any] = ["x" * 100]
    for _ in range(10):
        shared = [shared, shared]
    Meter().weigh(shared)
    with pytest.raises(SandboxError, match="beyond 1,000 values"):
        Meter().weigh(shared, most=1000)


def test_lists_of_lists_are_bounded_from_value_to_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template, "MAX_VALUES", 1000)
    twice = template.parse_value(["${{ vars.v }}", {"k": "${{ vars.v }}"}], located("x: 1"), (), [])
    value: Any = ["x"]
    with pytest.raises(RecipeError, match="grows beyond 1,000 values"):
        for _ in range(60):
            value = template.resolve(twice, {"vars": {"v": value}})


# --- values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["${{ {1: 2} }}", "${{ [{1: 2}] }}", "${{ {none: 2} }}", "${{ {(1, 2): 3} }}"])
def test_only_what_json_knows_is_a_value(text: str) -> None:
    assert refused(text).code in ("not-a-value", "template-failed")


@pytest.mark.parametrize(
    "text",
    [
        "${{ params.map.items() }}",
        "${{ params.list | map('upper') }}",
        "${{ (1, (2, 3)) }}",
        "${{ params.map.keys() }}",
    ],
)
def test_lists_come_out_as_lists(text: str) -> None:
    def all_lists(value: Any) -> bool:
        return not isinstance(value, tuple) and (not isinstance(value, list) or all(map(all_lists, value)))

    value = made(text)
    assert isinstance(value, list)
    assert all_lists(value)


def test_a_method_without_brackets_is_a_problem_with_a_hint() -> None:
    error = refused("${{ (params.word ~ 'x').upper }}")
    assert (error.code, error.hint) == ("needs-call", "call it: `.upper()`")
    assert refused("${{ params.map.items | length }}").hint == "call it: `.items()`"
    assert refused("${{ range | length }}").hint == "call it: `range(…)`"


# --- words -----------------------------------------------------------------------------------------------------------

WORDS: dict[str, tuple[str, str | None]] = {
    "${{ params.n 5 }}": ("a number cannot follow here: the expression should end with `}}`", "operator"),
    "${{ params.n = 5 }}": ("`=` cannot stand in an expression", "write `==` to compare"),
    "${{ 'a' 5 }}": ("a number cannot follow here", "operator"),
    "${{ 'abc }}": ("a text in quotes is not closed", "add `'` at its end"),
    "${{ [1, 2 }}": ("`}` stands where `]` should be", None),
    "${{ (1, 2] }}": ("`]` stands where `)` should be", None),
    "${{ 1 + }}": ("something is missing before `}}`", None),
    "${{ }}": ("an expression is missing before `}}`", None),
    "${{ params.n": ("`}}` is missing at the end", None),
    "${{ params. }}": ("a name is missing after the dot", None),
    "${{ params.n ? 1 : 2 }}": ("the character `?` cannot stand", "write `a if condition else b`"),
    "${{ 1 && 2 }}": ("the character `&` cannot stand", "write `and`"),
    "${{ !1 }}": ("the character `!` cannot stand", "write `not`"),
    "${{ 1 is odd is even }}": ("`is` can be used once", "join two tests with `and`"),
    "${{ range(a=1, 2) }}": ("values by name come last", None),
    "${{ '\\x4' }}": ("`\\x` begins an escape that is not complete", "write `\\\\`"),
    "${{ '\\ud800' }}": ("stands for no character", "write the character itself"),
    "{% if params.n %}x": ("`{% if %}` is never closed", "add `{% endif %}`"),
    "{% for x in [1] %}{% endif %}": ("stands inside `{% for %}`, which is not closed", "add `{% endfor %}` before it"),
    "{% endfor %}": ("has no `{% for %}` before it", None),
    "{% else %}": ("has no `{% if %}` before it", None),
    "{% if 1 %}{% elseif 1 %}{% endif %}": ("`{% elseif %}` is not part of the language", "write `{% elif … %}`"),
    "{% fro x in [1] %}{% endfor %}": ("`{% fro %}` is not part of the language", "did you mean `for`?"),
    "{% macro m() %}{% endmacro %}": ("`{% macro %}` is not part of the language", "under `vars`"),
    "{% call x() %}{% endcall %}": ("`{% call %}` is not part of the language", "under `vars`"),
    "{% include 'x' %}": ("`{% include %}` is not part of the language", "`file(…)`"),
    "{% import 'x' as y %}": ("`{% import %}` is not part of the language", "`file(…)`"),
    "{% extends 'x' %}": ("`{% extends %}` is not part of the language", "`file(…)`"),
    "{% do 1 %}": ("`{% do %}` is not part of the language", "`{% set %}`"),
    "{% %}": ("`{%` must be followed by a word", "`{% if … %}`"),
    "{% for x in [1] recursive %}{% endfor %}": ("`recursive` is not part of the language", None),
    "{# x": ("`{#` begins a comment that never ends", "close it with `#}`"),
    "{% raw %}x": ("`{% raw %}` is never closed", "add `{% endraw %}`"),
    "{% set params = 1 %}": ("`params` has a meaning already", "choose another name"),
    "{% for loop in [1] %}{% endfor %}": ("`loop` has a meaning already", "choose another name"),
    "{% set a.b = 1 %}": ("this is not part of the language", None),
    "{% set 1 = 2 %}": ("cannot be given a value", "use a name"),
    "${{ nosuch(1) }}": ("there is no function `nosuch`", "choose from `range`"),
    "${{ uper(params.word) }}": ("there is no function `uper`", "write it behind a bar: `… | upper`"),
    "${{ params.word | zip2 }}": ("there is no filter `zip2`", "did you mean `zip`?"),
    "${{ params.word | range }}": ("there is no filter `range`", "call it: `range(…)`"),
    "${{ params.word.uper() }}": ("there is no method `uper`", "did you mean `upper`?"),
    "${{ params.word.title2() }}": ("there is no method `title2`", "did you mean `title`?"),
    "${{ params.word.tojson() }}": ("there is no method `tojson`", "write `| tojson`"),
    "${{ params.n is evne }}": ("there is no test `evne`", "did you mean `even`?"),
    "${{ params.word | truncate(1, 2, 3, 4, 5) }}": ("cannot be used with 5 values", "truncate(length=…"),
    "${{ params.word | upper(1) }}": ("cannot be used with one value in its brackets", "write `… | upper`"),
    "${{ params.word | trim(nope=1) }}": ("cannot be used with these values: `nope=`", "trim(chars=…)"),
    "${{ range() }}": ("cannot be used with 0 values", "range(start, stop=…, step=…)"),
    "${{ range(*params.list) }}": ("`*` and `**` in a call", None),
    "${{ (params.list | first)(1) }}": ("only functions and methods can be called", None),
    "${{ params.list.upper() }}": ("a list has no method `upper`", None),
    "${{ params.wrod | upper }}": ("`params` has no `wrod`", "did you mean `word`?"),
    "${{ parms.word | upper }}": ("`parms` is not a name", "did you mean `params`?"),
    "${{ params.photo.widht | abs }}": ("`params.photo` has no `widht`", "did you mean `width`?"),
    "${{ params.list[7] | upper }}": ("`params.list` has no `7`", "it is a list of 2: pick one, as in `[0]`"),
    "${{ (params.list | reverse)[7] }}": ("a list has no `7`", "it is a list of 2"),
    "{% for x in [1] %}${{ loop.indx }}{% endfor %}": ("`loop` has no `indx`", "did you mean `index`?"),
    "{% for x in [1] %}${{ loop }}{% endfor %}": ("`loop` has no value of its own", "such as `loop.index`"),
    "{% for a, b in params.list %}{% endfor %}": ("text cannot be split into 2 names", None),
    "{% for x in params.n %}{% endfor %}": ("a number cannot be gone through", None),
    "${{ 'a' if false }}": ("no value when its condition does not hold", "add `else …`"),
    "${{ [] | first }}": ("an empty list has no `first`", "add `| default(…)`"),
    "x {{ y }} ${{ 1 }}": ("`{{` without a dollar", "write `${{ … }}`"),
}


@pytest.mark.parametrize("text", WORDS)
def test_what_is_wrong_is_told_in_plain_words(text: str) -> None:
    error = refused(text)
    message, hint = WORDS[text]
    assert message in error.message
    assert (hint is None and error.hint is None) or (hint is not None and hint in str(error.hint))
    for each in filter(None, (error.message, error.hint)):
        assert each[0] in "`" or each[0].islower()
        assert not each.endswith(".")
        assert each.replace("```", "").count("`") % 2 == 0
        assert "Jinja" not in each and "token" not in each and "print statement" not in each


def test_a_very_long_word_is_compared_with_no_other() -> None:
    names = {"params": {"a" * 90 + "b": 1, "a" * 5000: 1}}
    for word, hint in (("a" * 90 + "c", True), ("a" * 4999, False)):
        with pytest.raises(SandboxError) as caught:
            render(ENV, f"${{{{ (params.{word}) | abs }}}}", exact=True, names=names)
        assert str(caught.value.hint).startswith("did you mean") is hint


def test_a_problem_points_at_the_code_it_is_about() -> None:
    assert refused("${{ 1 }} and ${{ a b }} and ${{ 2 }}").snippet == "${{ a b }}"
    assert refused("${{ 1 }} ${{ params.word | uper }}").snippet == "uper"
    assert refused("${{ (params.wrod ~ 'x') | upper }}").snippet == "params.wrod"
    assert refused("x{% if 1 %}y").snippet == "if"


# --- tokens ----------------------------------------------------------------------------------------------------------

IDS: dict[str, list[tuple[str | int | None, ...]]] = {
    "${{ steps.two-words.image | d }}": [("steps", "two-words", "image")],
    "${{ steps.a-1.image | d }}": [("steps", "a-1", "image")],
    "${{ steps.a-2x-b.image | d }}": [("steps", "a-2x-b", "image")],
    "${{ steps.a-1e5.image | d }}": [("steps", "a-1e5", "image")],
    "${{ steps.a - steps.b }}": [("steps", "a"), ("steps", "b")],
    "${{ steps.a -b }}": [("steps", "a"), ("b",)],
    "${{ params.a-b }}": [("params", "a"), ("b",)],
    "${{ 'steps.two-words' ~ steps.x-y.text }}": [("steps", "x-y", "text")],
    "{% if steps.x-y.text %}${{ '}}' }}${{ steps.z-1.text }}{% endif %}": [
        ("steps", "x-y", "text"),
        ("steps", "z-1", "text"),
    ],
}


@pytest.mark.parametrize("text", IDS)
def test_ids_may_hold_hyphens(text: str) -> None:
    assert list(reads(parse(ENV, text))) == IDS[text]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'\\d+'", "\\d+"),
        ("'\\x41\\u4e2d\\101'", "A中A"),
        ("'a\\\\b'", "a\\b"),
        ("'\\777\\7'", "\\777\a"),
        ("'\\N{BULLET}'", "•"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_escapes_are_python_s_and_warn_of_nothing(text: str, value: str) -> None:
    assert made(f"${{{{ {text} }}}}") == value


SCOPES: dict[str, list[tuple[str | int | None, ...]]] = {
    "{% for x in params.list %}${{ x }}${{ loop.index }}{% endfor %}${{ x }}${{ loop }}": [
        ("params", "list"),
        ("x",),
        ("loop",),
    ],
    "{% set x = x %}${{ x }}": [("x",)],
    "{% if params.n %}{% set x = 1 %}{% endif %}${{ x }}": [("params", "n")],
    "{% for item in item.list %}${{ item }}{% endfor %}": [("item", "list")],
    "{% with a = b %}${{ a }}{% endwith %}${{ a }}": [("b",), ("a",)],
    "{% set a %}${{ b }}{% endset %}${{ a }}": [("b",)],
    "{% for x in [1] if x > y %}{% else %}${{ x }}{% endfor %}": [("y",), ("x",)],
    "{% filter replace(a, b) %}${{ c }}{% endfilter %}": [("c",), ("a",), ("b",)],
    "${{ steps[params.which].text.upper() }}": [("steps", None, "text"), ("params", "which")],
    "${{ (a ~ b)[c].d }}": [("a",), ("b",), ("c",)],
    "${{ zip(a, range(b)) | map(attribute=c) }}": [("a",), ("b",), ("c",)],
    "${{ file(params.path) }}": [("params", "path")],
    "{% for file in steps.a.files %}${{ file.name }}${{ file(vars.x) }}{% endfor %}": [
        ("steps", "a", "files"),
        ("vars", "x"),
    ],
}


@pytest.mark.parametrize("text", SCOPES)
def test_names_that_are_set_are_not_read_from_outside(text: str) -> None:
    assert set(reads(parse(ENV, text))) == set(SCOPES[text])
