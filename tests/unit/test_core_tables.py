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
    assert rows == [{"key": "hero", "scene": "marble, white"}, {"key": "hand", "scene": "held", "note": "soft"}]


@pytest.mark.parametrize(("text", "line"), [("a,b\n1\n", 2), ("a,b\n1,2\n1,2,3\n", 3)])
def test_csv_rows_of_another_width_are_named_by_line(text: str, line: int) -> None:
    with pytest.raises(TableError, match="as many cells") as found:
        csv_rows(text)
    assert found.value.line == line


def test_json_rows_skip_empty_lines() -> None:
    assert json_rows('{"a": 1}\n\n[2]\n"three"\n') == [{"a": 1}, [2], "three"]


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
