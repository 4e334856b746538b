"""Looking after the store with the real command: what was paid for is listed, checked, moved, and removed with care."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from rhflow.store.store import Store
from tests.e2e.case import Case, Inside
from tests.unit.store_support import accepted, intent

RECIPE = """\
rhflow: 1
name: poster
params: {word: {type: string, default: hello}}
steps:
  draw: {uses: text-to-image, with: {prompt: "a red boat", aspect_ratio: "1:1"}}
  say: {uses: text-to-text, with: {prompt: "${{ params.word }}"}}
"""
RUN = ("run", "recipe.yaml", "--simulate", "--speed", "500")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run, to be copied."""
    case = Case(tmp_path_factory.mktemp("done")).recipe(RECIPE)
    case.run(*RUN).exit(0)
    return case.folder


@pytest.fixture
def poster(done: Path, tmp_path: Path) -> Case:
    shutil.copytree(done, tmp_path, dirs_exist_ok=True, symlinks=True)
    return Inside(tmp_path)


def blob(case: Case) -> Path:
    (found,) = (path for path in (case.folder / "store" / "blobs").rglob("*") if path.is_file())
    return found


def keys(case: Case) -> dict[str, str]:
    """Return the key of each node's result."""
    found = case.run("cache", "ls", "--json").exit(0).document["results"]
    return {each["used_by"][0]["node"]: each["key"] for each in found}


def test_listing_says_what_who_when_and_how_much(poster: Case) -> None:
    Case(poster.folder).run("cache", "ls").exit(0).says(
        "poster/draw", "draw.png", "text", "2 results, 1 file", "simulated"
    )
    document = poster.run("cache", "ls", "--model", "nano-banana-t2i-official", "--json").exit(0).document
    (result,) = document["results"]
    assert result["realm"] == "simulated" and result["used_by"][0]["pipeline"] == "poster"
    assert result["files"][0]["size"] == blob(poster).stat().st_size == document["totals"]["bytes"]
    poster.run("cache", "ls", "--realm", "live").exit(0).says("no results")
    poster.run("cache", "ls", "--pipeline", "pster").exit(2).says("did you mean `poster`")


def test_a_damaged_file_is_told_at_every_door(poster: Case) -> None:
    file = blob(poster)
    file.chmod(0o644)
    os.truncate(file, 100)
    plan = poster.run("plan", "recipe.yaml", "--simulate").exit(0)
    plan.says("the stored result is damaged: `draw.png` has 100 of", "1 step to run, 1 reused")
    Case(poster.folder).run("cache", "verify").exit(1).says("moved to", "quarantine", "rhflow plan", "recipe.yaml")
    document = poster.run("cache", "verify", "--json").exit(1).document
    assert not document["sound"] and [each["files"][0]["name"] for each in document["lost"]] == ["draw.png"]
    again = poster.run(*RUN).exit(0)
    again.says("draw: made again (0.2 CNY): the stored result is damaged: `draw.png` was moved aside")
    poster.run("cache", "verify").exit(0).says("all is as it should be")


@pytest.mark.parametrize("word", ["hello", "bye"], ids=("nothing runs", "something runs"))
def test_a_damage_that_a_plan_cannot_see_is_found_before_it_is_delivered(poster: Case, word: str) -> None:
    file = blob(poster)
    content = file.read_bytes()
    file.unlink()  # the delivered file keeps the bytes
    file.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    command = (*RUN, "--out", "elsewhere", "-p", f"word={word}")
    poster.run(*command).exit(1).says("`draw.png` is damaged or missing in the store", "rhflow plan")
    assert not list((poster.folder / "elsewhere").rglob("*.png"))
    status = poster.run("runs", "--json").exit(0).document[0]["status"]  # type: ignore[index]
    assert status == ("failed" if word == "bye" else "succeeded"), "a run that had nothing to do is no run"
    poster.run(*command).exit(0).says("draw: made again", "1 step to run, 1 reused")


def test_a_damaged_file_is_not_restored(poster: Case) -> None:
    poster.run(*RUN).exit(0).says("nothing to run")  # here and not where it was copied from: answered from memory now
    file = blob(poster)
    shutil.rmtree(poster.folder / "outputs")
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[::-1])
    poster.run(*RUN).exit(0).says(
        "draw: made again (0.2 CNY): the stored result is damaged: `draw.png` was moved aside"
    )


