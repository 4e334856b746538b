"""Commands that a text says to type, with the options that say where to look: those of the command at hand.

Who works in a store, with a catalogue or on a simulator of their own means the next command to look there, too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

import click

_VALUED = ("--store", "--catalog")
_COMMAND = re.compile(r"`rhflow ([^`>|&]*[^`>|&\s])(\s*[^`]*)`")


def options_of(arguments: Sequence[str]) -> Mapping[str, str]:
    """Return what arguments say of the place to look in, by option, as it is to be typed."""
    found: dict[str, str] = {}
    for at, each in enumerate(arguments):
        name, mark, value = each.partition("=")
        if each == "--simulate":
            found[each] = each
        elif name in _VALUED and (mark or at + 1 < len(arguments)):
            found[name] = f"{name} {shlex.quote(value if mark else arguments[at + 1])}"
    return found


def typed(text: str) -> str:
    """Return a text in which every command has these options, as far as it takes them."""
    context = click.get_current_context(silent=True)
    options: Mapping[str, str] = (context.find_root().obj or {}) if context is not None else {}
    return _COMMAND.sub(lambda found: _with(options, found[1], found[2]), text) if options else text


def _with(options: Mapping[str, str], command: str, rest: str) -> str:
    words = _words(command)
    taken, given = _options(words), {each.partition("=")[0] for each in words}
    added = [option for name, option in options.items() if name in taken and name not in given]
    return f"`{' '.join(['rhflow', command, *added])}{rest}`"


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # a name with a quotation mark in it
        return command.split()


def _options(words: Sequence[str]) -> set[str]:
    """Return the options of the command that words begin with."""
    from rhflow.cli.root import root

    command: click.Command = root
    context = click.Context(root)
    for word in words:
        below = command.get_command(context, word) if isinstance(command, click.Group) else None
        if below is None:
            break
        command = below
    return {name for each in command.params for name in each.opts}
