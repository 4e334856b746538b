"""Tables next to a recipe: rows of CSV and JSON lines, names of files, and what is said when they are wrong."""

from __future__ import annotations

import pytest

from rhflow.core.recipe.tables import TableError, csv_rows, json_rows, read_source, source_of


class Folder:
    """A reader of a few texts."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def text(self, path: str) -> str:
        return self.texts[path]

    def glob(self, pattern: str) -> list[str]:
        return sorted(name for name in self.texts if name.startswith(pattern.rstrip("*")))


def test_csv_rows_keep_commas_in_quotes_and_leave_empty_cells_out() -> None:
    rows = csv_rows('\ufeffkey, scene,note\nhero,"marble, white",\nhand,held,soft\n')
    assert rows == [
        (2, {"key": "hero", "scene": "marble, white"}),
        (3, {"key": "hand", "scene": "held", "note": "soft"}),
    ]


def test_csv_rows_keep_lines_in_quotes_and_know_where_they_begin() -> None:
    rows = csv_rows('key,scene\r\nhero,"one\r\ntwo"\r\n\r\nhand,"a ""quiet"" one"\r\n')
    assert rows == [(2, {"key": "hero", "scene": "one\r\ntwo"}), (5, {"key": "hand", "scene": 'a "quiet" one'})]


@pytest.mark.parametrize(("text", "line"), [("a,b\n1\n", 2), ("a,b\n1,2\n1,2,3\n", 3)])
def test_csv_rows_of_another_width_are_named_by_line(text: str, line: int) -> None:
    with pytest.raises(TableError, match="as many cells") as found:
        csv_rows(text)
    assert found.value.line == line


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ('a,b\n1,2\n3,"4\n5,6\n', 3, "never closed", "close it"),
        ('a,b\n1,2\n"3" x,4\n', 3, "not the end of its cell", '`""`'),
        ("a;b\n1;2\n", 1, "separated by `;`", "commas"),
        ("a\tb\n1,5\t2\n", 1, "separated by tabs", "commas"),
        ("\na,b, a\n", 2, "two columns are called `a`", "rename"),
    ],
)
def test_csv_that_means_something_else_is_told(text: str, line: int, message: str, hint: str) -> None:
    with pytest.raises(TableError, match=message) as found:
        csv_rows(text)
    assert found.value.line == line and hint in str(found.value.hint)


def test_json_rows_skip_empty_lines() -> None:
    assert json_rows('{"a": 1}\n\n[2]\n"three"\n') == [(1, {"a": 1}), (3, [2]), (4, "three")]


def test_a_line_that_is_not_json_is_named() -> None:
    with pytest.raises(TableError, match="not JSON") as found:
        json_rows('{"a": 1}\n{oops}\n')
    assert found.value.line == 2


def test_sources_are_told_from_mappings() -> None:
    assert source_of({"csv": "x.csv"}) == "csv"
    assert source_of({"csv": "x.csv", "other": 1}) is None
    assert source_of({"hero": "x"}) is None
    assert source_of(["csv"]) is None


def test_each_source_gives_items() -> None:
    folder = Folder(**{"shots.csv": "a\n1\n", "shots.jsonl": '{"a": 1}\n'})
    assert read_source({"csv": "shots.csv"}, folder) == [{"a": "1"}]
    assert read_source({"jsonl": "shots.jsonl"}, folder) == [{"a": 1}]
    assert read_source({"glob": "shots*"}, folder) == ["shots.csv", "shots.jsonl"]
    with pytest.raises(TableError, match="name of a file"):
        read_source({"csv": 3}, folder)
