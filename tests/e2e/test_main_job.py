"""The main job, as the README promises it: a picture, a clip and an upscaled clip; then nothing; then only a cone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from PIL import Image

from tests.e2e.case import FULL_SIZE, PIPELINES, Case

RECIPE = str(PIPELINES / "still-to-clip.yaml")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, dict]:
    folder = tmp_path_factory.mktemp("main")
    run = Case(folder, FULL_SIZE).run("run", RECIPE, "--simulate", "--speed", "200", "--json", cold=True).exit(0)
    return Case(folder), run.document


@dataclass
class Film:
    """How many frames a clip has, and some of them: the first two, one from the middle and the last."""

    count: int
    first: Image.Image
    second: Image.Image
    middle: Image.Image
    last: Image.Image


@pytest.fixture(scope="module")
def films(done: tuple[Case, dict]) -> tuple[Film, Film]:
    """The clip and the upscaled clip."""
    case, document = done
    clip, large = (watched(case.folder / document["outputs"][name]) for name in ("clip", "clip-1080p"))
    return clip, large


def watched(path: Path) -> Film:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return Film(len(frames), *(frames[at].to_image() for at in (0, 1, len(frames) // 2, -1)))


def test_makes_a_picture_a_clip_and_an_upscaled_clip(done: tuple[Case, dict], films: tuple[Film, Film]) -> None:
    case, document = done
    assert document["status"] == "succeeded"
    assert document["realm"] == "simulated"
    assert [node["cached"] for node in document["nodes"]] == [False, False, False]
    assert document["requests"]["submit"] == 3
    outputs = {name: case.folder / path for name, path in document["outputs"].items()}
    assert {path.name for path in outputs.values()} == {"picture.png", "clip.mp4", "clip-1080p.mp4"}
    with Image.open(outputs["picture"]) as picture:
        assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.02)
    clip, large = films
    assert clip.count == large.count == 120
    assert large.first.size == (1920, 1080)
    assert clip.first.width / clip.first.height == pytest.approx(16 / 9, rel=0.01)


def test_the_clip_moves_over_the_picture_and_is_truly_upscaled(
    done: tuple[Case, dict], films: tuple[Film, Film]
) -> None:
    case, document = done
    clip, large = films
    with Image.open(case.folder / document["outputs"]["picture"]) as picture:
        first = distance(picture.convert("RGB"), clip.first)
    assert first < 12, "the clip begins with the picture"
    assert distance(clip.first, clip.last) > 2 * distance(clip.first, clip.second), "and moves away from it"
    assert distance(clip.middle, large.middle) < 6, "the upscaled clip shows the same"


def distance(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures, scaled to a small common size, in levels of 255."""
    first, second = (each.resize((96, 54)).convert("L").tobytes() for each in (one, other))
    return sum(abs(a - b) for a, b in zip(first, second, strict=True)) / len(first)


def test_second_run_reuses_everything_and_requests_nothing(done: tuple[Case, dict]) -> None:
    case, first = done
    before = [(path, path.stat().st_mtime_ns) for path in case.delivered()]
    again = case.run("run", RECIPE, "--simulate", "--json").exit(0)
    assert all(node["cached"] for node in again.document["nodes"])
    assert again.document["requests"] == {"submit": 0, "query": 0, "upload": 0, "download": 0}
    assert again.document["outputs"] == first["outputs"]
    assert [(path, path.stat().st_mtime_ns) for path in case.delivered()] == before
    case.run("run", RECIPE, "--simulate").exit(0).says("nothing to run: all 3 steps reused, no request made")


def test_a_changed_comment_reuses_everything_too(done: tuple[Case, dict], tmp_path: Path) -> None:
    case, first = done
    copy = tmp_path / "still-to-clip.yaml"
    copy.write_text(Path(RECIPE).read_text(encoding="utf-8") + "# one more line\n", encoding="utf-8")
    again = case.run("run", str(copy), "--simulate", "--json").exit(0).document
    assert again["run"] == first["run"]
    assert again["requests"]["submit"] == 0


def test_a_deleted_file_is_restored_from_the_store(done: tuple[Case, dict]) -> None:
    case, first = done
    clip = case.folder / first["outputs"]["clip"]
    content = clip.read_bytes()
    clip.unlink()
    case.run("run", RECIPE, "--simulate").exit(0).says("restored 1 missing file from the store", "no request made")
    assert clip.read_bytes() == content


def test_a_deleted_folder_is_restored_from_the_store(done: tuple[Case, dict]) -> None:
    case, first = done
    folder = (case.folder / first["outputs"]["clip"]).parent
    shutil.rmtree(folder)
    case.run("run", RECIPE, "--simulate").exit(0).says("restored 3 missing files")
    assert len(list(folder.iterdir())) == 3


def test_one_changed_param_reruns_only_what_depends_on_it(done: tuple[Case, dict]) -> None:
    case, first = done
    planned = case.run("plan", RECIPE, "--simulate", "-p", "motion=pan left").exit(0)
    planned.says("2 steps to run, 1 reused", "`prompt` changed")
    again = case.run("run", RECIPE, "--simulate", "--speed", "200", "-p", "motion=pan left", "--json").exit(0).document
    assert [node["cached"] for node in again["nodes"]] == [True, False, False]
    assert again["requests"]["submit"] == 2
    assert again["run"] != first["run"]
    back = case.run("run", RECIPE, "--simulate", "--json").exit(0).document
    assert back["run"] == first["run"], "the first parameters lead back to the first folder"


def test_latest_points_at_the_last_answer(done: tuple[Case, dict]) -> None:
    case, first = done
    case.run("run", RECIPE, "--simulate").exit(0)
    assert (case.folder / "outputs" / "still-to-clip" / "latest").resolve().name == first["run"]
