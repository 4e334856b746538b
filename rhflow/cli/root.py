"""The command group: commands are loaded when they are called, errors end here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Any

import click

from rhflow import __version__
from rhflow.cli import render
from rhflow.core.errors import Problem, RhflowError, UsageError, did_you_mean

COMMANDS = tuple(
    """init validate plan run resume cancel graph runs show models workflow app account task webhook cache schema
    simulate""".split()
)
INTERRUPTED = 130


class _Lazy(click.Group):
    """Finds a command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"rhflow.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            hint = did_you_mean(name, COMMANDS) or "`rhflow --help` lists the commands"
            if name.endswith((".yaml", ".yml")):
                hint = f"did you mean `rhflow run {name}`?"
            raise UsageError(Problem("unknown-command", f"`{name}` is not a command", hint=hint))
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="rhflow %(version)s")
def root() -> None:
    """Run recipes of generative pictures, clips and sound on RunningHub, and pay for nothing twice."""


def invoke(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error the user should see is printed here."""
    try:
        result = root.main(args=list(arguments), prog_name="rhflow", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except RhflowError as error:
        render.problems(error.problems)
        return error.exit_code
    except click.ClickException as error:
        hint = f"`{error.ctx.command_path} --help` shows how" if getattr(error, "ctx", None) else None  # type: ignore[attr-defined]
        message = error.format_message().rstrip(".")
        render.problems([Problem("usage", message[:1].lower() + message[1:], hint=hint)])
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; `rhflow resume` goes on with what is under way", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads any more: end quietly, as other tools do
        return 0