def test_a_clean_up_needs_a_criterion_and_keeps_the_last_run(poster: Case) -> None:
    poster.run("cache", "gc").exit(2).says("nothing says what is to go", "--keep-runs", "--dry-run")
    poster.run("cache", "gc", "--older-than", "5 moons").exit(2).says("is not an age", "30d")
    poster.run("cache", "gc", "--max-size", "1kB", "--grace", "0s").exit(0).says("gone: 0 results", "2 of kept runs")
    poster.run("cache", "gc", "--keep-runs", "0").exit(0).says("gone: 0 results", "2 just made or used")
    everything = ("cache", "gc", "--keep-runs", "0", "--grace", "0s")
    lock = poster.run("plan", "recipe.yaml", "--simulate", "--json").exit(0).out
    (poster.folder / "rhflow.lock").write_text(lock, encoding="utf-8")
    poster.run(*everything, "--lock", "rhflow.lock").exit(0).says("gone: 0 results", "2 named by a lock file")
    poster.run(*everything, "--dry-run").exit(0).says("would go: 2 results and 1 file", "would have cost")
    assert blob(poster).exists()
    gone = poster.run(*everything, "--json").exit(0).document
    assert len(gone["results"]) == 2 and gone["left"] == 0
    poster.run("plan", "recipe.yaml", "--simulate").exit(0).says("2 steps to run")
    assert [path.suffix for path in poster.delivered()] == [".png", ".txt"], "what was delivered stays"


def test_removing_one_result_asks_and_refuses_open_payments(poster: Case) -> None:
    key = keys(poster)["draw"]
    poster.run("cache", "rm", key[:12]).exit(130)  # nobody answers
    poster.run("cache", "rm", key[:2], "--yes").exit(2)
    poster.run("cache", "rm", "0" * 20, "--yes").exit(2).says("nothing called")
    with Store.open(poster.folder / "store") as store:
        store.journal.record(intent(key, run="r1")).result()
        store.journal.record(accepted(key, "t", run="r1")).result()
    poster.run("cache", "rm", key[:12], "--yes").exit(5).says("not settled", "rhflow resume r1")
    poster.run("cache", "rm", keys(poster)["say"][:12], "--yes").exit(0).says("gone: 1 result and 0 files")


@pytest.mark.parametrize("name", ["latest", "sha256:"])
def test_removing_what_a_run_made_or_a_file(poster: Case, name: str) -> None:
    digest = "".join(blob(poster).relative_to(poster.folder / "store" / "blobs").parts)
    left = {"latest": 0, "sha256:": 1}[name]
    poster.run("cache", "rm", "latest" if name == "latest" else f"sha256:{digest[:9]}", "--yes").exit(0).says("1 file")
    assert len(keys(poster)) == left and not list((poster.folder / "store" / "blobs").rglob("?" * 62))


def test_results_move_to_another_machine(poster: Case, tmp_path: Path) -> None:
    poster.run("cache", "export", "results.tar", "--run", "latest").exit(0).says("2 results, 1 file")
    poster.run("cache", "export", "results.tar").exit(1).says("is there already")
    poster.run("cache", "export", "x.tar", "--realm", "live").exit(2).says("no result is meant")
    other = Inside(tmp_path / "other")
    other.folder.mkdir()
    other.recipe(RECIPE).run("cache", "import", "../results.tar").exit(0).says("2 results and 1 file", "came in")
    other.run("cache", "import", "../results.tar").exit(0).says("0 results and no files came in, 2 were here already")
    other.run("plan", "recipe.yaml", "--simulate").exit(0).says("nothing to run: all 2 steps reused")
    other.run("plan", "recipe.yaml").exit(0).says("2 steps to run")  # simulated results never answer a live run
    report = other.run(*RUN, "--json").exit(0).document
    assert all(node["cached"] for node in report["nodes"])
    assert other.delivered()[0].read_bytes() == poster.delivered()[0].read_bytes()


def test_a_newer_store_and_a_file_in_its_place_are_told(case: Case) -> None:
    with Store.open(case.folder / "store"):
        pass
    with sqlite3.connect(case.folder / "store" / "index.sqlite") as newer:
        newer.execute("PRAGMA user_version=999")
    newer.close()
    case.recipe(RECIPE)
    for command in (("cache", "ls"), RUN):
        Inside(case.folder).run(*command).exit(1).says("newer rhflow", "`rhflow --version` tells which this is")
    shutil.rmtree(case.folder / "store")
    (case.folder / "store").write_text("", encoding="utf-8")
    Inside(case.folder).run(*RUN).exit(1).says("cannot be opened", "hint")


def test_an_unknown_subcommand(case: Case) -> None:
    Inside(case.folder).run("cache", "verfy").exit(2).says("did you mean `verify`")
