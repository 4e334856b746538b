"""What the cache holds: finished calls by key, read in bulk, and the last key of every node.

An entry counts only while all its files are there, so a plan never promises what a missing blob cannot keep. Whoever
records a call keeps this order: blob, index row, ``finished`` event. ``put`` refuses an entry whose blobs are missing.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rhflow.core.errors import Problem, StoreError
from rhflow.core.values import Entry, Outputs
from rhflow.store.blobs import Blobs
from rhflow.store.database import CHUNK, Database
from rhflow.store.memo import outdate

if TYPE_CHECKING:
    from concurrent.futures import Future


class Index:
    """The entries of one store; artifacts come out with ``path`` set to their blob."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self._lost: dict[str, str] = {}

    def entries(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Return the entries under ``keys``; a key without one, or whose files are gone or cut, is left out."""
        found: dict[str, Entry] = {}
        for rows in self._database.rows_in("SELECT key, document FROM entries WHERE key IN ({})", keys):
            found.update(self._parse(rows))
        return found

    def lost(self, keys: Iterable[str]) -> dict[str, str]:
        """Return for each key that ``entries`` has left out because of a file what is wrong with it."""
        return {key: self._lost[key] for key in keys if key in self._lost}

    def all_entries(self) -> Iterator[Entry]:
        """Yield every entry, oldest first, also those whose files are gone."""
        last = 0
        sql = f"SELECT rowid, key, document FROM entries WHERE rowid > ? ORDER BY rowid LIMIT {CHUNK}"
        while rows := self._database.rows(sql, (last,)):
            last = rows[-1][0]
            for _, key, document in rows:
                yield Entry.from_json(key, json.loads(document))

    def digests(self) -> set[str]:
        """Return the digests of all files that an entry names: what a clean-up must keep."""
        sql = """SELECT DISTINCT json_extract(file.value, '$.digest')
                 FROM entries, json_each(entries.document, '$.outputs.files') AS file"""
        return {digest for (digest,) in self._database.rows(sql)}

    def put(self, entry: Entry) -> Future[None]:
        """Keep an entry; raises StoreError at once when one of its blobs is not in the store.

        An entry that changes what its key gives takes every whole-run memo down with it.
        """
        self._require(entry)
        document = json.dumps(entry.to_json(), separators=(",", ":"))

        def write(connection: sqlite3.Connection) -> None:
            self._require(entry)  # once more: blobs are only removed inside transactions such as this one
            row = connection.execute("SELECT document FROM entries WHERE key = ?", (entry.key,)).fetchone()
            if row is not None and Outputs.from_json(json.loads(row[0])["outputs"]) != entry.outputs:
                outdate(connection)
            connection.execute("INSERT OR REPLACE INTO entries (key, document) VALUES (?, ?)", (entry.key, document))

        return self._database.submit(write)

    def _require(self, entry: Entry) -> None:
        for artifact in entry.outputs.files:
            if not self._blobs.has(artifact.digest):
                message = f"`{artifact.name}` ({artifact.digest[:12]}) is not in the store, so no entry may name it"
                raise StoreError(Problem("store-missing-blob", message, hint="run again"))

    def remove(self, keys: Iterable[str]) -> Future[int]:
        """Forget entries and give how many there were; whole-run memos fall with them. Blobs stay."""
        wanted = [(key,) for key in keys]

        def write(connection: sqlite3.Connection) -> int:
            removed = connection.executemany("DELETE FROM entries WHERE key = ?", wanted).rowcount
            if removed > 0:
                outdate(connection)
            return max(removed, 0)

        return self._database.submit(write)

    def remember(self, pipeline: str, realm: str, keys: Mapping[str, str]) -> Future[None]:
        """Note the key with which each node last finished: ``{node: key}``."""
        rows = [(pipeline, realm, node, key) for node, key in keys.items()]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO last_calls VALUES (?, ?, ?, ?)", rows)

        return self._database.submit(write)

    def previous(self, pipeline: str, realm: str, nodes: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the ingredients of each node's last finished call in that pipeline, while its entry stands."""
        sql = """SELECT last_calls.node, entries.document FROM last_calls JOIN entries USING (key)
                 WHERE pipeline = ? AND realm = ? AND node IN ({})"""
        chunks = self._database.rows_in(sql, nodes, first=(pipeline, realm))
        return {node: json.loads(document)["ingredients"] for rows in chunks for node, document in rows}

    def _parse(self, rows: list[tuple[Any, ...]]) -> Iterator[tuple[str, Entry]]:
        # One call of the parser for the whole chunk: with small documents, the calls are what costs.
        documents = json.loads(f"[{','.join(document for _, document in rows)}]")
        for (key, _), data in zip(rows, documents, strict=True):
            trouble = self._locate(data["outputs"]["files"])
            if trouble is None:
                self._lost.pop(key, None)
                yield key, Entry.from_json(key, data)
            else:
                self._lost[key] = trouble

    def _locate(self, files: list[dict[str, Any]]) -> str | None:
        """Set the path of each file and say what is wrong with the first that is not there as it was."""
        for file in files:
            file["path"] = path = self._blobs.place(file["digest"])
            try:
                size = os.stat(path).st_size  # noqa: PTH116 (a Path per file would double the cost of a hit)
            except OSError:
                size = None
            if size != file["size"]:
                return self._trouble(file, size)
        return None

    def _trouble(self, file: dict[str, Any], size: int | None) -> str:
        if size is not None:
            return f"the stored result is damaged: `{file['name']}` has {size:,} of {file['size']:,} bytes"
        if self._blobs.quarantined(file["digest"]):
            return f"the stored result is damaged: `{file['name']}` was moved aside"
        return f"the stored result is incomplete: `{file['name']}` is missing"
