"""Expressions mean what they mean in Jinja: rhflow's evaluation held against Jinja's own compiler.

Expressions are grown at random (from a fixed seed) out of a small grammar whose parts fit together, so that most of
them have a value.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rhflow.core.errors import RecipeError
from rhflow.core.expr.bounds import SandboxError
from rhflow.core.expr.sandbox import environment, is_exact, parse, render
from rhflow.core.recipe.template import parse_text, resolve

CASES = 1500
NAMES: dict[str, Any] = {
    "params": {
        "n": 3, "half": 0.5, "word": "Two words", "list": ["b", "a", "c"], "numbers": [3, 1, 2, 2], "yes": True,
        "map": {"k": 1, "j": "x"}, "rows": [{"a": 2, "b": "y"}, {"a": 1, "b": "X"}], "empty": [], "none": None,
    }
}  # fmt: skip
JINJA = ImmutableSandboxedEnvironment(
    variable_start_string="${{", variable_end_string="}}", undefined=StrictUndefined, keep_trailing_newline=True
)
OURS = environment()
# Where rhflow is stricter than Python on purpose
STRICTER = {"number-too-large", "template-failed", "too-deep", "text-too-long", "empty-list"}

# A word in `<…>` stands for any line of that kind; the first lines of each kind hold no other
GRAMMAR: Mapping[str, Sequence[str]] = {
    "number": [
        "0", "1", "2", "7", "0.5", "params.n", "params.half", "params.numbers[0]", "params.rows[0].a",
        "(<number> + <number>)", "(<number> - <number>)", "(<number> * <number>)", "(<number> / <number>)",
        "(<number> // <number>)", "(<number> % <number>)", "(<number> ** <whole>)", "-<number>", "+<number>",
        "(<number> | abs)", "(<number> | int)", "(<number> | round)", "(<number> | round(1, 'floor'))",
        "(<numbers> | sum)", "(<numbers> | min)", "(<numbers> | max)", "(<numbers> | first)", "(<list> | length)",
        "(<text> | wordcount)", "(<text> | length)", "(<text> | int)", "(<text> | int(5))", "(<text> | float)",
        "(<number> if <truth> else <number>)", "<text>.count('a')", "<text>.find('b')", "(<list> | count)",
    ],
    "whole": ["0", "1", "2", "-1", "params.n"],
    "text": [
        "'a'", "''", "'aXb c'", "params.word", "'Über'", "'l1\\n\\n l2'", '"it\'s"', "'a,b,,c'", "params['word']",
        "(<text> | upper)", "(<text> | lower)", "(<text> | capitalize)", "(<text> | title)", "(<text> | trim)",
        "(<text> | trim('a'))", "(<text> | replace('a', 'bb'))", "(<text> | replace('', '-', 2))",
        "(<text> | truncate(5))", "(<text> | truncate(4, true, ''))", "(<text> | truncate(3, leeway=0))",
        "(<text> | indent)", "(<text> | indent(2, true))", "(<text> | indent('> ', blank=true))", "(<text> | reverse)",
        "(<text> | center(9))", "(<text> | string)", "(<text> | urlencode)", "(<text> | default('d'))",
        "(params.zz | default(<text>))", "(<text> | default('d', true))", "(<text> | format)", "(<text> | first)",
        "<text>.upper()", "<text>.strip('a')", "<text>.replace('b', '')", "<text>.split(',')[0]", "<text>.zfill(6)",
        "<text>.title()", "<text>.removeprefix('a')", "<text>.ljust(4, '.')", "<text>.join(['x', 'y'])",
        "(<text> + <text>)", "(<text> * 2)", "(2 * <text>)", "(<text> ~ <text> ~ <whole>)",
        "('%s|%05.1f|%d' % (<text>, <number>, <number>))", "('%(a)s-%%' % {'a': <text>})",
        "('%s-%s' | format(<text>, <whole>))", "'{:>6}|{:.2f}|{x}'.format(<text>, <number>, x=<text>)",
        "(<list> | join(<text>))", "(<text> or <text>)", "(<text> and <text>)", "<text>[<whole>:]", "<text>[::-1]",
        "<text>.partition('b')[0]", "(<list> | last)", "(<text> if <truth> else <text>)",
    ],
    "numbers": [
        "[1, 2]", "params.numbers", "[0.5, 3]", "(range(4) | list)", "(params.rows | map(attribute='a') | list)",
    ],
    "list": [
        "params.list", "['x', 'y']", "[]", "('t', 'u')", "(<list> | list)", "(<list> | sort)",
        "(<list> | sort(reverse=true))", "(<list> | reverse | list)", "(<list> | unique | list)",
        "(<list> | map('upper') | list)", "(<list> | select('equalto', 'a') | list)", "(<text> | list)",
        "(<list> | reject('in', ['a']) | list)", "(<list> | batch(2, 'z') | list | first | default(['q'], true))",
        "(<list> | slice(2) | list | first)", "(<list> | map('length') | map('string') | list)",
        "(['x'] + params.list)", "<text>.split()", "<list>[<whole>:<whole>]",
        "(<list> | map('replace', 'a', 'b') | list)",
    ],
    "rows": [
        "(params.map | dictsort)", "(params.map | items | list)", "(params.map.keys() | list)", "params.map.items()",
        "(params.rows | sort(attribute='a'))", "(params.rows | sort(attribute='b'))", "(params.map.values() | list)",
        "(params.rows | selectattr('a', 'gt', 1) | list)", "(params.rows | rejectattr('b', 'in', ['y']) | list)",
        "(params.rows | map(attribute='z', default='?') | list)", "(params.rows | unique(attribute='b') | list)",
        "(range(1, 9, 3) | list)", "(range(5, 0, -2) | list)", "(<numbers> | batch(3, 0) | list)",
        "(<numbers> | slice(3, 0) | list)", "params.map.get('zz', <number>)",
    ],
    "truth": [
        "true", "false", "params.yes", "params.none is none", "params.zz is defined", "params.n is odd",
        "(<number> < <number>)", "(<number> >= <number>)", "(<number> == <number>)", "(<number> != <number>)",
        "(<number> < <number> <= <number>)", "(<text> < <text>)", "(<text> == <text>)", "(<text> in <text>)",
        "(<text> not in <list>)", "(<text> in params.map)", "(<truth> and <truth>)", "(<truth> or <truth>)",
        "(not <truth>)", "(<text> is string)", "(<list> is sequence)", "(<number> is integer)", "(<text> is number)",
        "(<list> is iterable)", "(<number> is float)", "(<text> is lower)", "(params.n is divisibleby(2))",
        "(<number> is gt(1))", "(<text> is in(<list>))", "(<text> is not none)", "<text>.startswith('a')",
    ],
    "any": ["<number>", "<text>", "<list>", "<rows>", "<truth>", "{'k': <number>, 'l': <text>}", "[<text>, <number>]"],
    "block": [
        "plain ", "\n", "}} ", "{ } ", "{# nothing #}", "${{ <text> }}", "${{- <text> -}} ", "${{ <number> }}",
        "{% if <truth> %}<block>{% elif <truth> %}<block>{% else %}-{% endif %}",
        "{% for x in <list> %}${{ loop.index }}/${{ loop.length }}<block>{% else %}0{% endfor %}",
        "{% for x in <list> %}${{ loop.cycle('a', 'b') }}${{ loop.first }}{% endfor %}",
        "{% for x in params.numbers if x is odd -%} ${{ x }}${{ loop.revindex }}<block>{%- endfor %}",
        "{% for k, v in params.map.items() %}${{ k }}=${{ v }}${{ loop.last }}{% endfor %}",
        "{% set y = <text> %}<block>${{ y }}", "{% set y | upper %}<block>{% endset %}${{ y }}",
        "{% with y = <text> %}<block>${{ y }}{% endwith %}", "{% filter upper | trim %}<block>{% endfilter %}",
        "{% set a, b = <text>, <text> %}${{ b }}${{ a }}", "<block><block>",
        "{% for x in <list> %}{% for y in <list> %}${{ loop.index0 }}${{ x ~ y }}{% endfor %}{% endfor %}",
    ],
}  # fmt: skip


def grown(kind: str, chance: random.Random, depth: int = 4) -> str:
    """Return a random line of a kind; nothing is nested deeper than ``depth``."""
    lines = GRAMMAR[kind] if depth else [each for each in GRAMMAR[kind] if "<" not in each] or GRAMMAR[kind]
    return re.sub(r"<(\w+)>", lambda part: grown(part[1], chance, max(0, depth - 1)), chance.choice(lines))


def plain(value: Any) -> Any:
    """Return what Jinja gives as a recipe knows it."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    listed = isinstance(value, list | tuple | Iterator | range) or type(value).__name__ == "dict_items"
    return [plain(each) for each in value] if listed else value


