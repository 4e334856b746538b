"""Places of an account: never more than there are, first for those who have fewest, and none lost to the dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rhflow.store.leases import LESS, Ledger
from rhflow.store.store import Store
from tests.unit.store_support import accepted, child, hear, intent, say

ACCOUNT = "an-account"

RUN = """
import sys
from pathlib import Path
from rhflow.store.store import Store

with Store.open(Path(sys.argv[1])) as store:
    ledger = store.ledger("an-account", "elsewhere")
    leases, outranked, orphans = ledger.take(int(sys.argv[2]), limit=int(sys.argv[3])).result()
    for lease in leases[: int(sys.argv[4])]:
        ledger.accepted(lease, f"task-{lease}").result()
    print(len(leases), flush=True)
    for line in sys.stdin:
        ledger.ended(leases.pop()).result()
        print("ended", flush=True)
"""

RACE = """
import sys, time
from pathlib import Path
from rhflow.store.store import Store

limit, mine = int(sys.argv[2]), 0
with Store.open(Path(sys.argv[1])) as store:
    ledger = store.ledger("an-account", "racing")
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(40):
        leases, _, _ = ledger.take(3, limit=limit).result()
        taken = store.database.rows("SELECT count(*) FROM leases")[0][0]
        assert taken <= limit, taken
        mine += len(leases)
        for lease in leases:
            ledger.ended(lease).result()
    print(mine, flush=True)
"""


@dataclass
class Hand:
    """A clock that is moved by hand."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as found:
        yield found


@pytest.fixture
def now() -> Hand:
    return Hand()


def run_of(store: Store, now: Hand | None = None, name: str = "run") -> Ledger:
    return Ledger(store.database, store.locks, account=ACCOUNT, run=name, now=now or time.time)


def took(ledger: Ledger, want: int, limit: int, *, rude: bool = False) -> list[int]:
    return ledger.take(want, limit=limit, rude=rude).result()[0]


def test_no_more_places_than_there_are(store: Store) -> None:
    one, two = run_of(store), run_of(store)
    leases = took(one, 2, 3)
    assert len(leases) == 2
    assert len(took(two, 2, 3)) == 1
    assert took(one, 1, 3) == []
    one.ended(leases[0])
    assert len(took(two, 1, 3)) == 1


def test_accounts_have_places_of_their_own(store: Store) -> None:
    other = store.ledger("another-account", "run")
    assert len(took(run_of(store), 2, 2)) == 2
    assert len(took(other, 2, 2)) == 2


def test_a_place_that_no_task_took_is_free_again(store: Store) -> None:
    ledger = run_of(store)
    ledger.unused(took(ledger, 1, 1)[0])
    assert len(took(ledger, 1, 1)) == 1


def test_who_has_fewer_goes_first(store: Store, now: Hand) -> None:
    rich, poor = run_of(store, now), run_of(store, now)
    leases = took(rich, 4, 4)
    assert took(poor, 4, 4) == []
    rich.ended(leases.pop())
    assert rich.take(1, limit=4).result() == ([], True, [])
    assert len(took(poor, 4, 4)) == 1
    rich.ended(leases.pop())
    assert took(rich, 1, 4) == []
    assert len(took(poor, 3, 4)) == 1


def test_equals_take_turns(store: Store, now: Hand) -> None:
    first, second = run_of(store, now), run_of(store, now)
    leases = took(first, 2, 2)
    got: list[str] = []
    second.take(9, limit=2).result()
    first.take(9, limit=2).result()
    for _ in range(6):
        now.time += 1
        leases_now = [row[0] for row in store.database.rows("SELECT id FROM leases ORDER BY id")]
        first.ended(leases_now[0]).result()
        for name, ledger in (("first", first), ("second", second)):
            got += [name] * len(took(ledger, 9, 2))
    assert leases and got == ["second", "first"] * 3


def test_who_does_not_come_is_not_waited_for_for_ever(store: Store) -> None:
    rich, absent = run_of(store), run_of(store)
    leases = took(rich, 2, 2)
    took(absent, 1, 2)
    rich.ended(leases[0])
    assert took(rich, 1, 2) == []
    assert len(took(rich, 1, 2, rude=True)) == 1


def test_who_has_withdrawn_is_not_waited_for(store: Store) -> None:
    rich, gone = run_of(store), run_of(store)
    leases = took(rich, 2, 2)
    took(gone, 1, 2)
    gone.withdraw()
    rich.ended(leases[0])
    assert len(took(rich, 1, 2)) == 1


def test_a_run_that_closed_is_as_if_dead(store: Store) -> None:
    gone, here = run_of(store), run_of(store)
    took(gone, 2, 2)
    gone.close()
    assert len(took(here, 2, 2)) == 2


def test_a_task_left_behind_keeps_its_place_until_it_has_ended(store: Store) -> None:
    gone, here = run_of(store), run_of(store)
    [with_task, without] = took(gone, 2, 2)
    gone.accepted(with_task, "7")
    gone.close()
    leases, outranked, orphans = here.take(2, limit=2).result()
    assert (len(leases), outranked, orphans) == (1, False, ["7"])
    here.gone("7")
    assert len(took(here, 1, 2)) == 1
    assert without not in leases or len(leases) == 1


def test_a_task_whose_reply_was_noted_just_before_the_end_keeps_its_place_too(store: Store) -> None:
    gone, here = run_of(store), run_of(store)
    for key, lease in zip(("a", "b"), took(gone, 2, 2), strict=True):
        gone.sending(lease, key)
        store.journal.record(intent(key))
    store.journal.record(accepted("a", "7"))
    gone.close()
    leases, _, orphans = here.take(2, limit=2).result()
    assert (len(leases), orphans) == (1, ["7"])


