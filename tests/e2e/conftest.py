"""A case per test, a simulator per module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.case import Case, Simulator
from tests.e2e.forks import FORKS


@pytest.fixture(scope="session", autouse=True)
def processes(pytestconfig: pytest.Config) -> Iterator[None]:
    """End the process that forks commands."""
    FORKS.cold |= pytestconfig.getoption("--cold")
    yield
    FORKS.close()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    server = Simulator(tmp_path_factory.mktemp("simulator"), "--speed", "200")
    yield server
    server.close()
