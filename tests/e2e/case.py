"""The real command in a folder of its own: one builder for all end-to-end tests."""

from __future__ import annotations

import io
import json
import os
import signal
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from rhflow.cli.root import invoke
from tests.e2e.forks import FORKS, Command, Process

ROOT = Path(__file__).parents[2]
PIPELINES = ROOT / "pipelines"
SIDE = "256"
"""How large simulated pictures and clips are; a case that looks at sizes sets ``FULL_SIZE`` in its ``env``."""
FULL_SIZE = {"RHFLOW_SIMULATED_SIDE": ""}
KEY = "k3y-that-must-never-be-shown-0001"


@dataclass
class Done:
    """What a finished command left behind."""

    code: int
    out: str
    err: str

    def exit(self, code: int) -> Done:
        """Require an exit code; a traceback is never all right."""
        assert "Traceback" not in self.err, self.err
        assert self.code == code, f"exit {self.code}\n{self.out}\n{self.err}"
        return self

    @property
    def document(self) -> dict[str, Any]:
        """The JSON document on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    def says(self, *texts: str) -> Done:
        """Require texts anywhere in what was printed."""
        for text in texts:
            assert text in self.out + self.err, f"no {text!r} in\n{self.out}\n{self.err}"
        return self


@dataclass
class Case:
    """A folder with recipes and a store; ``run`` calls the command there."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def recipe(self, text: str, name: str = "recipe.yaml") -> Case:
        """Write a recipe."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return self

    def environment(self) -> dict[str, str]:
        """Return the environment of commands: the store of the case, small results, no key but the case's own."""
        hidden = ("RUNNINGHUB_", "RH_API", "RHFLOW_", "NO_COLOR", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        return {**kept, "RHFLOW_STORE": str(self.folder / "store"), "RHFLOW_SIMULATED_SIDE": SIDE, **self.env}

    def start(self, *arguments: str, cold: bool = False) -> Process:
        """Start the command and leave it running; ``cold`` in a Python of its own, imports and all."""
        return FORKS.start(Command(arguments, str(self.folder), self.environment()), cold=cold)

    def run(self, *arguments: str, cold: bool = False) -> Done:
        """Call the command and wait for it."""
        return finished(self.start(*arguments, cold=cold))

    def delivered(self) -> list[Path]:
        """Return the delivered files, sorted, ``latest`` left out."""
        folder = self.folder / "outputs"
        return sorted(path for path in folder.rglob("*") if path.is_file() and "latest" not in path.parts)


class Inside(Case):
    """A case whose commands are carried out in this process: quicker still than a fork."""

    def run(self, *arguments: str, cold: bool = False) -> Done:
        if cold:
            return super().run(*arguments, cold=True)
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(os, "environ", self.environment())
            patch.setattr("sys.stdin", io.StringIO())
            patch.chdir(self.folder)
            code = invoke(arguments)
        return Done(code, out.getvalue(), err.getvalue())


def finished(process: Process) -> Done:
    """Wait for a started command."""
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err)


class Simulator:
    """``rhflow simulate`` on a free port, and what it counted."""

    def __init__(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._process = Case(folder, env or {}).start("simulate", "--port", "0", *arguments)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("simulating"), line
        self.url = line.split()[-1]

    def stats(self) -> dict[str, Any]:
        """Return the counts since the start or the last reset."""
        found: dict[str, Any] = httpx.get(f"{self.url}/_simulator/stats").json()
        return found

    def reset(self) -> None:
        """Forget counts and finished tasks."""
        httpx.post(f"{self.url}/_simulator/reset").raise_for_status()

    def close(self) -> None:
        """Stop it as a user would."""
        self._process.send_signal(signal.SIGINT)
        _, err = self._process.communicate(timeout=20)
        assert "Traceback" not in err, err
