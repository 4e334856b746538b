"""Looking models up: every name a user may know leads to one model."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rhflow.catalog.catalog import SHIPPED, Catalog, references

OFFICIAL = Path(__file__).parents[2] / "tools" / "catalog" / "contents.tsv"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load()


def found(catalog: Catalog, reference: str) -> str | None:
    model = catalog.find(reference)
    return None if model is None else model.id


def test_every_official_display_name_leads_to_its_model(catalog: Catalog) -> None:
    rows = [line.split("\t")[1:] for line in OFFICIAL.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 225
    assert {(name, found(catalog, name)) for name, _ in rows} == {(name, model_id) for name, model_id in rows}


def test_every_reference_leads_to_its_own_model_alone(catalog: Catalog) -> None:
    owner: dict[str, str] = {}
    for model_id in catalog.names():
        for text in references(catalog.row(model_id)):
            assert owner.setdefault(text.casefold(), model_id) == model_id
            assert found(catalog, text) == model_id


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: f"  {text}\n"])
def test_case_and_blanks_do_not_matter(catalog: Catalog, change: Callable[[str], str]) -> None:
    assert found(catalog, change("wan-2.7/image-to-video")) == "wan-2-7-i2v"
    assert found(catalog, change("vidu-q2-t2v")) == "vidu-q2-t2v"


@pytest.mark.parametrize("prefix", ["", "/", "openapi/v2/", "/openapi/v2/", "https://www.runninghub.ai/openapi/v2/"])
@pytest.mark.parametrize("endpoint", ["alibaba/wan-2.7/image-to-video", "alibaba/wan-2.7/image/image-to-video"])
def test_an_endpoint_present_or_former_is_found_with_or_without_its_prefix(
    catalog: Catalog, prefix: str, endpoint: str
) -> None:
    assert found(catalog, prefix + endpoint) == "wan-2-7-i2v"


@pytest.mark.parametrize("reference", ["", "/", "wan", "openapi/v2/", "alibaba"])
def test_what_is_no_name_is_not_found(catalog: Catalog, reference: str) -> None:
    assert catalog.find(reference) is None


def test_a_model_is_built_once(catalog: Catalog) -> None:
    assert catalog.find("vidu-q2-t2v") is catalog.find("Vidu-text-to-video-q2")
    assert catalog.find("vidu-q2-t2v") in catalog.all()


def test_names_by_task(catalog: Catalog) -> None:
    assert catalog.names(["upscale-video", "interpolate-video"]) == (
        "rh-video-fps-increaser",
        "rh-video-upscaler",
        "topaz-video-upscale",
    )
    assert len(catalog.names()) == len(catalog.all()) == 329
    assert list(catalog.names()) == sorted(catalog.names())
    assert catalog.names(["no-such-task"]) == ()


def test_a_task_serves_also_those_that_only_can(catalog: Catalog) -> None:
    assert "midjourney-v7-t2i" in catalog.names(["image-to-image"])


def test_default_for_a_task(catalog: Catalog) -> None:
    model = catalog.default_for("image-to-video")
    assert model is not None
    assert "image-to-video" in model.tasks
    assert catalog.default_for("other") is None
    assert catalog.default_for("no-such-task") is None


def test_a_row_tells_what_a_model_leaves_out(catalog: Catalog) -> None:
    row = catalog.row("seedance-2-0-i2v")
    assert row["features"]["asset_slots"] == ["first_frame", "last_frame"]
    assert (row["confidence"], row["family"]) == ("high", "seedance")
    with pytest.raises(KeyError):
        catalog.row("no-such-model")


def test_further_display_names_are_found(tmp_path: Path) -> None:
    data = json.loads(SHIPPED.read_bytes())
    data["models"][0]["names"] = ["The Old Name"]
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert found(Catalog.load(path), "the old name") == data["models"][0]["id"]


def test_digest_and_date(catalog: Catalog) -> None:
    assert catalog.digest == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert catalog.as_of == "2026-05-07"


def test_the_shipped_catalogue_loads_without_jsonschema() -> None:
    script = (
        "import sys; from rhflow.catalog.catalog import Catalog; Catalog.load().default_for('text-to-image');"
        "print(*{'jsonschema', 'networkx', 'jinja2', 'httpx', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
