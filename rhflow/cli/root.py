"""The command group: commands are loaded when they are called, errors end here."""

from __future__ import annotations

import importlib
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any

import click

from rhflow import __version__
from rhflow.cli import render
from rhflow.cli.again import options_of
from rhflow.cli.groups import Group
from rhflow.core.errors import Problem, RhflowError
from rhflow.settings import read_colour

COMMANDS = tuple(
    """init validate plan run resume cancel graph runs show models workflow app asset account task webhook cache schema
    simulate""".split()
)
INTERRUPTED = 130


class _Lazy(Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"rhflow.cli.{cmd_name}").command
        return command

    def instead(self, name: str, ctx: click.Context) -> str | None:
        if name.endswith((".yaml", ".yml")):
            return f"did you mean `rhflow run {name}`?"
        return super().instead(name, ctx)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="rhflow %(version)s")
def root() -> None:
    """Run recipes of generative pictures, clips and sound on RunningHub, and pay for nothing twice."""


def invoke(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error the user should see is printed here."""
    output = sys.stdout
    how: dict[str, Any] = {"color": read_colour(), "obj": options_of(arguments)}
    with click.Context(root, **how):  # errors are printed where the command's own context is gone
        try:
            result = root.main(args=list(arguments), prog_name="rhflow", standalone_mode=False, **how)
            return result if isinstance(result, int) else 0
        except RhflowError as error:
            render.problems(error.problems)
            return error.exit_code
        except click.ClickException as error:
            render.problems([_usage(error, arguments)])
            return 2
        except (click.Abort, KeyboardInterrupt):
            goes_on = bool(set(arguments[:1]) & {"run", "resume"})
            click.echo(f"interrupted{'; `rhflow resume` goes on with what is under way' * goes_on}", err=True)
            return INTERRUPTED
        except SystemExit:
            if sys.stdout is output:
                raise
            return 0  # nobody reads any more, and the parser has muted the pipe: end quietly, as other tools do


def _usage(error: click.ClickException, arguments: Sequence[str]) -> Problem:
    """Return what the parser says in the words and signs of the other problems."""
    context = getattr(error, "ctx", None)
    hint = None if context is None else f"`{context.command_path} --help` shows how"
    if isinstance(error, click.NoSuchOption) and error.option_name == "--dry-run" and arguments[0] == "run":
        rest = shlex.join(each for each in arguments[1:] if each != "--dry-run")
        hint = f"did you mean `rhflow plan {rest}`? It tells what would run, and runs nothing"
        message = f"no such option `{error.option_name}`"
    elif isinstance(error, click.NoSuchOption) and error.possibilities:
        hint = f"did you mean `{error.possibilities[0]}`?"
        message = f"no such option `{error.option_name}`"
    else:
        message = re.sub(r"'([^']*)'", r"`\1`", error.format_message().rstrip("."))
    return Problem("usage", message[:1].lower() + message[1:], hint=hint)
