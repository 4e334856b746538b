"""Start-up imports only what it uses: what each quick command must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"networkx", "httpx", "jinja2", "rich", "av", "PIL", "starlette", "uvicorn", "jsonschema", "yaml"}
ASYNC = {"asyncio"}


def modules_after(code: str) -> set[str]:
    """Return the names of all modules that a fresh Python has loaded after ``code``."""
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("arguments", [["--version"], ["runs"], ["models", "list"]])
def test_quick_commands_load_little(arguments: list[str], tmp_path: object) -> None:
    code = (
        f"sys.argv = ['rhflow', *{arguments!r}]\n"
        f"import os\nos.environ['RHFLOW_STORE'] = {str(tmp_path)!r}\n"
        "from rhflow.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass"
    )
    assert not modules_after(code) & (HEAVY | ASYNC)


def test_the_way_of_an_unchanged_run_loads_little() -> None:
    assert not modules_after("import rhflow.cli.run, rhflow.app.runs.memo") & (HEAVY | ASYNC)


def test_the_store_loads_little() -> None:
    assert not modules_after("import rhflow.store.store") & (HEAVY | ASYNC)


def test_validating_a_plain_recipe_needs_no_jinja() -> None:
    loaded = modules_after("import rhflow.app.recipes.load")
    assert not loaded & {"jinja2", "httpx", "av", "PIL", "starlette", "rich"}
