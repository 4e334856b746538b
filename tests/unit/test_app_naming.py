"""What delivered files are called, from what is known of them."""

from __future__ import annotations

import pytest

from rhflow.app.runs.naming import Piece, folder_of, name_all
from rhflow.core.values import Artifact

PNG, JPG, TXT = (Artifact("0" * 64, kind, 1, "x") for kind in ("image/png", "image/jpeg", "text/plain"))


@pytest.mark.parametrize(
    ("file", "own", "name"),
    [
        (PNG, "cover", "cover.png"),
        (PNG, "cover.PNG", "cover.png"),
        (JPG, "cover.jpeg", "cover.jpg"),
        (PNG, "cover.jpg", "cover.jpg.png"),
        (PNG, "png", "png.png"),
        (PNG, "v1.5", "v1.5.png"),
        (PNG, ".png", "still.png"),
        (PNG, "...", "still.png"),
        (PNG, "", "still.png"),
        (PNG, "a/b", "a-b.png"),
        (TXT, "shots.md", "shots.md"),
        (TXT, "film.mp4", "film.mp4.txt"),
        (TXT, "x" * 400, f"{'x' * 69}-4f073a.txt"),
    ],
)
def test_a_name_that_was_asked_for(file: Artifact, own: str, name: str) -> None:
    assert name_all([Piece(file, "still", own=own)]) == [name]
    assert name_all([Piece(file, "still", stem=own)]) == [name]


def test_keys_tell_apart_who_asks_for_the_same() -> None:
    same = [Piece(PNG, "still", own="film", key=key) for key in ("a", "b", "b")]
    assert name_all([*same, Piece(TXT, "still", own="film", key="a")]) == [
        "film-a.png", "film-b.png", "film-b-2.png", "film.txt",
    ]  # fmt: skip
    assert name_all([Piece(PNG, "Still"), Piece(PNG, "still")]) == ["Still.png", "still-2.png"]
    assert name_all([Piece(PNG, "still", "a/"), Piece(PNG, "still", "b/")]) == ["a/still.png", "b/still.png"]


def test_long_names_that_begin_alike_differ_and_keep_doing_so() -> None:
    pieces = [Piece(PNG, "still", stem="a long name " * 9, number=str(at)) for at in range(3)]
    names = name_all(pieces)
    assert len(set(names)) == 3 and all(len(each) <= 80 for each in names)
    assert name_all(pieces[1:]) == names[1:]


def test_folders_of_scopes() -> None:
    assert folder_of("") == ""
    assert folder_of("cat/shots[hero]/") == "cat/shots-hero/"
    assert len(folder_of(f"shots[{'x' * 300}]/")) == 81
