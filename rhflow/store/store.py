"""A store: everything a machine keeps of its runs, under one folder.

index.sqlite   entries, journal, memos, links      blobs/        files by content
locks          one byte per key in flight          tmp/          files on their way in
                                                   quarantine/   files that were found damaged
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rhflow.store.assets import Additions
from rhflow.store.blobs import Blobs
from rhflow.store.callbacks import Callbacks
from rhflow.store.database import NAME, PATIENCE, Database
from rhflow.store.deliver import Deliveries
from rhflow.store.digest import DigestMemo
from rhflow.store.durations import Typical
from rhflow.store.failures import translated
from rhflow.store.files import sync_folder
from rhflow.store.index import Index
from rhflow.store.journal import Journal
from rhflow.store.leases import Ledger
from rhflow.store.links import Links
from rhflow.store.locks import KeyLocks
from rhflow.store.memo import Memos
from rhflow.store.stops import Stops

_README: Final = """\
This folder is the store of rhflow.

  index.sqlite  what finished calls gave, by the key of the call, and the journal of all runs; what SQLite keeps
                beside it (-wal, -shm) belongs to it
  blobs/        the files themselves, named by their SHA-256, read-only
  locks         keeps two runs from paying for the same call at the same time
  tmp/          files on their way in
  quarantine/   files that were found damaged, if any were: what is left of them, for you to judge and to remove

`rhflow cache` lists what is here, checks it, removes what nothing needs, and moves results to another machine.
Results here were paid for: deleting the folder means paying for them again. While a run is going on, the journal also
knows which tasks the service still owes you. It is safe to copy or back up while no run is going on. Files that were
delivered may be hard links into blobs/: edit a copy.
"""
# The tag asks backup programs to leave a folder out, which only `tmp` deserves: the rest was paid for.
_CACHE_TAG: Final = "Signature: 8a477f597d28d172789f06886806bc55\n# Unfinished downloads of rhflow.\n"


class Store:
    """The parts of one store; close it, or use it as a context manager, so that everything queued is written."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self.database = database
        self.blobs = Blobs(root)
        self.index = Index(database, self.blobs)
        self.digests = DigestMemo(database)
        self.journal = Journal(database)
        self.links = Links(database)
        self.memos = Memos(database)
        self.deliveries = Deliveries(database)
        self.typical = Typical(database)
        self.locks = KeyLocks(root / "locks")
        self.stops = Stops(database)
        self.callbacks = Callbacks(database)
        self.additions = Additions(database)

    @classmethod
    def open(cls, root: Path, *, patience: float = PATIENCE) -> Self:
        """Open the store at ``root``, made where there is none; ``patience`` is in seconds. Raises StoreError."""
        root = root.absolute()
        with translated(root):
            if not (root / NAME).exists():
                _lay_out(root)
        return cls(root, Database.open(root, patience=patience))

    def ledger(self, account: str, run: str) -> Ledger:
        """Return the leases of a run on an account, which is named by a digest."""
        return Ledger(self.database, self.locks, account=account, run=run)

    def close(self) -> None:
        """Write what is queued and let go of all files; raises the first failure that nobody has looked at."""
        try:
            self.database.close()
        finally:
            self.locks.close()  # last: whoever gets a key next must find what was written under it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.database.__exit__(kind, error, trace)
        finally:
            self.locks.close()


def _lay_out(root: Path) -> None:
    """Make the folders; closed to others, for a store holds prompts and links that open files."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("blobs", "tmp"):
        (root / name).mkdir(exist_ok=True)
    texts = {"README": _README, ".gitignore": "*\n", "tmp/CACHEDIR.TAG": _CACHE_TAG}
    for name, text in texts.items():
        if not (root / name).exists():
            (root / name).write_text(text, encoding="utf-8")
    sync_folder(root.parent)  # SQLite sees to its own files, nobody else to the name of the store
