"""What all commands have in common: help, wrong words, colour, narrow terminals, pipes, Ctrl-C."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from rhflow.cli import render
from rhflow.cli.root import root
from tests.e2e.case import Case, Inside
from tools.cli_reference import commands

COMMANDS = dict(commands(root, "rhflow"))
GROUPS = [name for name, command in COMMANDS.items() if isinstance(command, click.Group)]
RHFLOW = [sys.executable, "-m", "rhflow"]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Give an empty folder with an empty store and no key."""
    return Inside(tmp_path)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_summary_that_is_shown_whole(name: str) -> None:
    command = COMMANDS[name]
    summary = command.get_short_help_str(limit=98)
    assert summary and not summary.endswith("..."), summary
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(each.help for each in options), [each.name for each in options if not each.help]


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_alone_shows_its_help_and_a_wrong_word_what_was_meant(name: str, case: Case) -> None:
    words = name.split()[1:]
    alone = case.run(*words).exit(2)
    assert alone.out == "" and alone.err.startswith(f"Usage: {name} [OPTIONS] COMMAND"), alone.err
    known = next(iter(COMMANDS[name].list_commands(click.Context(COMMANDS[name]))))  # type: ignore[attr-defined]
    case.run(*words, f"{known}x").exit(2).says("error[unknown-command]", f"did you mean `{known}`?")


@pytest.mark.parametrize(
    ("typed", "told", "hint"),
    [
        ("task show", "missing argument `TASK`", "`rhflow task show --help`"),
        ("runs -n many", "invalid value for `-n`", "`rhflow runs --help`"),
        ("run a.yaml --speed nan", "nan is not a number", "`rhflow run --help`"),
        ("run a.yaml --speed inf", "is not in the range", "`rhflow run --help`"),
        ("runs --jsn", "no such option `--jsn`", "did you mean `--json`?"),
        ("runs --whatever", "no such option `--whatever`", "`rhflow runs --help`"),
        ("graph a.yaml --format dott", "`dott` is not one of `mermaid`, `dot`", "`rhflow graph --help`"),
    ],
)
def test_the_parser_speaks_as_everything_else_does(typed: str, told: str, hint: str, case: Case) -> None:
    done = case.run(*typed.split()).exit(2)
    assert done.err.startswith("error[usage]: ") and told in done.err, done.err
    assert f"hint: {hint}" in done.err


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        ("runs", 0, "`rhflow run RECIPE` makes one"),
        ("show", 2, "nothing was run yet: `rhflow run RECIPE`"),
        ("resume", 2, "nothing was run yet"),
        ("cache ls", 0, "no results"),
        ("app list --page 9 --simulate", 0, "no apps on this page"),
        ("app styles 12 --simulate", 0, "no styles"),
        ("workflow resources zzz --simulate", 0, "no checkpoint files of that name"),
        ("workflow resources ink --type lora --simulate", 0, "api-lora-cn/ink"),
        ("asset list --page 2 --simulate", 0, "no assets on this page"),
        ("task show 12 --simulate", 1, "error[api-1004]"),
        ("workflow show 12 --simulate", 1, "error[api-380]"),
        ("account", 4, "set RUNNINGHUB_API_KEY"),
        ("simulate --port 0 --host 192.0.2.1", 2, "name an address of this machine"),
        ("init file/recipe.yaml", 2, "`file/recipe.yaml` cannot be written"),
        ("schema -o file/schema.json", 2, "`file/schema.json` cannot be written"),
        ("workflow export 1900000000000000101 -o file/graph.json --simulate", 2, "cannot be written"),
    ],
)
def test_what_is_not_there_is_told_with_what_to_type(typed: str, code: int, told: str, case: Case) -> None:
    (case.folder / "file").touch()
    case.run(*typed.split()).exit(code).says(told)


def test_problems_are_also_there_for_programs(case: Case) -> None:
    case.recipe("rhflow: 1\nsteps:\n  s: {uses: text-to-text, with: {prompt: x}}\n", "good.yaml")
    case.recipe("rhflow: 1\nsteps:\n  s: {uses: text-to-txt}\n", "bad.yaml")
    good, bad, gone = case.run("validate", "--json", "good.yaml", "bad.yaml", "gone.yaml").exit(3).document
    assert (good["valid"], good["problems"]) == (True, [])
    (found,) = bad["problems"]
    assert (found["code"], found["file"], found["line"], found["column"]) == ("unknown-kind", "bad.yaml", 3, 13)
    assert (gone["valid"], gone["problems"][0]["code"]) == (False, "no-such-file")


def test_colour_is_for_terminals_unless_the_user_says_so(case: Case) -> None:
    assert "\x1b[" not in case.run("show").err
    case.env["FORCE_COLOR"] = "1"
    assert "\x1b[31m" in case.run("show").err
    case.env["NO_COLOR"] = "1"
    assert "\x1b[" not in case.run("show").err


def test_leaving_a_question_says_nothing_of_runs(case: Case) -> None:
    done = case.run("asset", "group", "rm", "g", "--simulate").exit(130)
    assert done.err.strip() == "interrupted"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_document_can_be_read_whatever_the_terminal_shows(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"words": "図 … é", "file": "not-unicode-\udcff"}
    shown = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", shown)
    for part in (data, {"words": data["words"]}):
        render.document(part)
    shown.flush()
    printed = shown.buffer.getvalue().decode()  # type: ignore[attr-defined]
    first, second = re.findall(r"\{.*?\}", printed, re.DOTALL)
    assert json.loads(first) == data
    assert ("図" in second) is (encoding == "utf-8") and json.loads(second) == {"words": data["words"]}


def test_help_and_a_closed_pipe_fail_on_no_terminal(tmp_path: Path) -> None:
    env = {"PYTHONIOENCODING": "ascii", "COLUMNS": "60", "HOME": str(tmp_path), "RHFLOW_STORE": str(tmp_path / "store")}
    helped = subprocess.run([*RHFLOW, "run", "--help"], env=env, capture_output=True, check=True)
    lines = helped.stdout.decode("ascii").splitlines()
    assert max(map(len, lines)) <= 60 and "--param" in helped.stdout.decode("ascii")
    piped = subprocess.Popen([*RHFLOW, "schema", "--full"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert piped.stdout is not None and piped.stderr is not None
    piped.stdout.readline()
    piped.stdout.close()  # as `| head -1` does, long before the last of 700 kB
    with piped, piped.stderr:
        assert piped.stderr.read() == b""
    assert piped.returncode == 0
