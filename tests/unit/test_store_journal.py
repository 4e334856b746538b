"""The journal: events in order, runs by name, and what is open with the service."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from rhflow.core.errors import UnknownOutcomeError, UsageError
from rhflow.core.events import Event, RunView
from rhflow.store.journal import RunRecord
from rhflow.store.stops import FINISH, LEAVE, NOT_ASKED
from rhflow.store.store import Store
from rhflow.store.submissions import Submission, any_open
from tests.unit.store_support import accepted, intent, settled


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def started(run: str, at: float = 1.0, **data: str) -> Event:
    return Event(run, at, "run.started", None, {"pipeline": "poster", "recipe": "p.yaml", "realm": "live"} | data)


def finished(run: str, status: str = "succeeded", at: float = 9.0) -> Event:
    return Event(run, at, "run.finished", None, {"status": status, "paid": 2})


def test_events_come_back_in_the_order_recorded(store: Store) -> None:
    events = [started("r1"), *(Event("r1", 2.0 + n, "node.skipped", f"n{n}", {"why": "图"}) for n in range(50))]
    for event in events:
        store.journal.record(event)
    store.journal.record_all([finished("r2"), finished("r1")]).result()
    assert store.journal.events("r1") == [*events, finished("r1")]
    assert store.journal.events("r1", after=50) == [events[50], finished("r1")]
    assert store.journal.events("r2") == [finished("r2")]
    assert RunView.of("r1", store.journal.events("r1")).status == "succeeded"


def test_several_events_are_recorded_all_or_none(store: Store) -> None:
    store.journal.record(intent("k")).result()
    with pytest.raises(UnknownOutcomeError):
        store.journal.record_all([started("r1"), intent("k")]).result()
    assert [event.type for event in store.journal.events("r1")] == ["submit.intent"]
    assert store.journal.runs() == []


def test_what_is_not_json_raises_at_once(store: Store) -> None:
    with pytest.raises(TypeError):
        store.journal.record(Event("r1", 1.0, "node.finished", "n", {"file": Path("x")}))
    assert store.journal.events("r1") == []


def test_runs_are_folded_from_their_events(store: Store) -> None:
    store.journal.record(started("r1"))
    store.journal.record(started("r2", at=5.0, realm="simulated"))
    store.journal.record(finished("r1")).result()
    done = RunRecord("r1", "poster", "p.yaml", "live", 1.0, 9.0, "succeeded", {"status": "succeeded", "paid": 2})
    assert store.journal.runs() == [RunRecord("r2", "poster", "p.yaml", "simulated", 5.0), done]
    assert store.journal.runs(limit=1)[0].id == "r2"


def test_a_resumed_run_is_running_again_and_keeps_its_start(store: Store) -> None:
    store.journal.record_all([started("r1", at=1.0), finished("r1", "failed")])
    store.journal.record(started("r1", at=20.0)).result()
    (run,) = store.journal.runs()
    assert (run.status, run.started, run.ended) == ("running", 1.0, None)


def test_a_run_keeps_the_path_of_its_recipe_also_where_that_is_not_unicode(store: Store) -> None:
    store.journal.record(started("r1", recipe="dir\udcff/p.yaml")).result()
    assert store.journal.runs() == [RunRecord("r1", "poster", "dir\udcff/p.yaml", "live", 1.0)]


def test_a_run_is_found_by_the_start_of_its_id(store: Store) -> None:
    for run in ("2024-05-01-a", "2024-05-02-b", "2024-05-02-b-2", "2024_x"):
        store.journal.record(started(run)).result()
    assert store.journal.find_run("latest").id == "2024_x"
    assert store.journal.find_run("2024-05-01").id == "2024-05-01-a"
    assert store.journal.find_run("2024-05-02-b").id == "2024-05-02-b", "an exact id is never ambiguous"
    assert store.journal.find_run("2024_").id == "2024_x", "no wildcards"
    with pytest.raises(UsageError) as caught:
        store.journal.find_run("2024-05-02")
    assert caught.value.problems[0].hint == "choose from `2024-05-02-b`, `2024-05-02-b-2`"
    with pytest.raises(UsageError) as caught:
        store.journal.find_run("2024-05-03-b")
    assert "2024-05-02-b" in (caught.value.problems[0].hint or "")


def test_in_an_empty_store_there_is_no_latest_run(store: Store) -> None:
    with pytest.raises(UsageError, match="there is no run `latest`") as caught:
        store.journal.find_run("latest")
    assert caught.value.problems[0].hint == "nothing was run yet: `rhflow run RECIPE`"


def test_a_submission_is_followed_from_intent_to_settled(store: Store) -> None:
    store.journal.record(intent("k")).result()
    assert store.journal.open_submissions(["k", "other"]) == {
        "k": Submission("k", "r1", "draw", "/x", "intent", None, 1.0, None)
    }
    store.journal.record(accepted("k", "t7")).result()
    assert store.journal.open_submissions() == {"k": Submission("k", "r1", "draw", "/x", "accepted", "t7", 2.0, None)}
    store.journal.record(settled("k", "failed")).result()
    assert store.journal.open_submissions(["k"]) == store.journal.open_submissions() == {}
    assert store.database.rows("SELECT state, task_id, outcome FROM submissions") == [("settled", "t7", "failed")]


def test_what_an_open_call_needs_to_be_kept_lies_beside_it_until_it_is_settled(store: Store) -> None:
    told = {"kind": "text-to-image", "ingredients": {"realm": "live"}}
    event = Event("r1", 1.0, "submit.intent", "draw", {"key": "k", "endpoint": "/x", "site": "s", "call": told})
    store.journal.record(event).result()
    (found,) = store.journal.open_of()
    assert (found.site, found.call) == ("s", told)
    assert "call" not in store.journal.events("r1")[0].data, "a journal does not keep prompts twice"
    store.journal.record(accepted("k", "t1")).result()
    assert store.journal.open_submissions(["k"])["k"].call == told
    store.journal.record(settled("k")).result()
    assert store.database.rows("SELECT call FROM submissions") == [(None,)]


def test_what_is_open_is_found_by_run_and_by_recipe(store: Store) -> None:
    store.journal.record_all([started("r1"), started("r2"), started("r3", recipe="other.yaml")])
    for run in ("r3", "r2", "r1"):
        store.journal.record(Event(run, float(run[1]), "submit.intent", "n", {"key": f"k-{run}"})).result()
    assert [each.run for each in store.journal.open_of()] == ["r1", "r2", "r3"]
    assert [each.run for each in store.journal.open_of(run="r2")] == ["r2"]
    assert [each.run for each in store.journal.open_of(recipe="p.yaml")] == ["r1", "r2"]
    assert any_open(store.database, "other.yaml")
    store.journal.record(settled("k-r3", run="r3")).result()
    assert not any_open(store.database, "other.yaml")


def test_a_run_is_asked_to_stop_more_urgently_each_time(store: Store) -> None:
    assert store.stops.level("r1") == NOT_ASKED
    assert [store.stops.ask("r1").result() for _ in range(3)] == [FINISH, LEAVE, LEAVE]
    assert store.stops.ask("r2", at_least=LEAVE).result() == store.stops.level("r2") == LEAVE


def test_runs_of_one_second_are_in_the_order_in_which_they_began(store: Store) -> None:
    store.journal.record_all([started("20260101-000000-ff", at=1.0), started("20260101-000000-00", at=1.5)]).result()
    assert [run.id for run in store.journal.runs()] == ["20260101-000000-00", "20260101-000000-ff"]
    assert store.journal.find_run("latest").id == "20260101-000000-00"


def test_a_settled_key_may_be_sent_again(store: Store) -> None:
    store.journal.record_all([intent("k"), accepted("k", "t1"), settled("k", "failed")])
    store.journal.record(intent("k", run="r2")).result()
    (again,) = store.journal.open_submissions(["k"]).values()
    assert (again.run, again.state, again.task_id, again.outcome) == ("r2", "intent", None, None)


@pytest.mark.parametrize("run", ["r1", "r2"])
def test_an_open_submission_takes_no_second_intent(store: Store, run: str) -> None:
    store.journal.record(intent("k")).result()
    with pytest.raises(UnknownOutcomeError, match="may have been accepted") as caught:
        store.journal.record(intent("k", run=run)).result()
    assert caught.value.problems[0].hint == "type `rhflow resume r1`"
    store.journal.record(accepted("k", "t7")).result()
    with pytest.raises(UnknownOutcomeError, match="as task `t7`"):
        store.journal.record(intent("k", run=run)).result()
    assert store.journal.open_submissions()["k"].task_id == "t7"
    assert [event.type for event in store.journal.events(run)].count("submit.intent") == (run == "r1")


def test_an_acceptance_without_a_known_intent_is_kept(store: Store) -> None:
    store.journal.record(accepted("k", "t7")).result()
    assert store.journal.open_submissions()["k"].task_id == "t7"


@pytest.mark.parametrize(
    ("event", "asked", "durable"),
    [
        (intent("k"), False, True),
        (accepted("k", "t"), False, True),
        (settled("k"), False, False),
        (settled("k"), True, True),
        (started("r1"), False, False),
    ],
)
def test_what_money_hangs_on_is_flushed_to_the_disk(store: Store, event: Event, asked: bool, durable: bool) -> None:
    statements: list[str] = []

    def watch(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(statements.append)

    store.database.submit(watch).result()
    store.journal.record(event, durable=asked).result()
    store.database.submit(lambda connection: connection.set_trace_callback(None)).result()
    begin = statements.index("BEGIN IMMEDIATE")
    assert statements[begin - 1] == f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}"


def test_a_link_is_fresh_until_it_is_too_old(store: Store) -> None:
    links = store.links
    links.remember("d", "cn", "https://a/1", obtained_at=100.0).result()
    assert links.fresh("d", "cn", now=150.0, max_age=50.0) == "https://a/1"
    assert links.fresh("d", "cn", now=150.1, max_age=50.0) is None
    assert links.fresh("d", "ai", now=100.0, max_age=50.0) is None
    links.remember("d", "cn", "https://a/0", obtained_at=90.0).result()
    assert links.fresh("d", "cn", now=150.0, max_age=50.0) == "https://a/1", "the younger one stays"
    links.remember("d", "cn", "https://a/2", obtained_at=200.0).result()
    assert links.fresh("d", "cn", now=200.0, max_age=50.0) == "https://a/2"
    links.forget("d", "cn").result()
    assert links.fresh("d", "cn", now=200.0, max_age=50.0) is None
