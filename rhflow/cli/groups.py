"""A command with commands below it: alone it shows its help, and a wrong word is told with what was meant."""

from __future__ import annotations

from typing import Any

import click

from rhflow.core.errors import Problem, UsageError, did_you_mean


class Group(click.Group):
    """Its commands stand in the help as in the file: from looking to changing."""

    def __init__(self, **settings: Any) -> None:
        alone = {"invoke_without_command": True, "callback": _show_help, "subcommand_metavar": "COMMAND [ARGS]..."}
        super().__init__(**{**settings, **alone})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of its commands."""
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that is meant. Raises UsageError."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx):
            what = "a command" if ctx.parent is None else f"a command of `{ctx.command_path}`"
            hint = self.instead(name, ctx) or f"`{ctx.command_path} --help` lists the commands"
            raise UsageError(Problem("unknown-command", f"`{name}` is not {what}", hint=hint))
        return super().resolve_command(ctx, args)

    def instead(self, name: str, ctx: click.Context) -> str | None:
        """Return what to type in place of a word that is no command."""
        return did_you_mean(name, self.list_commands(ctx))


@click.pass_context
def _show_help(ctx: click.Context) -> int:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
    return 2
