"""Every model of the catalogue on the simulator: found by its names, called, opened, charged as told.

The suite makes one call of each, with all that it takes, and checks that the least it takes is accepted too;
``pytest tests/e2e/test_every_model.py --every-call`` makes both.
"""

from __future__ import annotations

import importlib
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rhflow.catalog.catalog import Catalog
from rhflow.core.cost import Estimate
from rhflow.core.inputs.signature import Signature
from rhflow.core.kinds import Model
from rhflow.core.values import Artifact
from rhflow.simulator.job import Job, media_links
from rhflow.simulator.samples import make
from rhflow.simulator.validate import problem_in

ROOT = Path(__file__).parents[2]
CATALOG = Catalog.load()
USABLE = [each for each in CATALOG.all() if each.callable and each.status == "active"]
PARTS = 8
LINK = "https://files.test/a"
OF_IDS = {"asset", "element", "upload-character"}  # an id tells nothing of what it stands for
# One model of each task that takes media, and those with a shape of their own
SHAPES = ("skyreels-v4-omni-reference", "marble-1-1-image-to-world", "qwen-image-2511-edit", "seedance-2-0-r2v")


@pytest.fixture(scope="module")
def every() -> ModuleType:
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module("tools.every_model")
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture
def extents(every: ModuleType, request: pytest.FixtureRequest) -> tuple[str, ...]:
    return every.EXTENTS if request.config.getoption("--every-call") else ("full",)


def holds(told: Estimate, charge: Decimal | None) -> bool:
    """Whether bounds contain a charge; one that nobody knows must have been told as unknown."""
    if charge is None:
        return told.high is None and not told.low
    return told.low <= charge and (told.high is None or charge <= told.high)


def quotes(outcome: Any) -> bool:
    """Whether the simulator charged what it had named; it names nothing where the length was not known before."""
    named_nothing = not outcome.quoted and not outcome.told.known
    return named_nothing or outcome.quoted == outcome.charge


@pytest.mark.parametrize("part", range(PARTS))
async def test_each_gives_what_its_row_says_at_the_price_that_was_told(
    part: int, every: ModuleType, extents: tuple[str, ...], tmp_path: Path
) -> None:
    called: dict[str, dict[str, Any]] = await every.call_all(USABLE[part::PARTS], tmp_path, extents=extents)
    assert len(called) == len(USABLE[part::PARTS])
    outcomes = [each for of_model in called.values() for each in of_model.values()]
    assert [str(each) for each in outcomes if isinstance(each, Exception)] == []
    dear = [(each.model, each.charge, str(each.told)) for each in outcomes if not holds(each.told, each.charge)]
    early = [(each.model, each.charge, str(each.early)) for each in outcomes if not holds(each.early, each.charge)]
    quoted = [(each.model, each.charge, each.quoted) for each in outcomes if not quotes(each)]
    assert (dear, early, quoted) == ([], [], [])


def test_the_least_that_each_takes_is_accepted(every: ModuleType, tmp_path: Path) -> None:
    samples = every.Samples.make(tmp_path)
    refused = {}
    for model in USABLE:
        bound = Signature(model.id, model.fields, model).bind(every.written(model, "minimal", samples), no_file)
        why = problem_in(model, {name: linked(value) for name, value in bound.values.items()})
        if bound.troubles or why is not None:
            refused[model.id] = [each.message for each in bound.troubles] or why
    assert refused == {}


def no_file(path: str) -> Artifact:
    raise AssertionError(f"{path} was taken for a path")


def linked(value: Any) -> Any:
    if isinstance(value, Artifact):
        return LINK
    if isinstance(value, list):
        return [linked(each) for each in value]
    return {name: linked(each) for name, each in value.items()} if isinstance(value, dict) else value


# --- what goes in shows in what comes out ----------------------------------------------------------------------------


def taking_media() -> dict[str, Model]:
    """Return models by what stands for them: the first of each task that takes media, and the odd shapes."""
    found: dict[str, Model] = {}
    for model in USABLE:
        media = sum(each.is_media for each in model.fields)
        best = found.get(model.tasks[0])
        if media and model.tasks[0] not in OF_IDS and (best is None or media > sum(f.is_media for f in best.fields)):
            found[model.tasks[0]] = model
    return found | {name: model for name in SHAPES if (model := CATALOG.find(name)) is not None}


@pytest.mark.parametrize("name", taking_media())
def test_every_file_that_goes_in_makes_a_difference(name: str, every: ModuleType, tmp_path: Path) -> None:
    model = taking_media()[name]
    folders = [tmp_path / colour for colour in ("red", "blue")]
    for folder in folders:
        folder.mkdir()
    first, second = (every.Samples.make(folder, folder.name) for folder in folders)
    bound = Signature(model.id, model.fields, model).bind(every.written(model, "full", first), no_file)
    inputs = {each: linked(value) for each, value in bound.values.items()}
    fields = {field.name: field for field, _ in media_links(model, inputs)}
    assert fields

    def result(changed: str | None) -> list[object]:
        media = {}
        for each, field in fields.items():
            medium = field.type.removesuffix("[]") if field.is_media else str(field.alias).removesuffix("s")
            media[each] = ((second if each == changed else first).path(field, medium),)
        folder = tmp_path / str(changed)
        folder.mkdir()
        made = make(Job(model, inputs, media, 1, folder, most=32))
        return [*(path.read_bytes() for path in made.files), *made.texts]

    same = result(None)
    assert [each for each in fields if result(each) == same] == []


# --- what cannot be called -------------------------------------------------------------------------------------------


def test_ids_names_and_endpoints_lead_to_the_same_model() -> None:
    for line in (ROOT / "tools" / "catalog" / "contents.tsv").read_text(encoding="utf-8").splitlines():
        _, name, model_id = line.split("\t")
        model = CATALOG.find(model_id)
        assert model is not None
        assert all(CATALOG.find(each) is model for each in (name, model.endpoint, f"/openapi/v2/{model.endpoint}"))
