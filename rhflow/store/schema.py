"""The tables of the index, as a list of migrations: entry ``n`` takes a database from version ``n`` to ``n + 1``.

Migrations are only ever appended. JSON is kept as text with ASCII escapes, so that any Python string (also a file name
that is not Unicode) survives the round trip.
"""

from __future__ import annotations

from typing import Final

_FIRST = (
    # What finished calls gave. A rowid table: rows of a kilobyte make a clustered index slow.
    "CREATE TABLE entries (key TEXT NOT NULL UNIQUE, document TEXT NOT NULL)",
    # The key each node had when it last finished, to say what changed since.
    """CREATE TABLE last_calls (
        pipeline TEXT NOT NULL, realm TEXT NOT NULL, node TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (pipeline, realm, node)) WITHOUT ROWID""",
    # Whole-run memos; the node table lies apart because most readers never want it.
    "CREATE TABLE memos (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, document TEXT NOT NULL)",
    "CREATE TABLE memo_nodes (memo INTEGER PRIMARY KEY REFERENCES memos (id), nodes TEXT NOT NULL)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO counters VALUES ('generation', 0)",
    # Digests of local files. The path is the operating system's bytes.
    """CREATE TABLE digests (
        path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode TEXT,
        digest TEXT NOT NULL, info TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE links (
        digest TEXT, site TEXT, url TEXT NOT NULL, obtained_at REAL NOT NULL,
        PRIMARY KEY (digest, site)) WITHOUT ROWID""",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY, pipeline TEXT, recipe TEXT, realm TEXT, started REAL, ended REAL,
        status TEXT NOT NULL, summary TEXT NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE events (
        run TEXT, seq INTEGER, at REAL NOT NULL, type TEXT NOT NULL, node TEXT, data TEXT NOT NULL,
        PRIMARY KEY (run, seq)) WITHOUT ROWID""",
    """CREATE TABLE submissions (
        key TEXT PRIMARY KEY, run TEXT NOT NULL, node TEXT, endpoint TEXT,
        state TEXT NOT NULL CHECK (state IN ('intent', 'accepted', 'settled')),
        task_id TEXT, at REAL NOT NULL, outcome TEXT) WITHOUT ROWID""",
    "CREATE INDEX open_submissions ON submissions (key) WHERE state != 'settled'",
    "CREATE TABLE deliveries (signature TEXT PRIMARY KEY, run TEXT NOT NULL, folder TEXT NOT NULL) WITHOUT ROWID",
)

_OPEN_CALLS = (
    # What it takes to keep the result of an open call without its recipe, and where its task runs.
    "ALTER TABLE submissions ADD COLUMN site TEXT",
    "ALTER TABLE submissions ADD COLUMN call TEXT",
    # What another process asks of a run: see stops.py.
    "CREATE TABLE stops (run TEXT PRIMARY KEY, level INTEGER NOT NULL) WITHOUT ROWID",
)

_LIMITS = (
    # Who holds which place of an account, who waits for one, and what went wrong lately: see leases.py.
    """CREATE TABLE leases (
        id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, holder TEXT NOT NULL, run TEXT NOT NULL,
        key TEXT, task TEXT)""",
    "CREATE INDEX leases_by_holder ON leases (account, holder)",
    """CREATE TABLE lease_queue (
        account TEXT, holder TEXT, since REAL NOT NULL, PRIMARY KEY (account, holder)) WITHOUT ROWID""",
    """CREATE TABLE accounts (
        account TEXT PRIMARY KEY, room REAL NOT NULL, lowered_until REAL NOT NULL, pause_until REAL NOT NULL,
        slow_until REAL NOT NULL) WITHOUT ROWID""",
    # What a kind of task usually takes, in seconds of the service.
    """CREATE TABLE durations (
        realm TEXT, label TEXT, seconds REAL NOT NULL, seen INTEGER NOT NULL,
        PRIMARY KEY (realm, label)) WITHOUT ROWID""",
)

_CALLBACKS = (
    # What the service called back, by the call that it is about: see callbacks.py.
    """CREATE TABLE callbacks (
        call TEXT, task TEXT, at REAL NOT NULL, document TEXT NOT NULL, PRIMARY KEY (call, task)) WITHOUT ROWID""",
)

_ASSETS = (
    # What was added to the library of an account: see assets.py.
    """CREATE TABLE assets (
        account TEXT, content TEXT, name TEXT NOT NULL, asset TEXT, at REAL NOT NULL,
        PRIMARY KEY (account, content)) WITHOUT ROWID""",
)

_BILLS = (
    # What calls without a list price were billed last: see bills.py.
    """CREATE TABLE bills (
        realm TEXT, label TEXT, last TEXT NOT NULL, PRIMARY KEY (realm, label)) WITHOUT ROWID""",
)

MIGRATIONS: Final = (_FIRST, _OPEN_CALLS, _LIMITS, _CALLBACKS, _ASSETS, _BILLS)
VERSION: Final = len(MIGRATIONS)
