"""What a project says in its ``rhflow.toml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhflow.core.errors import UsageError
from rhflow.settings import read_pools, read_settings


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    inner = tmp_path / "films" / "ad"
    inner.mkdir(parents=True)
    assert read_pools(inner) == {}
    (tmp_path / "rhflow.toml").write_text("[pools]\ngpu = 3\n")
    assert read_pools(inner) == {"gpu": 3}
    (tmp_path / "films" / "rhflow.toml").write_text("")
    assert read_pools(inner) == {}


def test_a_comfyui_server_is_named_by_the_project_unless_the_environment_does(tmp_path: Path) -> None:
    (tmp_path / "rhflow.toml").write_text('[comfyui]\nserver = "http://127.0.0.1:8188/"\n')
    for env, found in (
        ({}, "http://127.0.0.1:8188"),
        ({"RHFLOW_COMFYUI_SERVER": "http://localhost:9"}, "http://localhost:9"),
        ({"RHFLOW_COMFYUI_SERVER": ""}, None),
    ):
        assert read_settings(env, folder=tmp_path).comfyui == found
    (tmp_path / "rhflow.toml").write_text('[comfyui]\nserver = "https://www.runninghub.cn/proxy/k3y"\n')
    with pytest.raises(UsageError, match="whose gateway is paid for") as caught:
        read_settings({}, folder=tmp_path)
    assert "k3y" not in str(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[pools]\ngpu = 0", "gives the pool `gpu` the size `0`"),
        ("[pools]\ngpu = true", "gives the pool `gpu` the size `True`"),
        ("pools = 3", "is no table"),
        ("[pool]\ngpu = 3", "has `pool`, which is no setting"),
        ("comfyui = 3", "`comfyui` in"),
        ("[comfyui]\nserver = 3", "has an address that is no text"),
        ("[comfyui]\nsever = 'x'", "has `sever`, which is no setting, under `[comfyui]`"),
        ("[pools", "cannot be read: "),
    ],
)
def test_what_is_wrong_with_it_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "rhflow.toml").write_text(text)
    with pytest.raises(UsageError, match=r"rhflow\.toml") as caught:
        read_pools(tmp_path)
    assert says in str(caught.value)


def test_what_a_simulator_makes_can_be_kept_small() -> None:
    assert [read_settings({"RHFLOW_SIMULATED_SIDE": text}).side for text in ("", " 64 ")] == [None, 64]


@pytest.mark.parametrize("text", ["small", "31", "-64", "²56"])
def test_a_side_that_is_none_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=f"RHFLOW_SIMULATED_SIDE is `{text}`"):
        read_settings({"RHFLOW_SIMULATED_SIDE": text})
