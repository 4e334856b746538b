"""What a project says in its ``rhflow.toml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhflow.core.errors import UsageError
from rhflow.settings import read_pools


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    inner = tmp_path / "films" / "ad"
    inner.mkdir(parents=True)
    assert read_pools(inner) == {}
    (tmp_path / "rhflow.toml").write_text("[pools]\ngpu = 3\n")
    assert read_pools(inner) == {"gpu": 3}
    (tmp_path / "films" / "rhflow.toml").write_text("")
    assert read_pools(inner) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[pools]\ngpu = 0", "gives the pool `gpu` the size `0`"),
        ("[pools]\ngpu = true", "gives the pool `gpu` the size `True`"),
        ("pools = 3", "is no table"),
        ("[pool]\ngpu = 3", "has `pool`, which is no setting"),
        ("[pools", "cannot be read: "),
    ],
)
def test_what_is_wrong_with_it_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "rhflow.toml").write_text(text)
    with pytest.raises(UsageError, match=r"rhflow\.toml") as caught:
        read_pools(tmp_path)
    assert says in str(caught.value)
