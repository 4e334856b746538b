"""Ways to damage a recipe, each from a seeded source of chance: what ``fuzz_recipes.py`` feeds to rhflow."""

from __future__ import annotations

import copy
import functools
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import yaml

# Pieces of expressions: harmless ones, hungry ones, and ones that reach for what is not theirs
EXPRESSIONS: Sequence[str] = (
    "params.look", "params.photo.width", "vars.keep", "vars.look ~ params.look", "steps.photo.image",
    "steps.x.y.z[0]", "steps['photo'].files | length", "steps | list", "run.id", "run.date", "env.HOME", "item",
    "item.key", "prev", "key", "matrix.a", "loop.index", "self", "none", "true", "1", "-1", "1.5e308", "0x10",
    "1_000", "''", "'a'", '"b"', "[]", "{}", "()", "(1,)", "[1, 'a', none, true, 1.5]", "{'a': {'b': [1]}}", "{1: 2}",
    "{none: 1}", "'\\ud800'", "'\\d'", "'\\x1'", "'\\N{BULLET}'", "'%s' % params.look", "'%999999999d' % 1",
    "'%*d' % (9, 9)", "'%(a)s' % {'a': 1}", "'{:>999999999}'.format(1)", "'{0.__class__}'.format(1)",
    "'{a[0]}'.format(a=[1])", "'x' * 10**9", "10**10**10", "9**9**9**9", "2**-1", "(-8)**0.5", "1/0", "1 % 0",
    "1e308 * 1e308", "range(10**9)", "range(5) | list", "range(1, 9, 0)", "'a' | center(10**9)",
    "'a' | indent(10**9)", "'a' | wordwrap(1)", "'abc' | replace('', 'x' * 1000)", "[1, 2] * 10**8",
    "[[1] * 1000] * 1000", "['a' * 1000] * 1000 | join", "'a' | batch(10**9) | list", "[1] | slice(10**9) | list",
    "lipsum(10**6)", "cycler(1)", "joiner()", "namespace(a=1)", "dict(a=1)",
    "''.__class__.__mro__[1].__subclasses__()", "params.__class__", "params | attr('__class__')", "[].append(1)",
    "{}.update({1: 2})", "params.look.upper", "params.look.upper()", "params.look.split(',')",
    "params.look | map('upper') | list | tojson", "params | tojson", "vars | tojson", "steps.photo | tojson",
    "'[' * 100000 | fromjson", "'{\"a\": 1}' | fromjson", "'NaN' | fromjson", "'\"\\\\ud800\"' | fromjson",
    "['b', 'a', 1] | sort", "[1, [2]] | unique", "[] | first", "[] | max | default(1)",
    "[{'a': 1}] | map(attribute='a.b.c') | list", "[1] | map('nope') | list", "[1] | select('nope') | list",
    "params.nope | default('x')", "params.nope is defined", "'a' if false", "not not not 1", "1 < 2 < 'a'", "1 in 1",
    "'a' in params.look", "file('near.txt')", "file('../secret.txt')", "file('/etc/passwd')", "file('link.txt')",
    "file('folder')", "file('nope.txt')", "file('\\0')", "file(steps.photo.text)", "file(params.look)",
    "file('big.txt')", "file('bytes.bin')", "file(1)", "glob('*')", "glob('**/*')", "glob('../*')", "glob('/**')",
    "glob('[')", "glob('')", "pairs([1, 2, 3])", "[1, 2, 3] | pairs", "zip([1], [2, 3])", "zip()", "'Ä b' | slug",
    "'a/b' | basename", "'a' | sha256", "'a' ~ 1 ~ none", "params.look[::0]", "params.look[1:10**9]", "params[1]",
    "params[[1]]", "params[none]", "1(2)", "'a'()", "range(*[1])", "range(**{})", "x=1", "a b", "a ? b : c", "a && b",
    "a;b", "{{ a }}", "}}", "{%", "$${{ a }}",
)  # fmt: skip
BLOCKS: Sequence[str] = (
    "{% for i in range(1000) %}{% for j in range(1000) %}{% for k in range(1000) %}x{% endfor %}{% endfor %}"
    "{% endfor %}",
    "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a ~ a ~ a %}" * 12 + "${{ a }}",
    "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40 + "${{ a }}",
    "{% macro m() %}${{ m() }}{% endmacro %}${{ m() }}", "{% include 'x' %}", "{% import 'x' as y %}",
    "{% extends 'x' %}", "{% block a %}{% endblock %}", "{% call f() %}{% endcall %}",
    "{% autoescape true %}a{% endautoescape %}", "{% do 1 %}", "{% if params.look %}a{% else %}b{% endif %}",
    "{% if %}", "{% endif %}", "{% else %}", "{% for %}", "{% set %}",
    "{% for a, b in params.look %}${{ a }}{% endfor %}", "{% for x in params %}${{ x }}{% endfor %}", "{% raw %}{{",
    "{% raw %}${{ a }}{% endraw %}", "{# a #}", "{# a", "{%", "{%-", "{% with a = 1 %}${{ a }}{% endwith %}",
    "{% set a.b = 1 %}", "{% filter upper %}a{% endfilter %}", "{% set params = 1 %}",
    "{% for x in [1] recursive %}${{ loop([1]) }}{% endfor %}",
)  # fmt: skip
SNIPPETS: Sequence[str] = (
    "&a", "*a", "<<: *a", "!!python/object:os.system", "!!binary aGk=", "!foo bar", "!!str 1", "!!int x", "? a",
    "---", "...", "%YAML 1.1", "%TAG ! x", "{", "}", "[", "]", ": ", "- ", "# ", "|", ">", "|2-", "'", '"', "\\",
    "\\x", '"\\ud800"', "\t", "\r", "\n", "\r\n", "\x00", "\x07", "\x85", "\u2028", "\ufeff", "\ud800", "\uffff",
    "\U0010ffff", "\u202e", "é", "e\u0301", "日本語", "：", "“", "🎬" * 9, "null", "~", "true", "yes", "0o17",
    "0x" + "f" * 20, "0x" + "f" * 5000, "9" * 300, "9" * 5000, "1e999", "-.inf", ".nan", "1_000", "16:9",
    "2026-01-01", "${{ 1 }}", "{{ 1 }}", "${{", "{%", "{#", "a" * 5000, " " * 500, "name: x", "uses: upload",
    "foreach: ${{ range(3) }}", "foreach: {range: 999999999}", "matrix: {a: [1, 2], b: [3]}", "variations: 99999999",
    "chain: true", "if: ${{ false }}", "if: params.look", "needs: [photo]", "timeout: 20m", "retry: {max: 2}",
    "cache: {salt: x}", "on_error: skip", "save_as: ${{ key }}", "env: [HOME]", "budget: {max_cost: 1 CNY}",
    "pattern: (a+)+$",
    "z: {pattern: (a|aa)+$, default: %s!}" % ("a" * 60),
    "pattern: '['", "enum: [1, 2]", "minimum: .nan", "default: ${{ 1 }}", "type: list", "model: x",
    "<<: [*a, *b]", "x-y: &a {b: c}", "steps:", "params:", "outputs:",
    "uses: ./part.yaml", "uses: ./circle.yaml", "uses: part.yml", "uses: ../part.yaml",
)  # fmt: skip

