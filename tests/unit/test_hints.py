"""Hints work when typed: every command they name takes what it is given, and looks where its reader looked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rhflow.cli import render
from rhflow.cli.root import invoke, root
from rhflow.core.errors import Problem
from tests.support import problems_of

SOURCE = Path(render.__file__).parents[1]
ONLY_NAMED = {("prices.py", "run")}  # as in: so `rhflow run` refuses
HEAD = "rhflow: 1\nsteps:\n"
DRAW = "  a: {uses: text-to-image, with: {prompt: x}}\n"


def hints_of(text: str) -> list[str | None]:
    return [each.hint for each in problems_of(text)]


# --- every command in the source -------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, str]]:
    """Yield every command that a text of the source says to type, with `…` for what is only known then."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in told:  # a docstring
                continue
            if isinstance(node, ast.JoinedStr):
                parts = [str(each.value) if isinstance(each, ast.Constant) else "…" for each in node.values]
                text = "".join(parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
            else:
                continue
            for found in re.findall(r"`rhflow ([a-z][^`]*)`", text):
                yield path.name, found


@pytest.mark.parametrize(("where", "command"), sorted({*commands()} - ONLY_NAMED))
def test_a_command_that_a_text_names_takes_what_it_gives_it(where: str, command: str) -> None:
    words = re.split(r" (?:>|&&|\|) ", command)[0].split()
    below: click.Command = root
    context = click.Context(root)
    while words and isinstance(below, click.Group):
        found = below.get_command(context, words[0])
        assert found is not None, f"{where}: `rhflow {command}`"
        below = found
        words.pop(0)
    options = {name: each for each in below.params if isinstance(each, click.Option) for name in each.opts}
    given = [word for word in words if not word.startswith("-")]
    for at, word in enumerate(words):
        if word.startswith("-"):
            option = options[word.partition("=")[0]]
            if not option.is_flag and "=" not in word:
                given.remove(words[at + 1])
    needed = [each for each in below.params if isinstance(each, click.Argument) and each.required]
    assert len(given) >= len(needed), f"{where}: `rhflow {command}` lacks {needed[0].name}"


# --- where to look ---------------------------------------------------------------------------------------------------


def test_a_hint_repeats_store_and_realm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "a store")
    assert invoke(["runs", "--store", store]) == 0
    assert f"`rhflow run RECIPE --store '{store}'` makes one" in capsys.readouterr().out
    assert invoke(["show", "zzz", f"--store={store}"]) == 2
    assert f"`rhflow run RECIPE --store '{store}'`" in capsys.readouterr().err
    assert invoke(["run", "r.yaml", "--dry-run", f"--store={store}"]) == 2
    assert f"`rhflow plan r.yaml '--store={store}'`?" in capsys.readouterr().err
    assert invoke(["app", "list", "--simulate"]) == 0
    assert "`rhflow app show APP --simulate` tells what one takes" in capsys.readouterr().out


def test_a_dry_run_is_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["run", "r.yaml", "--dry-run", "-p", "x=a b"]) == 2
    assert "did you mean `rhflow plan r.yaml -p 'x=a b'`?" in capsys.readouterr().err


def test_one_problem_of_many_items_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    same, other = Problem("unknown-name", "`item` has no `nme`"), Problem("wrong-form", "other")
    render.problems([same, other, same, same])
    assert capsys.readouterr().err == (
        "error[unknown-name]: `item` has no `nme`\nthe same for 3 items\n\nerror[wrong-form]: other\n"
    )


# --- shapes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("rhflow: 1\nsteps:\n", "add a step under it, as in `draw: {uses: text-to-image, with: {prompt: a fox}}`"),
        (HEAD + "  a:\n", "begin with its kind, such as `uses: text-to-image`"),
        (HEAD + "  a: {uses: }\n", "begin with its kind, such as `uses: text-to-image`"),
        (
            HEAD + DRAW.replace("with", "model: , with"),
            "leave `model` out for the default of its kind, or name one: `rhflow models search WORD` finds them",
        ),
        (HEAD + DRAW.replace("with", "timeout: , with"), "leave `timeout` out, or give it a value"),
        (HEAD + DRAW.replace("x}", "x, model: f-dev}"), "move `model` up one level, next to `with`"),
        ("rhflo: 1\nsteps:\n" + DRAW, "did you mean `rhflow`?"),
        ("rhflow: 1\nstpes:\n" + DRAW, "did you mean `steps`?"),
        (HEAD + DRAW.replace("uses", "use"), "did you mean `uses`?"),
    ],
)
def test_one_slip_is_one_problem_with_a_hint_for_it(text: str, hint: str) -> None:
    assert hints_of(text) == [hint]


def test_what_is_missing_is_told_where_nothing_was_meant_to_be_it() -> None:
    assert hints_of(HEAD + DRAW.replace("uses: text-to-image", "pool: x")) == [
        "add its kind, such as `uses: text-to-image`"
    ]
