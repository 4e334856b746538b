"""Damaged recipes end in problems, soon and harmlessly: the short form of ``tools/fuzz_recipes.py``."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def fuzz() -> Iterator[ModuleType]:
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield importlib.import_module("tools.fuzz_recipes")


def test_whatever_is_in_a_file_ends_in_problems() -> None:
    """In a process of its own: its audit hook stays until the process ends."""
    command = [
        sys.executable,
        str(ROOT / "tools" / "fuzz_recipes.py"),
        "--cases",
        "2000",
        "--seed",
        "7",
        "--workers",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failures 0" in done.stdout
    assert "2,000 cases" in done.stdout


def test_a_case_is_made_from_its_number_alone(fuzz: ModuleType) -> None:
    recipes = fuzz.corpus()
    cases = [fuzz.case(1, number, recipes) for number in range(60)]
    assert cases == [fuzz.case(1, number, recipes) for number in range(60)]
    assert len(set(cases)) > 50
    assert cases != [fuzz.case(2, number, recipes) for number in range(60)]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("open('/etc/passwd')", "open /etc/passwd"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "socket."),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.system('true')", "os.system"),
        ("open('../secret.txt')", "open "),
    ],
)
def test_the_guard_sees_what_reaches_out(code: str, what: str, tmp_path: Path) -> None:
    script = (
        "import socket, subprocess, os\nfrom tools.fuzz_recipes import ForbiddenError, guard\n"
        f"guard().folder = {str(tmp_path)!r}\nguard().armed = True\n"
        f"try:\n    exec({code!r})\nexcept ForbiddenError as error:\n    guard().armed = False\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.startswith(what)
