"""``file(…)`` and ``glob(…)``: inside the recipe's folder, and nowhere else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rhflow.app.recipes import reader as module
from rhflow.app.recipes.load import load
from rhflow.app.recipes.reader import FolderReader
from rhflow.core.errors import RecipeError
from rhflow.core.expr.bounds import SandboxError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with texts, and things beside it that are nobody's business."""
    made = tmp_path / "recipes"
    (made / "scenes" / "old").mkdir(parents=True)
    (made / "look.txt").write_text("soft light\n", encoding="utf-8")
    (made / "scenes" / "b.txt").write_text("b", encoding="utf-8")
    (made / "scenes" / "a.txt").write_text("a", encoding="utf-8")
    (made / "scenes" / "old" / "c.txt").write_text("c", encoding="utf-8")
    (made / "scenes" / ".hidden.txt").write_text("h", encoding="utf-8")
    (made / ".git").mkdir()
    (made / ".git" / "x.txt").write_text("x", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return made


def refused(folder: Path, path: str) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        FolderReader(folder).text(path)
    return caught.value


def test_a_text_is_read_once_and_remembered(folder: Path) -> None:
    reader = FolderReader(folder)
    assert reader.text("look.txt") == "soft light\n"
    (folder / "look.txt").write_text("other", encoding="utf-8")
    assert reader.text("./look.txt") == "soft light\n"
    assert reader.text("scenes/a.txt") == "a"
    assert reader.seen == {folder / "look.txt", folder / "scenes" / "a.txt"}


def test_line_ends_and_a_mark_at_the_beginning_do_not_matter(folder: Path) -> None:
    (folder / "windows.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert FolderReader(folder).text("windows.txt") == "one\ntwo\n"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "scenes/../../secret.txt", "/etc/passwd", "..", "//x", "a/../look.txt"]
)
def test_no_path_leads_out(folder: Path, path: str) -> None:
    error = refused(folder, path)
    assert error.code == "outside"
    assert path in error.message


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_no_link_leads_out(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "way").symlink_to(folder.parent)
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "inside.txt").symlink_to(folder / "look.txt")
    assert refused(folder, "link.txt").code == "outside"
    assert refused(folder, "way/secret.txt").code == "outside"
    assert refused(folder, "circle").code in ("outside", "no-such-file")
    assert FolderReader(folder).text("inside.txt") == "soft light\n"
    assert FolderReader(folder).glob("**/*.txt") == [
        "inside.txt", "look.txt", "scenes/a.txt", "scenes/b.txt", "scenes/old/c.txt",
    ]  # fmt: skip


def test_what_cannot_be_read_is_told_in_words(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "picture.png").write_bytes(b"\x89PNG\xff")
    monkeypatch.setattr(module, "MAX_BYTES", 8)
    assert refused(folder, "look.txt").code == "too-large"
    assert refused(folder, "picture.png").message == "`picture.png` is not UTF-8 text (byte 0)"
    assert refused(folder, "lok.txt").hint == "did you mean `look.txt`?"
    assert refused(folder, "scenes/aa.txt").hint == "did you mean `scenes/a.txt`?"
    assert refused(folder, "nowhere/x.txt").message == "there is no file `nowhere/x.txt`"
    assert refused(folder, "scenes").message == "`scenes` is not a file"
    assert refused(folder, "a\0b").code == "no-such-file"
    assert refused(folder, "x" * 5000).code == "no-such-file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert refused(folder, "pipe").message == "`pipe` is not a file"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", ["look.txt"]),
        ("scenes/*", ["scenes/a.txt", "scenes/b.txt"]),
        ("scenes/?.txt", ["scenes/a.txt", "scenes/b.txt"]),
        ("scenes/[b-z].txt", ["scenes/b.txt"]),
        ("**/*.txt", ["look.txt", "scenes/a.txt", "scenes/b.txt", "scenes/old/c.txt"]),
        ("**", ["look.txt", "scenes/a.txt", "scenes/b.txt", "scenes/old/c.txt"]),
        ("**/**/c.*", ["scenes/old/c.txt"]),
        ("./scenes/**/c.txt", ["scenes/old/c.txt"]),
        ("scenes/.*", ["scenes/.hidden.txt"]),
        ("nothing/*", []),
        ("scenes", []),
    ],
)
def test_a_pattern_finds_files_in_order(folder: Path, pattern: str, found: list[str]) -> None:
    assert FolderReader(folder).glob(pattern) == found


@pytest.mark.parametrize("pattern", ["../*", "/etc/*", "scenes/../../*", "", "."])
def test_no_pattern_leads_out(folder: Path, pattern: str) -> None:
    with pytest.raises(SandboxError) as caught:
        FolderReader(folder).glob(pattern)
    assert caught.value.code in ("outside", "no-such-file")


def test_a_pattern_notes_the_folders_it_looked_into(folder: Path) -> None:
    reader = FolderReader(folder)
    reader.glob("scenes/*.txt")
    assert reader.seen == {folder, folder / "scenes"}


def test_a_pattern_does_not_look_at_a_whole_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 4)
    with pytest.raises(SandboxError, match="looks at more than 4 files"):
        FolderReader(folder).glob("**/*")


def test_a_recipe_reads_next_to_itself(folder: Path) -> None:
    recipe = folder / "recipe.yaml"
    step = '{{uses: text-to-image, with: {{prompt: "${{{{ {} }}}}"}}}}'
    text = f"rhflow: 1\nsteps:\n  a: {step}\noutputs:\n  a: ${{{{{{{{ steps.a.image }}}}}}}}\n"
    recipe.write_text(
        text.format("file('look.txt') ~ (glob('scenes/*.txt') | map('basename') | join)"), encoding="utf-8"
    )
    loaded = load(recipe)
    assert loaded.warnings == []
    assert loaded.seen == {folder / "look.txt", folder, folder / "scenes"}
    recipe.write_text(text.format("file('lok.txt')"), encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load(recipe)
    [problem] = caught.value.problems
    assert (problem.code, problem.hint) == ("no-such-file", "did you mean `look.txt`?")
