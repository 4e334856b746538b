"""Every wrong recipe in ``tests/golden/errors`` with exactly what the user is shown.

A recipe is validated by the command; one that is valid is then planned and, where that works, run with fakes. What the
first of these has to say is the golden text. The recipes tell of their world in keys that rhflow ignores:
``x-given`` (parameters), ``x-files`` (local files and their facts), ``x-texts`` (what text steps say).
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from rhflow.cli import render
from rhflow.cli.root import invoke
from rhflow.core.errors import Problem, RecipeError, Source
from rhflow.core.text.source import read
from rhflow.core.values import Outputs
from tests.conftest import GOLDEN
from tests.fakes import FakeExecutor, artifact
from tests.support import Bench, NoSuchFiles

CASES = sorted((GOLDEN / "errors").glob("*.yaml"))
CORE = Path(__file__).parents[2] / "rhflow" / "core"


def shown(problems: list[Problem]) -> str:
    """Return problems as the command line prints them."""
    return "\n\n".join(click.unstyle(render.problem_text(each)) for each in problems) + "\n"


def bench(path: Path) -> Bench:
    """Return a valid recipe with the world that it tells of."""
    text = path.read_text(encoding="utf-8")
    world: dict[str, Any] = read(Source(path.name, text)).data
    local = NoSuchFiles({name: artifact(name, path=name, **facts) for name, facts in world.get("x-files", {}).items()})
    said = {step: Outputs(texts=(each,)) for step, each in world.get("x-texts", {}).items()}
    return Bench(text, name=path.name, params=world.get("x-given", {}), local=local, executor=FakeExecutor(said))


def later_problems(path: Path) -> list[Problem]:
    """Return what is wrong with a valid recipe when it is planned, or else when it runs."""
    try:
        bench(path).plan()
    except RecipeError as error:
        return list(error.problems)
    results = asyncio.run(bench(path).run())
    return [problem for each in results.values() if each.error is not None for problem in each.error.problems]


def problems_of(path: Path) -> list[Problem]:
    """Return what rhflow has against a recipe, at the first stage that has anything."""
    from rhflow.app.recipes.load import load

    try:
        warnings = list(load(path).warnings)
    except RecipeError as error:
        return list(error.problems)
    return warnings or later_problems(path)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name recipes by their file names alone."""
    monkeypatch.chdir(GOLDEN / "errors")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_what_the_user_is_shown(case: Path, golden: Callable[[str, str], None]) -> None:
    golden(f"errors/{case.stem}.txt", shown(problems_of(Path(case.name))))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_validate_prints_the_same(case: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = invoke(["validate", case.name])
    printed = capsys.readouterr()
    golden_text = case.with_suffix(".txt").read_text(encoding="utf-8")
    if code == 0 and not printed.err:
        assert case.stem.startswith(("plan-", "run-"))
        return
    assert click.unstyle(printed.err) == golden_text
    assert code == (3 if "error[" in golden_text else 0)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_messages_keep_to_the_house_style(case: Path) -> None:
    problems = problems_of(Path(case.name))
    assert problems, "there is nothing wrong with this recipe"
    for problem in problems:
        assert problem.span is not None, problem
        for text in filter(None, (problem.message, problem.hint)):
            assert not text.endswith("."), text
            assert text[0] in "`“" or text[0].islower() or text.startswith(("YAML", "U+")), text
            assert text.count("`") % 2 == 0, text
    places = [(problem.span.line, problem.span.column) for problem in problems if problem.span is not None]
    assert places == sorted(places) or case.stem.startswith("run-")


# --- every code has a case -------------------------------------------------------------------------------------------

_CODE_IS_FIRST = {
    "Problem", "problem", "key_problem", "BadValueError", "SandboxError", "LoopError", "Absent", "_stop", "_report",
}  # fmt: skip
# Codes that no recipe in the folder can bring about, each with the reason
WITHOUT_A_CASE = {
    "no-files": "every command reads next to the recipe; only a template by itself cannot",
    "no-result": "told when a part of a recipe is run (`--only`)",
    "not-selected": "told when a part of a recipe is run (`--only` with `--force`)",
    "nothing-selected": "told when a part of a recipe is run (`--from` with `--until`)",
    "over-budget": "told when a run begins, after its plan",
    "budget-currency": "hangs on the site of the account",
    "shape": "for rules that the schema of recipes does not have today",
}


def codes_in(tree: ast.AST) -> Iterator[str]:
    """Yield every problem code that a module of the core spells out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            at = 0 if name in _CODE_IS_FIRST else 1 if name == "Trouble" else None
            if at is not None and len(node.args) > at and isinstance(found := node.args[at], ast.Constant):
                yield found.value
        elif isinstance(node, ast.FunctionDef) and node.name == "_words_for":
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
            yield from (each.elts[0].value for each in returned if isinstance(each, ast.Tuple))  # type: ignore[attr-defined]


def test_every_code_of_the_core_has_a_case() -> None:
    spelled = {code for path in CORE.rglob("*.py") for code in codes_in(ast.parse(path.read_text(encoding="utf-8")))}
    golden_texts = "".join(case.with_suffix(".txt").read_text(encoding="utf-8") for case in CASES)
    shown_codes = set(re.findall(r"^(?:error|warning)\[([\w-]+)\]: ", golden_texts, re.MULTILINE))
    assert spelled - shown_codes == WITHOUT_A_CASE.keys()
