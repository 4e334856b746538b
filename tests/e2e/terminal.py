"""A terminal for what a command says on the way, where it shows more than lines."""

from __future__ import annotations

import os
import pty
import sys
import threading

from tests.e2e.case import Case, Done
from tests.e2e.forks import FORKS, Command


def print_to(path: str) -> None:
    """Have this process say everything but its results on the terminal at ``path``."""
    handle = os.open(path, os.O_RDWR | os.O_NOCTTY)
    os.dup2(handle, 2)
    os.close(handle)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)


def run_on_terminal(case: Case, *arguments: str) -> Done:
    """Call the command on a terminal and wait for it; ``err`` is all that was shown, with its control sequences."""
    terminal, its_end = pty.openpty()
    shown = bytearray()

    def read() -> None:
        try:
            while part := os.read(terminal, 65536):
                shown.extend(part)
        except OSError:
            pass  # so Linux says that nobody writes any more

    reading = threading.Thread(target=read)
    reading.start()
    env = case.environment() | {"COLUMNS": "150", "LINES": "20", "TERM": "xterm"}
    first = ("tests.e2e.terminal", "print_to", {"path": os.ttyname(its_end)})
    process = FORKS.start(Command(arguments, str(case.folder), env, first))
    out, _ = process.communicate(timeout=60)
    os.close(its_end)
    reading.join()
    os.close(terminal)
    return Done(process.returncode, out, shown.decode("utf-8", "replace"))
