"""What was added to a library: found by account and content, in doubt until a reply tells the asset."""

from __future__ import annotations

from pathlib import Path

from rhflow.store.assets import Addition
from rhflow.store.store import Store


def test_an_addition_is_in_doubt_until_its_asset_is_known(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        known = store.additions
        known.intend("me", "content", "hero", at=1.0).result()
        assert known.find("me", "content") == Addition("hero", None)
        assert known.find("other", "content") is known.find("me", "another") is None
        known.keep("me", "content", "a-1").result()
        assert known.find("me", "content") == Addition("hero", "a-1")
        known.forget("other", "a-1").result()
        assert known.find("me", "content") is not None
        known.forget("me", "a-1").result()
        assert known.find("me", "content") is None


def test_what_is_refused_leaves_what_was_known_before(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        known = store.additions
        for before in (None, Addition("hero", "a-1"), Addition("hero", None)):
            if before is not None:
                known.intend("me", "content", before.name, at=1.0)
                if before.asset is not None:
                    known.keep("me", "content", before.asset)
            known.intend("me", "content", "second", at=2.0)
            known.undo("me", "content", before).result()
            assert known.find("me", "content") == before
