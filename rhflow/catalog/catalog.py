"""The catalogue: one file of rows, looked up by every name a user may know a model by.

The file is read whole (a few milliseconds) and a ``Model`` is built only when it is asked for, because a command
that names three models should not pay for three hundred. The shipped file is trusted, a test validates it; any other
is validated when it is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rhflow.catalog.rows import Row, display_names, model_from
from rhflow.core.errors import Problem, UsageError
from rhflow.core.kinds import Model

FORMAT = 1
SHIPPED = Path(__file__).with_name("models.json")
_API_PREFIX = "openapi/v2/"


class Catalog:
    """Look-ups over the rows of one catalogue file (implements ``rhflow.core.kinds.Models``).

    ``ignored`` names the places in the file that only a newer rhflow knows.
    """

    def __init__(self, data: Mapping[str, Any], content: bytes, ignored: Sequence[str] = ()) -> None:
        self._content = content
        self.ignored = ignored
        self._rows: dict[str, Row] = {row["id"]: row for row in data["models"]}
        self._defaults: Mapping[str, str] = data["defaults"]
        self._built: dict[str, Model] = {}
        self.as_of: str = data["as_of"]

    @classmethod
    def load(cls, path: Path | None = None, *, checked: bool = False) -> Catalog:
        """Return the catalogue in the file at ``path``, or the shipped one; ``checked``: it has been loaded before.

        The shipped one is read once and shared. Raises UsageError when the file cannot be read, is not JSON, or is not
        a catalogue of this version.
        """
        if path is None:
            return _shipped()
        content, data = _read(path)
        if checked and data.get("format") == FORMAT:
            return cls(data, content)
        from rhflow.catalog.validate import validate  # imported late: the shipped file needs no jsonschema

        return cls(data, content, validate(data, str(path)))

    @property
    def document(self) -> dict[str, Any]:
        """What a file holds that loads as this catalogue, without what is ignored."""
        rows = list(self._rows.values())
        return {"format": FORMAT, "as_of": self.as_of, "defaults": dict(self._defaults), "models": rows}

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the file's bytes, in lower-case hex."""
        return hashlib.sha256(self._content).hexdigest()

    def find(self, reference: str) -> Model | None:
        """Return the model with this id, display name or endpoint path (present or former), or None.

        Case does not matter, nor does a slash or ``/openapi/v2/`` (with or without a host) before an endpoint. No
        text stands for two models: neither the build nor the loader accepts such a file.
        """
        key = reference.strip().casefold()
        model_id = self._index.get(key) or self._index.get(key.rpartition(_API_PREFIX)[2].strip("/"))
        return None if model_id is None else self._model(model_id)

    def default_for(self, task: str) -> Model | None:
        """Return the model used for ``task`` when a step names none.

        It is the cheapest active one that takes the task's usual inputs by their uniform names;
        ``tools/catalog/defaults.py`` holds the whole rule.
        """
        model_id = self._defaults.get(task)
        return None if model_id is None else self._model(model_id)

    def names(self, tasks: Sequence[str] = ()) -> Sequence[str]:
        """Return the ids, sorted, of the models that serve one of ``tasks`` (of all models when empty).

        Withdrawn models and those that cannot be called are among them.
        """
        if not tasks:
            return tuple(self._rows)
        wanted = frozenset(tasks)
        return tuple(model_id for model_id, row in self._rows.items() if not wanted.isdisjoint(row["tasks"]))

    def all(self) -> Sequence[Model]:
        """Return every model, by id."""
        return tuple(self._model(model_id) for model_id in self._rows)

    def row(self, model_id: str) -> Row:
        """Return the catalogue's row: also what a ``Model`` leaves out (``names``, ``features``, ``confidence`` …).

        Raises KeyError for an id that is not there.
        """
        return self._rows[model_id]

    @cached_property
    def _index(self) -> Mapping[str, str]:
        return {text.casefold(): row["id"] for row in self._rows.values() for text in references(row)}

    def _model(self, model_id: str) -> Model:
        if model_id not in self._built:
            self._built[model_id] = model_from(self._rows[model_id], self.as_of)
        return self._built[model_id]


def references(row: Row) -> Iterator[str]:
    """Yield every text that stands for the model of ``row``."""
    yield row["id"]
    yield from display_names(row)
    yield row["endpoint"]
    yield from row.get("former_endpoints", ())


@cache
def _shipped() -> Catalog:
    content, data = _read(None)
    return Catalog(data, content)


def _read(path: Path | None) -> tuple[bytes, Any]:
    """Return the bytes of a file, or of the shipped one, and the JSON in them. Raises UsageError."""
    source = SHIPPED if path is None else path
    try:
        content = source.read_bytes()
        return content, json.loads(content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _unusable(source, path, "catalog-unreadable", f"cannot be read: {reason}") from error
    except ValueError as error:
        raise _unusable(source, path, "catalog-not-json", f"is not JSON: {error}") from error


def _unusable(source: Path, path: Path | None, code: str, reason: str) -> UsageError:
    own = "name a JSON file laid out as `schemas/catalog.schema.json` says, or use the shipped catalogue"
    hint = "install rhflow again" if path is None else own
    return UsageError(Problem(code, f"the catalogue `{source}` {reason}", hint=hint))