def test_a_task_nobody_waits_for_any_more_keeps_its_place(store: Store) -> None:
    ledger = run_of(store)
    [lease] = took(ledger, 1, 1)
    ledger.accepted(lease, "7")
    ledger.left(lease)
    assert ledger.take(1, limit=1).result() == ([], False, ["7"])


def test_a_task_taken_up_again_has_its_place_though_there_is_no_room(store: Store) -> None:
    gone, here = run_of(store), run_of(store)
    gone.accepted(took(gone, 1, 1)[0], "7")
    gone.close()
    lease = here.adopt("7").result()
    assert store.database.rows("SELECT count(*) FROM leases") == [(1,)]
    unknown = here.adopt("8").result()
    assert took(here, 1, 1) == []
    here.ended(lease)
    here.ended(unknown)
    assert len(took(here, 1, 1)) == 1


# --- what the service says -------------------------------------------------------------------------------------------


def test_a_refusal_lowers_the_room_and_makes_all_pause(store: Store, now: Hand) -> None:
    one, two = run_of(store, now), run_of(store, now)
    for lease in took(one, 10, 10):
        one.refused(lease, pause_until=1005, lowered_until=1300)
    assert took(two, 10, 10) == []
    now.time = 1005
    assert len(took(two, 10, 10)) == int(10 * LESS)


def test_each_burst_lowers_it_further_but_never_to_nothing(store: Store, now: Hand) -> None:
    ledger, given = run_of(store, now), []
    for _ in range(6):
        leases = took(ledger, 10, 10)
        given.append(len(leases))
        for lease in leases:
            ledger.refused(lease, pause_until=now.time + 5, lowered_until=now.time + 300)
        ledger.take(1, limit=10).result()
        now.time += 5
    assert given == [10, 7, 4, 2, 1, 1]


def test_success_lets_it_grow_to_the_limit_and_no_further(store: Store, now: Hand) -> None:
    ledger = run_of(store, now)
    for lease in took(ledger, 10, 10):
        ledger.refused(lease, pause_until=1001, lowered_until=1300)
    now.time = 1002
    for lease in took(ledger, 4, 10):
        ledger.accepted(lease, str(lease))
        ledger.ended(lease)
    assert len(took(ledger, 20, 10)) == 10


def test_it_is_forgotten_after_a_while(store: Store, now: Hand) -> None:
    ledger = run_of(store, now)
    for lease in took(ledger, 10, 10):
        ledger.refused(lease, pause_until=1001, lowered_until=1300)
    now.time = 1300
    assert len(took(ledger, 10, 10)) == 10


def test_a_task_that_ended_ends_the_pause(store: Store, now: Hand) -> None:
    ledger = run_of(store, now)
    running, refused = took(ledger, 2, 2)
    ledger.accepted(running, "7")
    ledger.refused(refused, pause_until=2000, lowered_until=2000)
    assert took(ledger, 1, 2) == []
    ledger.ended(running)
    assert len(took(ledger, 1, 2)) == 1


def test_slowing_down_is_known_to_all_and_gives_no_places(store: Store, now: Hand) -> None:
    one, two = run_of(store, now), run_of(store, now)
    assert two.slow_until() == 0.0
    one.slow_down(1010.0).result()
    one.slow_down(1005.0).result()
    assert two.slow_until() == 1010.0
    assert took(two, 1, 5) == []
    now.time = 1010
    assert len(took(two, 1, 5)) == 1


# --- other processes -------------------------------------------------------------------------------------------------


def test_a_live_process_keeps_its_places_and_a_killed_one_only_those_of_its_tasks(store: Store) -> None:
    here = run_of(store)
    with child(RUN, store.root, 3, 3, 1) as other:
        assert hear(other) == "3"
        assert took(here, 1, 3) == []
        other.kill()
        other.wait()
        leases, _, orphans = here.take(3, limit=3).result()
        assert len(leases) == 2
        assert len(orphans) == 1


def test_a_place_given_back_elsewhere_is_found_here(store: Store) -> None:
    here = run_of(store)
    with child(RUN, store.root, 2, 2, 2) as other:
        assert hear(other) == "2"
        assert took(here, 1, 2) == []
        say(other)
        assert hear(other) == "ended"
        assert len(took(here, 1, 2)) == 1


def test_a_killed_process_that_waited_is_not_waited_for(store: Store) -> None:
    here = run_of(store)
    leases = took(here, 2, 2)
    with child(RUN, store.root, 1, 2, 0) as other:
        assert hear(other) == "0"
        here.ended(leases[0]).result()
        assert took(here, 1, 2) == []
        other.kill()
        other.wait()
        assert len(took(here, 1, 2)) == 1


def test_racing_processes_never_have_too_many(store: Store) -> None:
    with child(RACE, store.root, 4) as one, child(RACE, store.root, 4) as two:
        assert hear(one) == hear(two) == "ready"
        say(one)
        say(two)
        assert int(hear(one)) + int(hear(two)) > 40


def test_threads_of_one_process_never_have_too_many(store: Store) -> None:
    most: list[int] = []

    def race() -> None:
        ledger = run_of(store)
        for _ in range(30):
            leases = took(ledger, 2, 3)
            most.append(store.database.rows("SELECT count(*) FROM leases")[0][0])
            for lease in leases:
                ledger.ended(lease).result()
        ledger.withdraw().result()

    threads = [threading.Thread(target=race) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < max(most) <= 3
