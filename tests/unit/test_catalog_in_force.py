"""Which catalogue is in force: a file that is named, one that is kept in the store, or the shipped one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rhflow.app.catalog.in_force import KEPT, catalog_file, load_catalog
from rhflow.app.request import Request
from rhflow.app.runs.memo import memo_key
from rhflow.catalog.catalog import SHIPPED, Catalog
from rhflow.cli.root import invoke
from rhflow.core.errors import UsageError
from rhflow.settings import Settings, read_settings
from rhflow.store.store import Store

RECIPE = "rhflow: 1\nsteps:\n  a: {uses: text-to-text, model: new-talker, with: {prompt: say something}}\n"
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RHFLOW_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("RHFLOW_CATALOG", raising=False)
    monkeypatch.delenv("RUNNINGHUB_BASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path / "store"


def newer(data: dict[str, Any]) -> None:
    """Change the shipped catalogue as a later one may differ: a row more, one less, another price, things unknown."""
    prompt = {"name": "text", "type": "string", "alias": "prompt", "required": True, "moderated": True}
    row = {"id": "new-talker", "title": "New Talker", "endpoint": "new/talker", "tasks": ["text-to-text"]}
    row |= {"output": "text", "status": "active", "vendor": "v", "family": "f", "confidence": "high"}
    data["models"].append({**row, "fields": [prompt], "price": {"unit": "call", "fixed": "0.07"}})
    data["models"].remove(named(data, "hypir-ultra"))
    named(data, "vidu-q2-t2v")["note"] = "faster now"
    data["as_of"] = "2026-12-24"


def named(data: dict[str, Any], model_id: str) -> dict[str, Any]:
    (row,) = (each for each in data["models"] if each["id"] == model_id)
    found: dict[str, Any] = row
    return found


def written(path: Path, change: Change = newer) -> Path:
    data = json.loads(SHIPPED.read_bytes())
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def test_an_update_says_what_it_brings_and_is_used_from_then_on(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["validate", "recipe.yaml"]) == 3
    capsys.readouterr()
    assert invoke(["models", "update", str(written(tmp_path / "newer.json"))]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"catalogue of 2026-12-24: 329 models, kept in {store / KEPT}",
        "  new: new-talker",
        "  changed: vidu-q2-t2v",
        "  gone: hypir-ultra",
        "  left out, this rhflow does not know it: models[new-talker].fields[0].moderated",
    ]
    assert invoke(["validate", "recipe.yaml"]) == 0
    assert invoke(["models", "list", "--task", "text-to-text"]) == 0
    assert "catalogue of 2026-12-24" in capsys.readouterr().out
    assert invoke(["models", "update", "--shipped"]) == 0
    assert invoke(["models", "update", "--shipped"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "the shipped catalogue is used again",
        "the shipped catalogue is used already",
    ]
    assert load_catalog(read_settings()).digest == Catalog.load().digest


def test_a_new_row_runs_and_the_run_says_which_row_it_was(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "newer.json")
    assert invoke(["run", "recipe.yaml", "--simulate", "--catalog", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["nodes"][0]["cost"] == 0.07
    with Store.open(store) as opened:
        (started,) = (each for each in opened.journal.events(document["run"]) if each.type == "run.started")
    pinned = started.data["catalog"]
    assert (pinned["as_of"], set(pinned["models"])) == ("2026-12-24", {"new-talker"})
    assert pinned["sha256"] == Catalog.load(file).digest
    assert not (store / KEPT).exists()
    assert invoke(["resume", document["run"]]) == 0  # with the same file


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: named(data, "vidu-q2-t2v").pop("endpoint"), "`models[vidu-q2-t2v]`: 'endpoint' is a required"),
        (lambda data: named(data, "vidu-q2-t2v")["fields"][0].update(type="x"), "`models[vidu-q2-t2v].fields[0].type`"),
        (lambda data: data.update(format=9), "has format `9`, this rhflow reads format `1`"),
    ],
)  # fmt: skip
def test_a_broken_file_changes_nothing(
    change: Change, message: str, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["models", "update", str(written(tmp_path / "newer.json"))]) == 0
    kept = (store / KEPT).read_bytes()
    assert invoke(["models", "update", str(written(tmp_path / "broken.json", change))]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "hint: see `schemas/catalog.schema.json`" in told
    assert (store / KEPT).read_bytes() == kept
    assert [each.name for each in store.iterdir() if each.suffix == ".part"] == []


@pytest.mark.parametrize("arguments", [[], ["--shipped", "x.json"]])
def test_an_update_needs_to_know_to_what(arguments: list[str], store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["models", "update", *arguments]) == 2
    assert "hint: `rhflow models update FILE`, or `rhflow models update --shipped`" in capsys.readouterr().err


def test_the_more_exact_word_counts(store: Path, tmp_path: Path) -> None:
    assert catalog_file(read_settings()) is None
    store.mkdir()
    written(store / KEPT)
    assert catalog_file(read_settings()) == store / KEPT
    named_here = read_settings({"RHFLOW_STORE": str(store), "RHFLOW_CATALOG": "env.json"})
    assert catalog_file(named_here) == Path("env.json")
    settings = read_settings({"RHFLOW_CATALOG": "env.json"}, store=store, catalog=Path("option.json"))
    assert catalog_file(settings) == Path("option.json")


def test_an_older_catalogue_is_not_kept_and_gives_way_to_an_upgrade(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = written(tmp_path / "old.json", lambda data: data.update(as_of="2020-01-01"))
    assert invoke(["models", "update", str(old)]) == 2
    assert f"hint: `--catalog {old}` uses it all the same" in capsys.readouterr().err
    store.mkdir()
    written(store / KEPT, lambda data: data.update(as_of="2020-01-01"))
    assert catalog_file(read_settings()) is None
    assert load_catalog(read_settings(catalog=old)).as_of == "2020-01-01"


def test_a_kept_catalogue_of_another_format_is_told(store: Path) -> None:
    store.mkdir()
    (store / KEPT).write_text('{"format": 0, "models": []}', encoding="utf-8")
    with pytest.raises(UsageError, match="has format `0`, this rhflow reads format `1`"):
        load_catalog(read_settings())


def test_another_catalogue_is_another_question(store: Path, tmp_path: Path) -> None:
    def key(catalog: Path | None = None) -> str | None:
        return memo_key(Request(tmp_path / "recipe.yaml", Settings(store, "http://nowhere", catalog=catalog)))

    before = key()
    assert before == key()
    file = written(tmp_path / "newer.json")
    assert key(file) not in (None, before)
    assert key(tmp_path / "absent.json") is None
    store.mkdir()
    written(store / KEPT)
    assert key() not in (None, before, key(file))