Mutation = Callable[[str, random.Random], str]


def mutated(recipe: str, others: Sequence[str], chance: random.Random) -> str:
    """Return a recipe with one to four damages, rather fewer than more; two of three leave it YAML."""
    roll = chance.random()
    if roll < 0.66:
        return remade(recipe, chance, _reshape if roll < 0.33 else _reword)
    for _ in range(min(chance.randint(1, 4), chance.randint(1, 4))):
        change = chance.choice(MUTATIONS)
        recipe = spliced(recipe, chance.choice(others), chance) if change is cut else change(recipe, chance)
        if len(recipe) > 400_000:
            break
    return recipe


def spliced(recipe: str, other: str, chance: random.Random) -> str:
    """Cut a piece out, or put a piece of another recipe in its place."""
    start, end = _range(recipe, chance)
    first, last = _range(other, chance) if chance.random() < 0.5 else (0, 0)
    return recipe[:start] + other[first:last] + recipe[end:]


def cut(recipe: str, chance: random.Random) -> str:
    """Cut a piece out."""
    start, end = _range(recipe, chance)
    return recipe[:start] + recipe[end:]


def flip(recipe: str, chance: random.Random) -> str:
    """Change single bytes; what is no UTF-8 any more becomes a mark."""
    data = bytearray(recipe.encode("utf-8", "replace"))
    for _ in range(chance.randint(1, 4)):
        if data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data.decode("utf-8", "replace")


