"""The JSON Schemas that ship with rhflow: one function reads them.

In a wheel they lie inside the package; in a checkout they are the ``schemas/`` folder beside it. The editor, the
tests, the loader and the simulator read the same files.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the schema ``name`` (for example ``pipeline`` or ``api/submit``)."""
    for folder in (_PACKAGE / "schemas", _PACKAGE.parent / "schemas"):
        path = folder / f"{name}.schema.json"
        if path.is_file():
            schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return schema
    raise FileNotFoundError(f"rhflow is installed without its schema {name}")
