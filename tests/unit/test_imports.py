"""Start-up imports only what it uses: what each quick command must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

HEAVY = {"networkx", "httpx", "jinja2", "rich", "av", "PIL", "starlette", "uvicorn", "jsonschema", "yaml", "websockets"}
ASYNC = {"asyncio"}


def modules_after(code: str) -> set[str]:
    """Return the names of all modules that a fresh Python has loaded after ``code``."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def running(command: list[str], store: Path) -> str:
    """Return code that carries a command out. Fails when the command does."""
    return (
        f"sys.argv = {command!r}\n"
        f"import os\nos.environ['RHFLOW_STORE'] = {str(store)!r}\n"
        "from rhflow.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )


@pytest.mark.parametrize("arguments", [["--version"], ["runs"], ["models", "list"]])
def test_quick_commands_load_little(arguments: list[str], tmp_path: Path) -> None:
    assert not modules_after(running(["rhflow", *arguments], tmp_path)) & (HEAVY | ASYNC)


def test_the_way_of_an_unchanged_run_loads_little() -> None:
    assert not modules_after("import rhflow.cli.run, rhflow.app.runs.memo") & (HEAVY | ASYNC)


def test_the_store_loads_little() -> None:
    assert not modules_after("import rhflow.store.store") & (HEAVY | ASYNC)


PLAIN = """
rhflow: 1
steps:
  still: {uses: text-to-image, with: {prompt: a dog, aspect_ratio: "1:1"}}
  clip: {uses: image-to-video, with: {image: "${{ steps.still.image }}", prompt: push in, duration: 5}}
"""


@pytest.mark.parametrize("arguments", [["validate"], ["plan", "--simulate"]])
def test_planning_a_plain_recipe_loads_no_network_and_no_media(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(PLAIN)
    command = ["rhflow", arguments[0], str(tmp_path / "recipe.yaml"), *arguments[1:]]
    assert not modules_after(running(command, tmp_path)) & (HEAVY - {"yaml", "jsonschema"} | ASYNC)


def test_a_run_without_progress_loads_no_web_sockets() -> None:
    assert "websockets" not in modules_after("import rhflow.app.runs.run, rhflow.cli.progress, rhflow.steps.registry")


def test_a_picture_is_looked_at_without_ffmpeg(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    code = (
        "from pathlib import Path\nfrom rhflow.media.errors import UnreadableMediaError\n"
        "from rhflow.media.probe import check_whole, probe\n"
        f"folder = Path({str(tmp_path)!r})\nassert probe(folder / 'a.png').width == 8\n"
        "try:\n    check_whole(folder / 'b.png', 'image/png', name='b.png')\n    sys.exit('it is whole')\n"
        "except UnreadableMediaError:\n    pass"
    )
    assert "av" not in modules_after(code)