def insert(recipe: str, chance: random.Random) -> str:
    """Put a piece of YAML anywhere."""
    at = chance.randint(0, len(recipe))
    return recipe[:at] + chance.choice(SNIPPETS) + recipe[at:]


def insert_line(recipe: str, chance: random.Random) -> str:
    """Put a piece of YAML on a line of its own, indented like the one before."""
    lines = recipe.splitlines(keepends=True) or ["\n"]
    at = chance.randrange(len(lines))
    margin = re.match(r" *", lines[at])
    indent = (margin[0] if margin else "") + " " * chance.choice((0, 0, 2))
    return "".join([*lines[: at + 1], f"{indent}{chance.choice(SNIPPETS)}\n", *lines[at + 1 :]])


def swap_tokens(recipe: str, chance: random.Random) -> str:
    """Exchange two words or marks."""
    tokens = re.split(r"(\w+|[^\w\s])", recipe)
    if len(tokens) > 3:
        one, two = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        tokens[one], tokens[two] = tokens[two], tokens[one]
    return "".join(tokens)


def truncate(recipe: str, chance: random.Random) -> str:
    """Keep the beginning."""
    return recipe[: chance.randint(0, len(recipe))]


def repeat(recipe: str, chance: random.Random) -> str:
    """Write a piece several times."""
    start, end = _range(recipe, chance)
    return recipe[:end] + recipe[start:end] * chance.choice((1, 2, 50)) + recipe[end:]


def nest(recipe: str, chance: random.Random) -> str:
    """Put a value, or an expression, deep inside brackets."""
    opened, closed = chance.choice((("[", "]"), ("{a: ", "}"), ("${{ " + "(" * 3, ")" * 3 + " }}"), ("- ", "")))
    deep = chance.choice((2, 30, 70, 2000))
    return _in_value(recipe, chance, lambda value: opened * deep + value + closed * deep)


def deep_expression(recipe: str, chance: random.Random) -> str:
    """Put an expression of very many parts in place of a value."""
    part, count = chance.choice(("(", "[", "not ", "-", "1+", "1~", "1 if 1 else ", "{'a':", "a.", "1|abs|")), 0
    count = chance.choice((5, 60, 1000, 10_000))
    closing = {"(": ")", "[": "]", "{'a':": "}"}.get(part, "")
    return _in_value(recipe, chance, lambda value: '"${{ ' + part * count + "1" + closing * count + ' }}"')


def aliases(recipe: str, chance: random.Random) -> str:
    """Add anchors and aliases of aliases."""
    width, depth = chance.choice(((2, 3), (3, 3), (1, 60), (2, 5), (9, 9) if chance.random() < 0.05 else (4, 3)))
    lines = ["x-a0: &a0 [x]"]
    for level in range(1, depth):
        lines.append(f"x-a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]")
    used = _in_value(recipe, chance, lambda value: f"*a{chance.randrange(depth)}")
    return "\n".join(lines) + "\n" + used


def inject(recipe: str, chance: random.Random) -> str:
    """Put an expression or a block in place of a value, or inside one."""
    piece = chance.choice(BLOCKS) if chance.random() < 0.2 else f"${{{{ {chance.choice(EXPRESSIONS)} }}}}"
    if chance.random() < 0.5:
        return _in_value(recipe, chance, lambda value: '"' + piece.replace("\\", "\\\\").replace('"', '\\"') + '"')
    return _in_value(recipe, chance, lambda value: f"{value} {piece}")


