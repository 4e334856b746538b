"""What expressions can call: each function, filter, test and method of the language, and what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import pytest

from rhflow.core.expr.bounds import SandboxError
from rhflow.core.expr.filters import FILTERS
from rhflow.core.expr.functions import FUNCTIONS, parse_json, slug_of
from rhflow.core.expr.methods import METHODS, TESTS
from rhflow.core.expr.sandbox import environment, render
from tests.fakes import artifact

ENV = environment()
PHOTO = artifact("cat.png", width=64, height=48)
NAMES: Mapping[str, Any] = {
    "params": {
        "n": 5, "word": "cat", "list": ["b", "A", "c"], "map": {"k": 1}, "photo": PHOTO,
        "rows": [{"a": {"b": 2}}, {"a": {"b": 1}}],
        "answer": 'Here you are:\n{"scenes": [1]}', "fenced": '```json\n{"scenes": [1]}\n```', "plain": "```\n[1]\n```",
    }
}  # fmt: skip


def value(expression: str) -> Any:
    """Return the value of an expression."""
    return render(ENV, f"${{{{ {expression} }}}}", exact=True, names=NAMES)


def refused(expression: str) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        value(expression)
    return caught.value


# --- beyond Jinja's own ----------------------------------------------------------------------------------------------

OWN: dict[str, Any] = {
    "params.fenced | fromjson": {"scenes": [1]},
    "params.plain | fromjson": [1],
    "'[1, \"a\", null, true, 1.5]' | fromjson": [1, "a", None, True, 1.5],
    "' 5 ' | fromjson": 5,
    "params.map | tojson": '{"k": 1}',
    "['é', '<b>', none, true] | tojson": '["é", "<b>", null, true]',
    "params.map | tojson(2)": '{\n  "k": 1\n}',
    "'5' | tojson": '"5"',
    "'Hero Shot #1' | slug": "hero-shot-1",
    "'  Größe & Straße_X  ' | slug": "grösse-strasse-x",
    "'咖啡 杯' | slug": "咖啡-杯",
    "'e\u0301te\u0301' | slug": "été",
    "7 | slug": "7",
    "'!!' | slug": "",
    "'a/b/c.png' | basename": "c.png",
    "'a\\\\b\\\\c.png' | basename": "c.png",
    "'https://x.y/z/clip.mp4' | basename": "clip.mp4",
    "'folder/' | basename": "folder",
    "params.photo | basename": "cat.png",
    "[1, 2, 3] | pairs": [[1, 2], [2, 3]],
    "[1] | pairs": [],
    "'abc' | pairs": [["a", "b"], ["b", "c"]],
    "zip([1, 2, 3], 'ab')": [[1, "a"], [2, "b"]],
    "zip([1], [2], [3])": [[1, 2, 3]],
    "zip()": [],
    "[1, 2] | zip(['x', 'y'])": [[1, "x"], [2, "y"]],
    "range(3)": [0, 1, 2],
    "range(1, 8, 3)": [1, 4, 7],
    "range(3, 0, -1)": [3, 2, 1],
    "range(3, 0)": [],
    "range(params.n / 5)": [0],
    "'abc' | sha256": hashlib.sha256(b"abc").hexdigest(),
    "'é' | sha256": hashlib.sha256("é".encode()).hexdigest(),
    "params.photo | sha256": PHOTO.digest,
}


@pytest.mark.parametrize("expression", OWN)
def test_what_the_language_adds(expression: str) -> None:
    found = value(expression)
    assert found == OWN[expression]
    assert type(found) is type(OWN[expression])


REFUSED: dict[str, str] = {
    "params.answer | fromjson": "it is not JSON (expecting value, line 1, column 1)",
    "'NaN' | fromjson": "`NaN` is no number there",
    "'1e999' | fromjson": "a number that is too large",
    "('[' * 70 ~ ']' * 70) | fromjson": "nested more than 64 levels deep",
    "('[' * 90000) | fromjson": "cannot be read",
    "'\"\\\\ud800\"' | fromjson": "stands for no character",
    "params.list | fromjson": "`fromjson` needs a text, not a list",
    "params.photo | tojson": "the file `cat.png` cannot stand inside a text",
    "[params.photo] | tojson": "a list with files",
    "{1: 2} | tojson and {none: 1.5} | tojson and [range] | tojson": "`range` is a function",
    "params.map | tojson(99)": "0 to 8 spaces",
    "params.list | slug": "`slug` needs a text, not a list",
    "params.photo | slug": "`slug` needs a text, not the file `cat.png`",
    "5 | pairs": "`pairs` needs a list, not a number",
    "zip([1], 2)": "`zip` needs a list, not a number",
    "range('a')": "`range` needs a whole number, not text",
    "range(1.5)": "`range` needs a whole number, not `1.5`",
    "range(1, 9, 0)": "a step other than 0",
    "params.list | sha256": "`sha256` needs a text, not a list",
    "file(5)": "`file` needs a path, not a number",
    "file('')": "`file` needs a path, not an empty text",
    "file('a.txt')": "there is no recipe to read next to",
    "glob('*')": "there is no recipe to read next to",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_what_it_refuses_is_told_in_words(expression: str) -> None:
    assert REFUSED[expression] in refused(expression).message


def test_files_are_read_by_the_reader_that_came_with_the_recipe() -> None:
    class Shelf:
        def text(self, path: str) -> str:
            return f"<{path}>"

        def glob(self, pattern: str) -> list[str]:
            return [f"{pattern}{at}" for at in range(2)]

    text = "${{ file('a.txt') ~ (glob('x') | join) }}"
    assert render(ENV, text, exact=True, names=NAMES, reader=Shelf()) == "<a.txt>x0x1"


@pytest.mark.parametrize("text", ["${{ file(steps.a.text) }}", "${{ glob(prev.text) }}",
                                  "${{ file('a' ~ steps.a.text) }}", "{% set p = steps.a.text %}${{ file(p) }}",
                                  "${{ file(steps['a'].texts[0]) }}",
                                  "{% for p in steps.a.texts %}${{ file(p) }}{% endfor %}",
                                  "{% for file in steps.a.texts %}${{ file(file) }}{% endfor %}"])  # fmt: skip
def test_what_a_step_made_cannot_choose_a_file(text: str) -> None:
    with pytest.raises(SandboxError, match="what a step made cannot choose"):
        render(ENV, text, exact=False, names=NAMES)


# --- JSON that models give -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "{", "```json\n{\n```", "[1,]", "{'a': 1}", "Infinity", "[-Infinity]", "1" * 5000]
)
def test_what_is_no_json_is_a_value_error_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(it is|it has)"):
        parse_json(text)


def test_pairs_of_surrogates_are_characters() -> None:
    assert parse_json('"\\ud83c\\udfac"') == "🎬"
    for half in ('["\\ud83c"]', '{"\\udfac": 1}'):
        with pytest.raises(ValueError, match="no character"):
            parse_json(half)


def test_a_slug_of_a_slug_is_itself() -> None:
    for text in ("Hero Shot", "Größe", "咖啡 杯", "a_b-c", "", "İstanbul"):
        assert slug_of(slug_of(text)) == slug_of(text)


# --- Jinja's and Python's own ----------------------------------------------------------------------------------------

KEPT: dict[str, Any] = {
    "params.list | sort": ["A", "b", "c"],
    "params.list | sort(case_sensitive=true)": ["A", "b", "c"],
    "params.rows | sort(attribute='a.b') | map(attribute='a.b')": [1, 2],
    "params.rows | map(attribute='a.c', default=0)": [0, 0],
    "params.rows | sum(attribute='a.b')": 3,
    "[[1, 2], [3, 4]] | map(attribute=1)": [2, 4],
    "[[1, 2], [3, 4]] | map(attribute='1')": [2, 4],
    "[1, 2, 3, 4] | select('odd')": [1, 3],
    "[1, 0, 2] | select": [1, 2],
    "params.list | reject('upper')": ["b", "c"],
    "params.rows | selectattr('a.b', 'gt', 1)": [{"a": {"b": 2}}],
    "[1, 1.0, '1', true, 'A', 'a'] | unique": [1, "1", True, "A"],
    "[params.photo, params.photo] | unique | length": 1,
    "[3, 1] | min": 1,
    "['b', 'A'] | max": "b",
    "[] | max | default(7)": 7,
    "[] | first | default('x')": "x",
    "'' | default('x', true)": "x",
    "params.zz | default": "",
    "params.zz | default(default_value=3)": 3,
    "5.5 | round(method='ceil')": 6.0,
    "'x' | int(7)": 7,
    "'12.7' | int": 12,
    "'ff' | int(base=16)": 255,
    "'%05.1f|%s|%x|%%' % (3.14159, 'a', 255)": "003.1|a|ff|%",
    "'%(a)s-%(b)02d' % {'a': 1, 'b': 2}": "1-02",
    "'%s' | format('x')": "x",
    "'%s' % none": "",
    "'%s' % true": "true",
    "'{:03d}-{name}-{}'.format(7, 'x', name='z')": "007-z-x",
    "'{1}{0}{{}}'.format('a', 'b')": "ba{}",
    "'{:>5}|{:.2f}|{!s}'.format('a', 1, 2)": "    a|1.00|2",
    "'a b' | urlencode": "a%20b",
    "{'q': 'a b', 'n': 1} | urlencode": "q=a+b&n=1",
    "'a,b,c'.split(',', 1)": ["a", "b,c"],
    "'a b'.split(none, 1)": ["a", "b"],
    "'abc'.partition('b')": ["a", "b", "c"],
    "params.map.get('zz', 4)": 4,
    "params.map.items()": [["k", 1]],
    "params.list.index('c')": 2,
    "params.list.count('c')": 1,
    "'-'.join([1, 'a', true])": "1-a-true",
    "'A'.isupper() and 'ab'.startswith('a')": True,
    "'x' ~ 1 ~ none ~ true ~ [1]": "x1true[1]",
    "(1, 2)": [1, 2],
    "-params.n ** 2": 25,
    "10**10**2": 10**20,
    "(-1)**(10**30)": 1,
    "7 // 2 + 7 % 2": 4,
}


@pytest.mark.parametrize("expression", KEPT)
def test_what_is_kept_of_jinja(expression: str) -> None:
    found = value(expression)
    assert found == KEPT[expression]
    assert type(found) is type(KEPT[expression])


MISUSED: dict[str, str] = {
    "params.list + 1": "a list cannot be added to a number",
    "params.word - 1": "text cannot be reduced by a number",
    "params.list | sort | join('') + 1": "text cannot be added to a number",
    "[1, 'a'] | sort": "no order",
    "[1, 'a'] | max": "no `max`",
    "1 < 'a'": "a number and text cannot be compared",
    "'a' in 5": "`in` needs a list, not a number",
    "1 in 'a1' and [] in 'a'": "`in` needs a text, not a list",
    "-params.word": "only numbers have",
    "1 / 0": "divided by 0",
    "5 % 0": "divided by 0",
    "(-8) ** 0.5": "no such root",
    "params.word | abs": "`abs` needs a number, not text",
    "params.n | length": "`length` needs a list or a text, not a number",
    "params.word | truncate(2)": "a length of at least 3",
    "params.list | map": "`map` needs a filter or an attribute",
    "params.list | map('nope')": "there is no filter `nope`",
    "params.list | select('nope')": "there is no test `nope`",
    "params.list | map('truncate', 1, 2, 3, 4, 5)": "too few or too many",
    "params.list | map(1)": "a name in quotes, not a number",
    "params.list | selectattr": "`selectattr` needs an attribute",
    "params.list | batch(0)": "a number from 1",
    "params.map | dictsort(by='x')": "by `'key'` or by `'value'`",
    "params.list | items": "`items` needs a mapping, not a list",
    "params.rows | map(attribute='nope')": "a mapping has no `nope`",
    "params.photo | upper": "`upper` needs a text, not the file `cat.png`",
    "'%d' % 'a'": "a number is needed, not text",
    "'%s %s' % ('a',)": "fewer values are given",
    "'%s' % ('a', 'b')": "more values are given",
    "'%(x)s' % {'a': 1}": "no value is given for `x`",
    "'%y' % 1": "`%y` is not a way to write a value",
    "'%r' % 1": "`%r` is not a way to write a value",
    "'%c' % 55296": "`%c` is not a way to write a value",
    "'%s' % params.photo": "the file `cat.png` cannot be written into a text this way",
    "'{'.format(1)": "a brace that is not closed",
    "'{}'.format()": "fewer values are given",
    "'{a.b}'.format(a=1)": "a number or a name only",
    "'{0[1]}'.format([1])": "a number or a name only",
    "'{!r}'.format(1)": "a number or a name only",
    "'{:{}}'.format(1, 2)": "not a way to write a value",
    "'{:,x}'.format(1)": "`,x` cannot write a number",
    "'{:=5}'.format('a')": "`=5` cannot write text",
    "'{:d}'.format('a')": "a whole number is needed, not text",
    "params.word.split(1)": "takes a text and a whole number",
    "params.word.ljust(5, 'ab')": "one character, not with 2",
    "params.list.index('zz')": "is not in the list",
    "params.word.split('')": "cannot do this",
    "params.list[1:'a']": "cut with whole numbers",
    "params.list[::0]": "in steps of 0",
    "params.n[1:]": "a number cannot be cut",
    "{[1]: 2}": "a list cannot be the key of a mapping",
}


@pytest.mark.parametrize("expression", MISUSED)
def test_misuse_is_told_in_words(expression: str) -> None:
    error = refused(expression)
    assert MISUSED[expression] in error.message
    for text in (error.message, error.hint or ""):
        assert "object" not in text and "NoneType" not in text and "'str'" not in text
        assert not text.endswith(".")


def test_the_tables_hold_what_is_meant_and_nothing_else() -> None:
    assert set(FUNCTIONS) == {"range", "zip", "file", "glob"}
    impure = {"random", "shuffle", "now", "lipsum", "cycler", "joiner", "namespace", "dict"}
    of_web_pages = {"escape", "e", "safe", "urlize", "xmlattr", "forceescape", "striptags", "pprint", "attr"}
    assert not (impure | of_web_pages) & (set(FILTERS) | set(FUNCTIONS) | set(TESTS))
    changing = {"append", "update", "pop", "clear", "extend", "insert", "remove", "sort", "setdefault", "popitem"}
    assert not (changing | {"format_map", "encode", "translate", "to_bytes", "expandtabs"}) & METHODS
    assert not [name for name in METHODS if name.startswith("_")]
