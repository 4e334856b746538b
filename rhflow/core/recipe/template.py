"""Templates: what a value reads, and what it becomes.

``${{ expression }}`` is Jinja's language, strict and bounded (``sandbox.py``). References are found from the syntax
tree, so edges between steps need not be written down. A value that is exactly one expression keeps its type; any
other is text.

A value made only of dotted paths (most are) is read and rendered without Jinja: the same meaning, far less time, and
a start-up that need not import it. A property test holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from rhflow.core.errors import Problem, RecipeError, did_you_mean
from rhflow.core.expr.bounds import ITEM, Meter, SandboxError
from rhflow.core.text.located import Located, Pointer
from rhflow.core.values import ARTIFACT_MEMBERS, MAX_TEXT, Artifact, member_of, text_of, why_no_text

if TYPE_CHECKING:
    from rhflow.core.expr import sandbox

Unresolved: TypeAlias = "None | bool | int | float | str | Template | list[Unresolved] | dict[str, Unresolved]"
Path: TypeAlias = tuple[str | int, ...]

MAX_VALUES = 1_000_000  # in one list or mapping with expressions, and in all that is in it
MAX_LETTERS = 10 * MAX_TEXT
ROOTS = ("params", "vars", "steps", "env", "run")
_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
_STEP = rf"""(?:\.{_WORD}|\[[0-9]+\]|\['[^'\\]*'\]|\["[^"\\]*"\])"""
_HEAD = rf"(?:steps\.[a-z][a-z0-9_-]*|{_WORD})"  # the id of a step may hold hyphens, as in GitHub Actions
_PATH = re.compile(rf"\s*({_HEAD})({_STEP}*)\s*\Z")
_PART = re.compile(_STEP)
_SIMPLE = re.compile(rf"\$\{{\{{(\s*{_HEAD}{_STEP}*\s*)\}}\}}")
_NAMES_OF_JINJA = frozenset(
    {"true", "false", "none", "True", "False", "None", "not", "self", "loop", "range", "zip", "file", "glob"}
)


@dataclass(frozen=True, slots=True)
class Ref:
    """What an expression reads: a path of names and indexes; None stands for a computed one."""

    path: tuple[str | int | None, ...]

    def __str__(self) -> str:
        head, *rest = self.path
        return str(head) + "".join(f".{each}" if isinstance(each, str) else f"[{each}]" for each in rest)


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed input: its text, its place in the recipe, what it reads.

    ``parts`` is set when every expression is a dotted path: literals and paths in order; else Jinja renders ``text``.
    ``exact`` marks a value that is one expression and nothing else, ``broken`` one that could not be read.
    """

    text: str
    pointer: Pointer
    refs: tuple[Ref, ...]
    exact: bool
    parts: tuple[str | Path, ...] | None = None
    broken: bool = False
    located: Located | None = field(default=None, repr=False, compare=False)

    def problem(self, code: str, message: str, *, hint: str | None = None, snippet: str | None = None) -> Problem:
        """Return a problem at this template, or at ``snippet`` inside it."""
        if self.located is None:
            return Problem(code, message, None, hint)
        span = self.located.find(self.pointer, snippet) if snippet else self.located.span(self.pointer)
        return Problem(code, message, span, hint)


def parse_value(data: Any, located: Located, pointer: Pointer, problems: list[Problem]) -> Unresolved:
    """Return plain data with every text that holds an expression parsed; problems are added to ``problems``."""
    if isinstance(data, str):
        try:
            return parse_text(data, located, pointer)
        except RecipeError as error:
            problems.extend(error.problems)
            return Template(data, pointer, (), exact=True, broken=True, located=located)
    if isinstance(data, list):
        return [parse_value(each, located, (*pointer, at), problems) for at, each in enumerate(data)]
    if isinstance(data, dict):
        return {key: parse_value(each, located, (*pointer, key), problems) for key, each in data.items()}
    return data  # type: ignore[no-any-return]


def parse_text(text: str, located: Located | None = None, pointer: Pointer = ()) -> Template | str:
    """Return a template, or the text itself where it holds no expression. Raises RecipeError."""
    if "{{" not in text and "{%" not in text and "{#" not in text:
        return text
    if (parts := _simple_parts(text)) is not None:
        refs = tuple(Ref(part) for part in parts if isinstance(part, tuple))
        return Template(text, pointer, refs, len(parts) == 1, parts, located=located)
    return _parse_with_jinja(Template(text, pointer, (), exact=False, located=located))


def _simple_parts(text: str) -> tuple[str | Path, ...] | None:
    """Split a text into literals and dotted paths, or return None when Jinja must read it."""
    parts: list[str | Path] = []
    at = 0
    for match in _SIMPLE.finditer(text):
        if match.start() and text[match.start() - 1] == "$":
            return None
        path = parse_path(match[1])
        if path is None or path[0] in _NAMES_OF_JINJA:
            return None
        if match.start() > at:
            parts.append(text[at : match.start()])
        parts.append(path)
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
    if any(isinstance(part, str) and re.search(r"\{\{|\{%|\{#", part) for part in parts):
        return None
    return tuple(parts)


def parse_path(text: str) -> Path | None:
    """Return ``steps.draw.files[0]`` as a tuple, or None when the text is not a plain path."""
    match = _PATH.match(text)
    if match is None:
        return None
    path: list[str | int] = [*match[1].split(".", 1)]
    for part in _PART.findall(match[2]):
        if part.startswith("."):
            path.append(part[1:])
        else:
            inner = part[1:-1]
            path.append(int(inner) if inner[0].isdigit() else inner[1:-1])
    return tuple(path)


def rescope(value: Unresolved, prefix: str) -> Unresolved:
    """Return a value whose references to steps mean those with ``prefix`` before their id; its text stays."""
    return remap(value, lambda ref: [under(prefix, ref)])


def under(prefix: str, ref: Ref) -> Ref:
    """Return a reference to a step as one to the step with ``prefix`` before its id, any other as it is."""
    match ref.path:
        case ("steps", str(step), *rest):
            return Ref(("steps", f"{prefix}{step}", *rest))
        case _:
            return ref


def remap(value: Unresolved, sources: Callable[[Ref], Iterable[Ref]]) -> Unresolved:
    """Return a value in which every reference stands for those that ``sources`` makes of it; its text stays."""
    if isinstance(value, Template):
        return replace(value, refs=tuple(dict.fromkeys(new for ref in value.refs for new in sources(ref))))
    if isinstance(value, list):
        return [remap(each, sources) for each in value]
    return {key: remap(each, sources) for key, each in value.items()} if isinstance(value, dict) else value


def refs_in(value: Unresolved) -> Iterator[tuple[Template, Ref]]:
    """Yield every reference inside a value once, with the template that makes it."""
    for template in templates_in(value):
        for ref in template.refs if len(template.refs) < 2 else dict.fromkeys(template.refs):
            yield template, ref


def templates_in(value: Unresolved) -> Iterable[Template]:
    """Return every template inside a value, in order; most values are plain and hold none."""
    if isinstance(value, Template):
        return (value,)
    return _templates_inside(value) if isinstance(value, list | dict) else ()


def _templates_inside(value: list[Unresolved] | dict[str, Unresolved]) -> Iterator[Template]:
    stack: list[Unresolved] = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Template):
            yield each
        elif isinstance(each, list):
            stack.extend(reversed(each))
        elif isinstance(each, dict):
            stack.extend(reversed(each.values()))


def has_templates(value: Unresolved) -> bool:
    """Whether there is a template inside a value."""
    return any(True for _ in templates_in(value))


def resolve(value: Unresolved, names: Mapping[str, Any]) -> Any:
    """Return ``value`` with its templates rendered from ``names``. Raises RecipeError with the place."""
    if isinstance(value, Template):
        return _render(value, names)
    if not isinstance(value, list | dict):
        return value
    made = _filled(value, names)
    if (first := next(_templates_inside(value), None)) is not None:
        # The same list may stand in many places: a list of it twice, that one twice … is soon too large to write out
        try:
            Meter(MAX_VALUES * ITEM + MAX_LETTERS).weigh(made, most=MAX_VALUES, letters=MAX_LETTERS)
        except SandboxError as error:
            raise RecipeError(first.problem(error.code, error.message)) from None
    return made


def _filled(value: Unresolved, names: Mapping[str, Any]) -> Any:
    if isinstance(value, Template):
        return _render(value, names)
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    return value


def _render(template: Template, names: Mapping[str, Any]) -> Any:
    if template.parts is None:
        return _render_with_jinja(template, names)
    if template.exact:
        return walk(template, template.parts[0], names)  # type: ignore[arg-type]
    text = "".join(
        part if isinstance(part, str) else as_text(template, walk(template, part, names)) for part in template.parts
    )
    if len(text) > MAX_TEXT:
        raise RecipeError(template.problem("text-too-long", f"this text grows beyond {MAX_TEXT:,} characters"))
    return text


def walk(template: Template, path: Path, names: Mapping[str, Any]) -> Any:
    """Follow a path through mappings, lists and artifacts. Raises RecipeError where it ends too soon."""
    value: Any = names
    for at, step in enumerate(path):
        try:
            value = value[step] if not isinstance(value, Artifact) else member_of(value, str(step))
        except (KeyError, IndexError, TypeError, AttributeError):
            raise RecipeError(_missing(template, path[:at], step, value)) from None
        except ValueError as error:  # the text of a step, read as JSON
            shown = str(Ref(path[: at + 1]))
            hint = "ask for nothing but JSON in the prompt of that step"
            message = f"`{shown}` cannot be read: {error}"
            raise RecipeError(template.problem("not-json", message, hint=hint, snippet=shown)) from None
    return value


def _missing(template: Template, before: Path, step: str | int, value: Any) -> Problem:
    from rhflow.core.expr.methods import methods_of  # imported late: only needed when something is already wrong

    choices = list(value) if isinstance(value, Mapping) else ARTIFACT_MEMBERS if isinstance(value, Artifact) else []
    hint = did_you_mean(str(step), [str(each) for each in choices])
    if value is None and before == ("prev",):
        hint = f"nothing is before the first item: `${{{{ prev.{step} if prev else … }}}}`"
    if isinstance(value, list):
        hint = f"it is a list of {len(value)}" + (": pick one, as in `[0]`" if value else "")
    shown = str(Ref((*before, step)))
    owner = f"`{Ref(before)}`" if before else "the recipe"
    if before and step in methods_of(value):
        return template.problem("needs-call", f"`{step}` is a method", hint=f"call it: `.{step}()`", snippet=shown)
    return template.problem("unknown-name", f"{owner} has no `{step}`", hint=hint, snippet=shown)


def as_text(template: Template, value: Any) -> str:
    """Return a value as it stands in a text. Raises RecipeError for what has none of its own."""
    if not isinstance(value, str) and (why := why_no_text(value)) is not None:
        raise RecipeError(template.problem("not-text", why[0], hint=why[1]))
    return text_of(value)


def _parse_with_jinja(template: Template) -> Template:
    from rhflow.core.expr import sandbox  # imported late, with Jinja: most recipes never need it

    try:
        tree = sandbox.parse(_environment(), template.text)
    except sandbox.SandboxError as error:
        raise _with_place(template, error) from error
    refs = tuple(Ref(chain) for chain in sandbox.reads(tree))
    return replace(template, refs=refs, exact=sandbox.is_exact(tree, template.text))


def syntax_of(template: Template) -> Any:
    """Return the syntax tree of a template that holds more than dotted paths."""
    from rhflow.core.expr import sandbox

    return sandbox.parse(_environment(), template.text)


def _render_with_jinja(template: Template, names: Mapping[str, Any]) -> Any:
    from rhflow.core.expr import sandbox

    reader = None if template.located is None else template.located.reader
    try:
        return sandbox.render(_environment(), template.text, exact=template.exact, names=names, reader=reader)
    except sandbox.SandboxError as error:
        raise _with_place(template, error) from error


@cache
def _environment() -> Any:
    from rhflow.core.expr import sandbox

    return sandbox.environment()


def _with_place(template: Template, error: sandbox.SandboxError) -> RecipeError:
    return RecipeError(template.problem(error.code, error.message, hint=error.hint, snippet=error.snippet))
