"""Files on their way to the service: only what is whole goes out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rhflow.core.errors import StepError
from rhflow.core.values import Artifact
from rhflow.steps.vault import Vault
from rhflow.store.store import Store
from tests.unit.store_support import picture


class Hub:
    """Takes uploads and keeps what came."""

    def __init__(self) -> None:
        self.came: list[bytes] = []

    async def upload(self, path: Path, name: str, media_type: str) -> Any:
        self.came.append(path.read_bytes())
        return SimpleNamespace(url=f"https://service/{len(self.came)}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as opened:
        yield opened


def vault(hub: Hub, store: Store) -> Vault:
    return Vault(hub, store.blobs, store.links, site="cn")  # type: ignore[arg-type]


def damage(store: Store, digest: str, content: bytes) -> None:
    path = store.blobs.path(digest)
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("content", [b"pixel", b"p1xels", None], ids=("cut", "changed", "gone"))
async def test_a_damaged_result_of_an_earlier_step_is_not_uploaded(store: Store, content: bytes | None) -> None:
    file, hub = picture(store), Hub()
    made = file.at(str(store.blobs.path(file.digest)))
    store.blobs.path(file.digest).unlink() if content is None else damage(store, file.digest, content)
    with pytest.raises(StepError, match="damaged or missing in the store") as caught:
        await vault(hub, store).link(made)
    assert caught.value.problems[0].hint and hub.came == []
    assert [path.read_bytes() for path in store.blobs.quarantined()] == ([] if content is None else [content])


async def test_a_local_file_replaces_a_damaged_copy_of_it(store: Store, tmp_path: Path) -> None:
    local, hub = tmp_path / "photo.png", Hub()
    local.write_bytes(b"pixels")
    digest = store.blobs.ingest(local)
    damage(store, digest, b"p1xels")
    link = await vault(hub, store).link(Artifact(digest, "image/png", 6, "photo.png", path=str(local)))
    assert link == "https://service/1" and hub.came == [b"pixels"]
    assert store.blobs.verify(digest) and len(store.blobs.quarantined()) == 1


async def test_a_fresh_link_needs_no_file(store: Store) -> None:
    file, hub = picture(store), Hub()
    store.links.remember(file.digest, "cn", "https://there", obtained_at=4e9).result()
    damage(store, file.digest, b"")
    assert await vault(hub, store).link(file) == "https://there" and hub.came == []
