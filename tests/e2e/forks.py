"""Commands forked off one process that has rhflow's modules loaded: processes of their own, without the imports.

Python takes half a second to import what a run needs, a fork a fiftieth of that. Apart from it a forked command is what
``python -m rhflow`` is: arguments, folder, environment and streams of its own, signals, and Python's own way to end.
The modules of the command line are not loaded before the fork, and what a start imports is for
``tests/unit/test_imports.py``. ``pytest --cold`` starts every command anew instead.

As a script it takes commands from the socket whose number it is given.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_READ_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ")
"""Variables that Python or the C library reads once: a command for which they differ cannot be forked off."""
_LATE = """
av anyio._backends._asyncio concurrent.futures.thread httpcore._async.connection_pool jsonschema.validators
PIL.JpegImagePlugin PIL.PngImagePlugin PIL.WebPImagePlugin rich.console rich.table
uvicorn.lifespan.off uvicorn.loops.auto uvicorn.protocols.http.h11_impl
""".split()
"""What libraries import when it is first used."""
_STATUS = struct.Struct("i")


@dataclass(frozen=True)
class Command:
    """A command to be. ``first`` names a module, a function in it, and what that is called with before the command."""

    arguments: Sequence[str]
    folder: str
    env: Mapping[str, str]
    first: tuple[str, str, Mapping[str, Any]] | None = None


class Forked:
    """A command under way: what tests use of ``subprocess.Popen``, for a process that is the child of another."""

    def __init__(self, pid: int, out: int, err: int, status: int) -> None:
        self.pid = pid
        self.stdout, self.stderr = (os.fdopen(each, encoding="utf-8") for each in (out, err))
        self.returncode: int | None = None
        self._status = os.fdopen(status, "rb", buffering=0)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self.returncode if self.returncode is not None or not self._ended(0) else self.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not self._ended(timeout):
                raise subprocess.TimeoutExpired("rhflow", timeout or 0)
            with self._status:
                told = self._status.read(_STATUS.size)
            assert told, "the process that forks has died"
            self.returncode = _STATUS.unpack(told)[0]
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return what is printed from here to the end. Raises subprocess.TimeoutExpired; then the process is killed."""
        with self.stdout, self.stderr, ThreadPoolExecutor(2) as readers:
            out, err = (readers.submit(stream.read) for stream in (self.stdout, self.stderr))
            try:
                self.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
            return out.result(), err.result()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._status], [], [], timeout)[0])


Process = Forked | subprocess.Popen[str]


class Forks:
    """The process that forks, as seen from tests. It starts with the first command; ``cold`` does without it."""

    def __init__(self) -> None:
        self.cold = not hasattr(os, "fork")
        self._process: subprocess.Popen[bytes] | None = None
        self._env: Mapping[str, str] = {}

    def start(self, command: Command, *, cold: bool = False) -> Process:
        """Start a command, ``cold`` in a Python of its own; one with something to do first is always forked off."""
        if command.first is None and (cold or self.cold or _fixed(command.env) != _fixed(os.environ)):
            line = [sys.executable, "-m", "rhflow", *command.arguments]
            pipe = subprocess.PIPE
            return subprocess.Popen(line, cwd=command.folder, env=command.env, stdout=pipe, stderr=pipe, text=True)
        return self._fork(command)

    def _fork(self, command: Command) -> Forked:
        if self._process is None or self._process.poll() is not None or _fixed(self._env) != _fixed(os.environ):
            self.close()
            self._open()
        ours, theirs = zip(*(os.pipe() for _ in range(3)), strict=True)
        try:
            text = json.dumps(asdict(command)).encode() + b"\n"
            sent = socket.send_fds(self._commands, [text], theirs)
            self._commands.sendall(text[sent:])
            answer = self._commands.recv(64)
        except OSError:
            answer = b""
        for each in theirs:
            os.close(each)
        assert answer, "the process that forks has died; its errors say why"
        return Forked(int(answer), *ours)

    def _open(self) -> None:
        self._env = dict(os.environ)
        self._commands, theirs = socket.socketpair()
        with theirs:
            line = [sys.executable, "-m", "tests.e2e.forks", str(theirs.fileno())]
            self._process = subprocess.Popen(line, cwd=ROOT, pass_fds=[theirs.fileno()])

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._commands.close()
            self._process.wait(timeout=20)
            self._process = None


FORKS = Forks()
"""The one of this test process."""


def _fixed(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_AT_THE_START)}


# --- the process that forks ------------------------------------------------------------------------------------------


def _load() -> None:
    """Import what commands import, apart from their own modules."""
    import rhflow

    names = [each.name for each in pkgutil.walk_packages(rhflow.__path__, "rhflow.")]
    for name in [*(name for name in names if not name.startswith(("rhflow.cli", "rhflow.__main__"))), *_LATE]:
        importlib.import_module(name)
    assert threading.active_count() == 1, threading.enumerate()
    gc.freeze()  # else the end of every child goes through all of it


def _receive(commands: socket.socket) -> tuple[Command, list[int]] | None:
    """Return the next command with its two streams and the pipe for its exit code; None at the end."""
    text, handles, _, _ = socket.recv_fds(commands, 1 << 20, 3)
    while text and not text.endswith(b"\n"):
        text += commands.recv(1 << 20)
    return (Command(**json.loads(text)), list(handles)) if text else None


def _serve(commands: socket.socket) -> Command | None:
    """Fork a child per command; returns its command in each child, and None here in the end."""
    children: dict[int, int] = {}

    def reap(*_: object) -> None:
        for pid in list(children):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                _tell(children.pop(pid), os.waitstatus_to_exitcode(status))

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, reap)
    while (received := _receive(commands)) is not None:
        command, (out, err, status) = received
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # until the child is known
        pid = os.fork()
        if pid == 0:
            _leave([commands.fileno(), status, *children.values()])
            _print_to(out, err)
            return command
        children[pid] = status
        os.close(out)
        os.close(err)
        commands.sendall(str(pid).encode())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    return None


def _tell(status: int, code: int) -> None:
    try:
        os.write(status, _STATUS.pack(code))
    except BrokenPipeError:
        pass  # nobody waits for it any more
    finally:
        os.close(status)


def _leave(handles: Sequence[int]) -> None:
    """Be no forking process any more: its handles closed, its signals as they were."""
    for each in handles:
        os.close(each)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _print_to(out: int, err: int) -> None:
    """Print to these pipes, by streams made anew: what Python has made was made for what was there before."""
    for number, handle in ((1, out), (2, err)):
        os.dup2(handle, number)
        os.close(handle)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)


def _become(command: Command) -> None:
    """Be the command."""
    if command.first is not None:
        module, function, given = command.first
        getattr(importlib.import_module(module), function)(**given)
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.env)
    sys.path[0] = command.folder
    sys.argv = [str(ROOT / "rhflow" / "__main__.py"), *command.arguments]
    from rhflow.cli.main import main

    main()


if __name__ == "__main__":
    _load()
    ordered = _serve(socket.socket(fileno=int(sys.argv[1])))
    if ordered is not None:
        _become(ordered)