def combine(recipe: str, chance: random.Random) -> str:
    """Put an expression made of two others in place of a value."""
    one, two = chance.choice(EXPRESSIONS), chance.choice(EXPRESSIONS)
    joint = chance.choice((" ~ ", " + ", " * ", " | ", " in ", " if ", ", ", "[", ".", " and ", " ** ", " % "))
    made = f"${{{{ ({one}){joint}({two}) }}}}".replace("\\", "\\\\").replace('"', '\\"')
    return _in_value(recipe, chance, lambda value: f'"{made}"')


def long_line(recipe: str, chance: random.Random) -> str:
    """Put a very long text in place of a value."""
    unit = chance.choice(("a", "日", "a b ", "${{ params.look }} ", "${{ 'a' ~ 1 }} ", "{{ ", "${{ ", "'", "\\n", "- "))
    return _in_value(recipe, chance, lambda value: '"' + unit * chance.choice((500, 20_000)) + '"')


def lines_moved(recipe: str, chance: random.Random) -> str:
    """Move a line elsewhere, or change its indentation."""
    lines = recipe.splitlines(keepends=True) or ["\n"]
    line = lines.pop(chance.randrange(len(lines)))
    if chance.random() < 0.5:
        line = " " * chance.randint(0, 8) + line.lstrip(" ")
    lines.insert(chance.randint(0, len(lines)), line)
    return "".join(lines)


MUTATIONS: Sequence[Mutation] = (
    cut, flip, insert, insert_line, insert_line, swap_tokens, truncate, repeat, nest, deep_expression, aliases,
    long_line, lines_moved, inject, inject, inject, inject, inject, combine, combine, combine,
)  # fmt: skip


# --- by meaning ------------------------------------------------------------------------------------------------------

ODD_VALUES: Sequence[Any] = (
    None, True, False, 0, 1, -1, 5, 10**30, 1.5, float("inf"), float("nan"), "", " ", "x", "a b", "5", "16:9",
    "1080p", "x.png", "https://example.com/a.png", "sha256:" + "0" * 64, "asset://1", "日本語", "a" * 3000,
    "-1", "1e999", "9" * 500, [], [None], ["x"], [1, [2, [3]]], {}, {"a": 1}, {"key": "k", "x": 1}, {"": None},
    {"range": 3}, {"from": "x"}, "upload", "text-to-image", "image-to-video", "upscale", "text-to-text", "photo",
    "steps", "kling-v2-6-pro-i2v", "2x", "3:2",
)  # fmt: skip
KEYS: Sequence[str] = (
    "rhflow", "name", "params", "vars", "steps", "outputs", "defaults", "budget", "env", "uses", "with", "model",
    "needs", "foreach", "matrix", "variations", "chain", "if", "timeout", "retry", "cache", "on_error", "pool",
    "save_as", "type", "default", "enum", "minimum", "maximum", "pattern", "secret", "prompt", "image", "images",
    "video", "duration", "seed", "aspect_ratio", "resolution", "scale", "text", "from", "x-a", "photo", "clip",
    "look", "", "1", "a" * 3000, "a" * 2999 + "b", "null", "a.b", "<<", "é",
)  # fmt: skip


