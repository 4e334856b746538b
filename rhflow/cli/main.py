"""The door: nothing is imported here that a command does not need."""

from __future__ import annotations

import gc
import io
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from rhflow import __version__

        print(f"rhflow {__version__}")
        return
    collect_seldom()
    print_what_can_be()
    if not arguments or "--help" in arguments or "-h" in arguments:
        from rich_click.patch import patch

        patch()  # before the commands are defined: they are then drawn by rich, which only help needs
    from rhflow.cli.root import invoke

    sys.exit(invoke(arguments))


def print_what_can_be() -> None:
    """Let nothing fail for a letter: a narrow terminal shows ``?``, file names that are not Unicode go out as is."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape" if stream.encoding.lower() == "utf-8" else "replace")


def collect_seldom() -> None:
    """Look for cycles less often: a plan of ten thousand nodes makes many objects and no garbage (half its time)."""
    gc.set_threshold(100_000, 50, 50)
