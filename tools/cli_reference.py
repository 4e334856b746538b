"""Writes docs/cli.md from the help texts of the commands; ``--check`` fails when it is stale."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from rhflow.cli.root import root

TARGET = Path(__file__).parents[1] / "docs" / "cli.md"
EXIT_CODES = """\
## Exit codes

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | a step failed |
| 2 | the command line is wrong |
| 3 | the recipe, or a parameter, is not valid |
| 4 | the service refused: key, balance, policy |
| 5 | a paid call's outcome is unknown: see `rhflow resume` |
| 6 | stopped by the budget |
| 130 | interrupted |

## Environment

| variable | meaning |
| --- | --- |
| `RUNNINGHUB_API_KEY` (or `RH_API_KEY`) | the key of the account |
| `RUNNINGHUB_SITE` | `cn` (default) or `ai` |
| `RUNNINGHUB_BASE_URL` | another address; one on this machine is taken for a simulator |
| `RHFLOW_STORE` | the folder of the store |
| `RHFLOW_CATALOG` | a catalogue of models in place of the shipped one |
| `RHFLOW_WEBHOOK` | where the service tells of the end of every task: the public address of `rhflow webhook listen` |
| `RHFLOW_COMFYUI_SERVER` | a ComfyUI server of one's own, which runs `comfyui` steps; it goes before `rhflow.toml` |
| `RHFLOW_SIMULATED_SIDE` | how many pixels simulated pictures and clips may have on their longer side: quick trials |
| `NO_COLOR`, `FORCE_COLOR` | no colour at all; colour also where the output is no terminal |
"""


def reference() -> str:
    """Return the page."""
    parts = ["# Command line", "Made by `python tools/cli_reference.py` from `--help`."]
    return "\n\n".join([*parts, *(section(command, name) for name, command in commands(root, "rhflow")), EXIT_CODES])


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield a command by its full name, and everything under it in the order of its help."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from commands(found, f"{name} {each}")


def section(command: click.Command, name: str) -> str:
    """Return one command's help under a heading; what belongs to a group stands a level deeper."""
    context = click.Context(command, info_name=name, max_content_width=100, terminal_width=100)
    return f"{'#' * max(2, len(name.split()))} {name}\n\n```\n{command.get_help(context).strip()}\n```"


def main() -> int:
    """Write the page, or say whether it is stale."""
    text = reference()
    if "--check" in sys.argv:
        return int(text != TARGET.read_text(encoding="utf-8"))
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