_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@functools.lru_cache(maxsize=256)
def _data(recipe: str) -> Any:
    try:
        return yaml.load(recipe, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def remade(recipe: str, chance: random.Random, change: Callable[[Any, random.Random], None]) -> str:
    """Return a recipe that is still YAML, with one to five of its parts changed for others."""
    data = copy.deepcopy(_data(recipe))
    if not isinstance(data, dict):
        return recipe
    for _ in range(chance.randint(1, 5)):
        change(data, chance)
    try:
        return yaml.dump(data, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=10**6)
    except (yaml.YAMLError, RecursionError):
        return recipe


def _reshape(data: Any, chance: random.Random) -> None:
    """Change one part somewhere in nested data."""
    here = data
    while True:
        inner = [
            each
            for each in (here.values() if isinstance(here, dict) else here)
            if each and isinstance(each, dict | list)
        ]
        if not inner or chance.random() < 0.25:
            break
        here = chance.choice(inner)
    key = chance.choice([*here] if isinstance(here, dict) else range(len(here))) if here else None
    what = chance.random()
    if isinstance(here, dict) and (key is None or what < 0.2):
        here[chance.choice(KEYS)] = _odd(chance)
    elif key is not None and what < 0.3:
        del here[key]
    elif isinstance(here, dict) and what < 0.4:
        here[chance.choice(KEYS)] = here.pop(key)
    elif key is not None:
        here[key] = _odd(chance)


def _reword(data: Any, chance: random.Random) -> None:
    """Change one value that may hold an expression; the shape stays as it is."""
    steps = data.get("steps")
    places: list[Any] = [data.get("vars"), data.get("outputs")]
    if isinstance(steps, dict):
        places += [inputs for each in steps.values() if isinstance(each, dict) for inputs in (each.get("with"), each)]
    places = [each for each in places if each and isinstance(each, dict)]
    if not places:
        return
    place = chance.choice(places)
    if "uses" in place:
        place[chance.choice(("save_as", "if", "foreach", "variations", "model"))] = _expressed(chance)
    else:
        place[chance.choice([*place, "prompt"])] = _expressed(chance)


def _expressed(chance: random.Random) -> str:
    """Return a text with an expression made of up to three others."""
    made = chance.choice(EXPRESSIONS)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        joint = chance.choice(
            (" ~ ", " + ", " * ", " in ", " if ", ", ", " and ", " or ", " ** ", " % ", " == ", " < ")
        )
        made = chance.choice((f"({made}){joint}({chance.choice(EXPRESSIONS)})", f"{made} | {chance.choice(_FILTERS)}"))
    if chance.random() < 0.1:
        return chance.choice(BLOCKS)
    around = chance.choice((("", ""), ("", ""), ("a ", " b"), ("{% if true %}", "{% endif %}"), ("$", "")))
    return f"{around[0]}${{{{ {made} }}}}{around[1]}"


_FILTERS = (
    "upper", "title", "trim('a')", "replace('a', 'b')", "truncate(3)", "indent", "center(20)", "format(1)", "string",
    "urlencode", "wordcount", "abs", "int", "float", "round", "length", "join(', ')", "reverse", "sort", "unique",
    "sum", "min", "max", "first", "last", "map('upper')", "map(attribute='a')", "select('odd')", "selectattr('a')",
    "batch(2)", "slice(2)", "items", "dictsort", "default('d')", "list", "tojson", "fromjson", "slug", "basename",
    "pairs", "zip([1, 2])", "sha256", "nope", "map", "format", "upper(1)",
)  # fmt: skip


def _odd(chance: random.Random) -> Any:
    roll = chance.random()
    if roll < 0.35:
        return copy.deepcopy(chance.choice(ODD_VALUES))
    if roll < 0.75:
        return f"${{{{ {chance.choice(EXPRESSIONS)} }}}}"
    if roll < 0.9:
        one, two = chance.choice(EXPRESSIONS), chance.choice(EXPRESSIONS)
        return f"{chance.choice(('a ', ''))}${{{{ {one} }}}} ${{{{ {two} }}}}"
    return chance.choice(BLOCKS) if roll < 0.95 else [_odd(chance), {"a": _odd(chance)}]


def _range(text: str, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(text))
    return start, min(len(text), start + chance.choice((1, 5, 40, 200)))


def _in_value(recipe: str, chance: random.Random, change: Callable[[str], str]) -> str:
    """Change the value of one ``key: value`` line."""
    found = list(re.finditer(r"(?<=: )[^\n]+", recipe))
    if not found:
        return recipe + change("x")
    match = chance.choice(found)
    return recipe[: match.start()] + change(match[0]) + recipe[match.end() :]
