"""The door: nothing is imported here that a command does not need."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from rhflow import __version__

        print(f"rhflow {__version__}")
        return
    collect_seldom()
    if not arguments or "--help" in arguments or "-h" in arguments:
        from rich_click.patch import patch

        patch()  # before the commands are defined: they are then drawn by rich, which only help needs
    from rhflow.cli.root import invoke

    sys.exit(invoke(arguments))


def collect_seldom() -> None:
    """Look for cycles less often: a plan of ten thousand nodes makes many objects and no garbage (half its time)."""
    gc.set_threshold(100_000, 50, 50)