def ours(text: str) -> Any:
    tree = parse(OURS, text)
    return render(OURS, text, exact=is_exact(tree, text), names=NAMES)


def compared(text: str, expected: Any) -> bool:
    """Hold ours against what Jinja gives; False where rhflow is stricter."""
    try:
        found = ours(text)
    except SandboxError as error:
        assert error.code in STRICTER, f"{text}: {error.message}"
        return False
    if isinstance(expected, str):  # in a text, values stand as in JSON
        words = {"True": "true", "False": "false", "None": ""}
        expected, found = (re.sub("True|False|None", lambda word: words[word[0]], each) for each in (expected, found))
    assert found == expected, text
    assert type(found) is type(expected), text
    return True


@pytest.mark.parametrize("seed", range(4))
def test_an_expression_means_what_it_means_in_jinja(seed: int) -> None:
    chance = random.Random(seed)
    alike = 0
    for _ in range(CASES // 4):
        expression = grown("any", chance)
        try:
            expected = JINJA.compile_expression(expression, undefined_to_none=False)(**NAMES)
        except Exception:
            continue  # where Jinja has no value, ours is free to have none either
        alike += compared(f"${{{{ {expression} }}}}", plain(expected))
    assert alike > CASES // 12


@pytest.mark.parametrize("seed", range(4))
def test_a_text_means_what_it_means_in_jinja(seed: int) -> None:
    chance = random.Random(seed)
    alike = 0
    for _ in range(CASES // 8):
        text = "." + grown("block", chance, 3)
        try:
            expected = JINJA.from_string(text).render(**NAMES)
        except Exception:
            continue
        alike += compared(text, expected)
    assert alike > CASES // 24


PATHS = (
    "params.word", "params.n", "params['list']", "params.list[0]", "params.rows[1].b", "params.map.k", "params.none",
    "params.yes", "params.half", "params.zz", "params.list[9]", "params.word.upper", "params.map.zz", "nobody.x",
    "params.rows", "params.map", "params.n.x", "params.list.x", "params.empty[0]", "params", "params.map.items",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_dotted_paths_mean_the_same_with_and_without_jinja(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        parts = [f"${{{{ {chance.choice(PATHS)} }}}}", chance.choice(("a ", "\n", "}} ", "$5 ", "é"))]
        text = "".join(chance.choice(parts) for _ in range(chance.randint(1, 4)))
        template = parse_text(text)
        if isinstance(template, str):
            continue
        assert template.parts is not None
        assert outcome(lambda t=template: resolve(t, NAMES)) == outcome(lambda t=text: ours(t)), text


def outcome(render: Callable[[], Any]) -> tuple[str, str | None] | Any:
    """Return what a rendering gives, or what it says."""
    try:
        return render()
    except SandboxError as error:
        return error.code, error.hint
    except RecipeError as error:
        return error.problems[0].code, error.problems[0].hint
