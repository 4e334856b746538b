"""Steps that this machine carries out, through the real command: without a key, without the service, and cached."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from PIL import Image

from rhflow.media.audio import write_audio
from rhflow.media.video import encode
from tests.e2e.case import Case

PART = """
rhflow: 1
name: part
params:
  photo: {type: image}
  way: {type: string, default: in}
steps:
  move:
    uses: ken-burns
    with: {image: "${{ params.photo }}", direction: "${{ params.way }}", duration: 0.5, fps: 10, size: 96x64}
outputs:
  clip: ${{ steps.move.video }}
"""
RECIPE = """
rhflow: 1
name: cut
params:
  ways: {type: list, default: [in, left]}
  music: {type: audio, default: tone.wav}
  loud: false
steps:
  shot:
    uses: ./part.yaml
    foreach: ${{ params.ways }}
    with: {photo: photo.png, way: "${{ item }}"}
  film: {uses: concat, with: {videos: "${{ steps.shot.videos }}", crossfade: 0.2}}
  song: {uses: mux, with: {video: "${{ steps.film.video }}", audio: "${{ params.music }}", loop: true}}
  louder: {uses: mux, if: params.loud, with: {video: "${{ steps.song.video }}", audio: tone.wav, mode: mix}}
  end: {uses: trim, with: {video: "${{ steps.song.video }}", start: 0.4}}
  frame: {uses: frame, foreach: [first, middle, 0.3, last], with: {video: "${{ steps.film.video }}", at: "${{ item }}"}}
  small: {uses: resize, foreach: "${{ steps.frame.images }}", with: {image: "${{ item }}", width: 48}}
  sheet:
    uses: sheet
    with:
      images: ${{ steps.small.images }}
      files: ["${{ steps.end.video }}"]
      captions: [first, middle, later, last, the end]
      width: 64
outputs:
  song: ${{ steps.song.video }}
  end: ${{ steps.end.video }}
  sheet: ${{ steps.sheet.image }}
  small: ${{ steps.small.images }}
"""


@pytest.fixture
def here(case: Case) -> Case:
    """Return a case with a picture, a sound and the recipes; no key, and no service that would answer."""
    image = Image.linear_gradient("L").rotate(90).resize((120, 80)).convert("RGB")
    image.save(case.folder / "photo.png")
    write_audio(case.folder / "tone.wav", b"\0\x10\0\xf0" * 2000, rate=16_000)
    case.env["RUNNINGHUB_BASE_URL"] = "http://service.invalid"
    return case.recipe(PART, "part.yaml").recipe(RECIPE)


def files(case: Case) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in case.delivered()}


def test_a_film_is_made_without_a_key_and_only_once(here: Case) -> None:
    made = here.run("run", "recipe.yaml", "--json").exit(0).document
    states = {each["id"]: each["status"] for each in made["nodes"]}
    assert made["requests"] == {"submit": 0, "query": 0, "upload": 0, "download": 0}
    assert states.pop("louder") == "skipped" and set(states.values()) == {"succeeded"}
    first = files(here)
    assert set(first) == {"song.mp4", "end.mp4", "sheet.jpg", *(f"small-{key}.png" for key in _keys(first))}
    with av.open(str(_one(here, "song.mp4"))) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.frames, sound.codec_context.name) == (96, 64, 8, "aac")

    again = here.run("run", "recipe.yaml", "--json").exit(0).document
    assert all(each["cached"] for each in again["nodes"] if each["id"] != "louder")

    changed = here.run("run", "recipe.yaml", "-p", "ways=in,right", "--json").exit(0).document
    cached = {each["id"]: each["cached"] for each in changed["nodes"]}
    assert cached["shot[in]/move"] and not cached["shot[right]/move"] and not cached["film"]

    here.env["RHFLOW_STORE"] = str(here.folder / "another")
    here.run("run", "recipe.yaml", "--out", "anew").exit(0)
    anew = {path.name: path.read_bytes() for path in (here.folder / "anew").rglob("latest/*")}
    assert anew == first, "another store, other bytes"


def _keys(names: dict[str, bytes]) -> list[str]:
    keys = [name[6:-4] for name in names if name.startswith("small-")]
    assert len(keys) == 4
    return keys


def _one(case: Case, name: str) -> Path:
    return next(path for path in case.delivered() if path.name == name)


def test_what_cannot_be_done_is_told_at_its_place(here: Case) -> None:
    here.recipe("""
        rhflow: 1
        name: wrong
        steps:
          film: {uses: ken-burns, with: {image: photo.png, duration: 0.5, fps: 10, size: 96x64}}
          late: {uses: trim, with: {video: "${{ steps.film.video }}", start: 3}}
          odd: {uses: sheet, with: {files: [photo.png, tone.wav]}}
          far: {uses: frame, with: {video: "https://service.invalid/a.mp4", at: last}}
        """.replace("\n        ", "\n"))  # fmt: skip
    told = here.run("plan", "recipe.yaml").exit(3)
    told.says("step `odd`: `tone.wav` is audio/wav, and a sheet shows pictures and clips", "recipe.yaml:7")
    told.says("step `far`: `https://service.invalid/a.mp4` is a link", "recipe.yaml:8", "download it")
    assert here.delivered() == []
    late = here.run("run", "recipe.yaml", "--until", "late").exit(1)
    late.says("step `late`: `film.mp4` has 0.5 s, and `start` asks for 3 s", "recipe.yaml:6:63", "hint: begin sooner")


def test_a_file_that_cannot_be_read_is_told_at_its_place(here: Case) -> None:
    (here.folder / "empty.mp4").write_bytes(b"")
    encode(here.folder / "broken.mp4", [Image.new("RGB", (96, 64))] * 20)
    clip = (here.folder / "broken.mp4").read_bytes()
    start = clip.index(b"mdat") + 4
    (here.folder / "broken.mp4").write_bytes(clip[:start] + bytes(len(clip) - start))
    here.recipe("rhflow: 1\nsteps:\n  f: {uses: frame, with: {video: empty.mp4, at: last}}\n", "empty.yaml")
    here.run("run", "empty.yaml").exit(3).says("cannot read `empty.mp4`: the file is empty", "empty.yaml:3:34")
    here.recipe("rhflow: 1\nsteps:\n  f: {uses: frame, with: {video: broken.mp4, at: last}}\n", "broken.yaml")
    here.run("run", "broken.yaml").exit(1).says("cannot read `broken.mp4`", "broken.yaml:3:3")
