"""The documentation is true: recipes load and plan, commands are documented, generated pages are fresh.

A block whose first line is ``# part of a recipe`` leaves the rest out: it is tested with what a recipe needs besides.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import pytest
from PIL import Image

from rhflow.app.recipes.load import load
from rhflow.cli.root import COMMANDS, invoke, root
from rhflow.contract import load_schema
from rhflow.core.errors import Source
from rhflow.core.expr.filters import FILTERS
from rhflow.core.expr.functions import FUNCTIONS
from rhflow.core.plan.views import FACT_NAMES, OUTPUT_NAMES
from rhflow.core.text.source import read
from rhflow.core.values import ARTIFACT_MEMBERS
from rhflow.steps.kinds import all_kinds
from tools import cli_reference

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{at}")
    for page in PAGES
    for at, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


WRITTEN_BY_USERS = {"rhflow.toml"}
PART = "# part of a recipe\n"
FILES = {
    "shots.csv": "key,scene\nhero,on marble\nhand,in a hand\n",
    "shots.jsonl": '{"key": "hero", "scene": "on marble"}\n',
    "shot.yaml": next(param.values[0] for param in BLOCKS if "name: shot\n" in param.values[0]),
}


def whole(block: str) -> str:
    """Return a part of a recipe as a recipe: with its version and, where it has no steps, one that reads its params."""
    if not block.startswith(PART):
        return block
    data = read(Source("block", block)).data
    if "steps" in data:
        return f"rhflow: 1\n{block}"
    types = {name: param.get("type") for name, param in data["params"].items() if isinstance(param, dict)}
    files = {name for name, kind in types.items() if kind in ("image", "video", "audio", "file")}
    reads = " ".join(f"${{{{ params.{name}{'.name' if name in files else ''} }}}}" for name in data["params"])
    return f'rhflow: 1\n{block}steps: {{s: {{uses: text-to-text, with: {{prompt: "{reads}"}}}}}}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files that the recipes in the docs speak of."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (96, 64), "teal").save(tmp_path / "cup.jpg")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("block", BLOCKS)
def test_recipes_in_the_docs_load_and_plan(block: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = folder / "recipe.yaml"
    recipe.write_text(whole(block), encoding="utf-8")
    loaded = load(recipe)
    assert not loaded.warnings
    needed = [param for param in loaded.pipeline.params.values() if param.required]
    assert all(param.is_media for param in needed), "give a default: what it should be cannot be guessed"
    given = [f"--param={param.name}=cup.jpg" for param in needed]
    assert invoke(["plan", "recipe.yaml", "--simulate", "--store", "store", *given]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "names",
    [
        load_schema("pipeline")["properties"],
        load_schema("pipeline")["$defs"]["step"]["properties"],
        load_schema("pipeline")["$defs"]["defaults"]["properties"],
        [name for name in load_schema("pipeline")["$defs"]["param"]["properties"] if name != "description"],
        load_schema("pipeline")["$defs"]["param"]["properties"]["type"]["enum"],
        all_kinds(),
        FILTERS,
        FUNCTIONS,
        OUTPUT_NAMES,
        FACT_NAMES,
        ARTIFACT_MEMBERS,
    ],
    ids=("top", "steps", "defaults", "params", "types", "kinds", "filters", "functions", "outputs", "facts", "files"),
)
def test_the_page_on_the_language_leaves_nothing_out(names: Iterable[str]) -> None:
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    said = {
        word
        for code in re.findall(r"`([^`\n]+)`|^```\w*\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
        for word in words(code)
    }
    assert set(names) - said == set()


def words(code: tuple[str, str]) -> list[str]:
    return re.findall(r"[\w-]+", " ".join(code))


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_recipes_are_valid_and_help_editors(path: Path) -> None:
    assert not load(path).warnings
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schemas/pipeline.full.schema.json"


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"## rhflow {name}\n" in page
        assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


TYPED = dict(cli_reference.commands(root, "rhflow"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_a_page_names_are_there(page: Path) -> None:
    for words in re.findall(r"\brhflow(?: [a-z][a-z-]*)+(?![a-z.-])", in_code(page.read_text(encoding="utf-8"))):
        name = "rhflow"
        for word in words.split()[1:]:
            if not isinstance(TYPED[name], click.Group):
                break
            name += f" {word}"
            assert name in TYPED, f"{page.name} says `{words}`"


def in_code(text: str) -> str:
    """Return what stands in code of a page: what is to be typed, and not the sentences around it."""
    return "\n".join("".join(found) for found in re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL))


@pytest.mark.parametrize("tool", ["cli_reference.py", "error_index.py"])
def test_generated_pages_are_fresh(tool: str) -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / tool), "--check"], check=False)
    assert done.returncode == 0, f"run `python tools/{tool}`"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
            found = page.parent / target if target else page
            assert found.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in anchors(found), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", ["architecture.md", "contributing.md"])
def test_paths_that_a_page_names_are_there(page: str) -> None:
    """A path counts from the repository or from the package, a file's name from a folder that its line names."""
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        paths = re.findall(r"`([\w./-]*[\w-](?:/|\.(?:py|json|md|toml|yaml)))(?=[` ])", line)
        named = [ROOT / "rhflow" / each for each in paths]
        folders = [ROOT, ROOT / "rhflow", *named, *(each.parent for each in named)]
        for each in set(paths) - WRITTEN_BY_USERS:
            assert any((folder / each).exists() for folder in folders), f"{page} names `{each}`"


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
