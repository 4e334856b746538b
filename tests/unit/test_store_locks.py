"""Locks by key: one holder on the machine, in this process or another, and none that outlives its holder."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.locks import KeyLocks
from tests.unit.store_support import child, hear, say

HOLDER = """
import sys
from pathlib import Path
from rhflow.store.locks import KeyLocks

locks = KeyLocks(Path(sys.argv[1]))
print(*(locks.try_acquire(key) for key in sys.argv[2:]), flush=True)
for line in sys.stdin:
    locks.release(line.strip())
    print("released", flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks 图"


def test_a_key_has_one_holder_in_a_process(path: Path) -> None:
    with KeyLocks(path) as one, KeyLocks(path) as two:
        assert one.try_acquire("a")
        assert not one.try_acquire("a")
        assert not two.try_acquire("a")
        assert two.try_acquire("b")
        one.release("a")
        assert two.try_acquire("a")
        with pytest.raises(KeyError):
            one.release("a")


def test_a_key_has_one_holder_across_processes(path: Path) -> None:
    with KeyLocks(path) as locks, child(HOLDER, path, "a", "b") as other:
        assert hear(other) == "True True"
        assert not locks.try_acquire("a")
        assert locks.try_acquire("c")
        say(other, "a")
        assert hear(other) == "released"
        assert locks.try_acquire("a")
        assert not locks.try_acquire("b")


def test_a_holder_here_keeps_others_out(path: Path) -> None:
    with KeyLocks(path) as locks:
        assert locks.try_acquire("a")
        with child(HOLDER, path, "a", "b") as other:
            assert hear(other) == "False True"


def test_the_locks_of_a_killed_process_are_free(path: Path) -> None:
    with KeyLocks(path) as locks, child(HOLDER, path, "a", "b") as other:
        assert hear(other) == "True True"
        assert not locks.try_acquire("a")
        other.kill()
        other.wait()
        assert locks.try_acquire("a") and locks.try_acquire("b")


def test_closing_one_object_leaves_the_locks_of_another(path: Path) -> None:
    """POSIX drops all locks of a process when any handle of the file is closed: there must be only one."""
    with KeyLocks(path) as staying:
        leaving = KeyLocks(path)
        assert staying.try_acquire("a") and leaving.try_acquire("b")
        leaving.close()
        with child(HOLDER, path, "a", "b") as other:
            assert hear(other) == "False True"


def test_two_spellings_of_a_path_are_one_file(path: Path) -> None:
    twin = path.with_name("link")
    with KeyLocks(path) as one:
        assert one.try_acquire("a")
        twin.symlink_to(path)
        with KeyLocks(twin) as two:
            assert not two.try_acquire("a")
            assert two.try_acquire("b")
        with child(HOLDER, path, "a", "b") as other:
            assert hear(other) == "False True"


def test_a_closed_object_can_be_used_again(path: Path) -> None:
    locks = KeyLocks(path)
    locks.close()
    assert not path.exists(), "nothing is opened before it is needed"
    assert locks.try_acquire("a")
    locks.close()
    with child(HOLDER, path, "a") as other:
        assert hear(other) == "True"
    assert locks.try_acquire("a")
    locks.close()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts the handles as Linux shows them")
def test_a_thousand_keys_cost_one_handle(path: Path) -> None:
    def handles() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = handles()
    with KeyLocks(path) as locks:
        assert all(locks.try_acquire(f"key {number}") for number in range(1000))
        assert handles() == before + 1
    assert handles() == before


def test_threads_that_race_for_a_key_find_one_winner(path: Path) -> None:
    barrier, winners = threading.Barrier(8), []

    def race(locks: KeyLocks, number: int) -> None:
        barrier.wait()
        if locks.try_acquire("a"):
            winners.append(number)

    with KeyLocks(path) as one, KeyLocks(path) as two:
        threads = [threading.Thread(target=race, args=((one, two)[number % 2], number)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(winners) == 1


def test_a_lock_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        KeyLocks(tmp_path / "missing" / "locks").try_acquire("a")
