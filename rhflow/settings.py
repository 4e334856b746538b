"""What the environment and the project say: the only reader of environment variables and of ``rhflow.toml``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rhflow.core.errors import Problem, UsageError, did_you_mean
from rhflow.core.values import money_of

SITES: Mapping[str, str] = {"cn": "https://www.runninghub.cn", "ai": "https://www.runninghub.ai"}
_SMALLEST_SIDE = 32
_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the store lies, which site is asked, the key, which no repr shows, and a catalogue where one is named.

    ``webhook`` is where the service shall tell of the end of every task; it may hold a secret too. ``comfyui`` is the
    address of a ComfyUI server of one's own, which runs workflows in place of the service.
    ``side`` is how many pixels what a simulator makes may have on its longer side.
    """

    store: Path
    base_url: str
    key: str | None = field(default=None, repr=False)
    catalog: Path | None = None
    webhook: str | None = field(default=None, repr=False)
    comfyui: str | None = None
    side: int | None = None

    @property
    def loopback(self) -> bool:
        """Whether the service is a simulator on this machine."""
        return self.base_url.startswith(_LOOPBACK)

    @property
    def money(self) -> str:
        """What accounts of the site pay in: USD on the international one, else CNY."""
        return money_of(self.base_url)


def read_settings(
    environment: Mapping[str, str] | None = None,
    *,
    store: Path | None = None,
    catalog: Path | None = None,
    webhook: str | None = None,
    folder: Path | None = None,
) -> Settings:
    """Return the settings of an environment (this process's own by default) and of the project of a folder.

    ``store`` goes before RHFLOW_STORE, ``catalog`` before RHFLOW_CATALOG and ``webhook`` before RHFLOW_WEBHOOK.
    Reads RUNNINGHUB_API_KEY or RH_API_KEY, RUNNINGHUB_BASE_URL, or RUNNINGHUB_SITE (``cn``, the default, or ``ai``).
    RHFLOW_COMFYUI_SERVER goes before what ``rhflow.toml`` says; the folder is the one where rhflow runs by default.
    """
    env = os.environ if environment is None else environment
    key = env.get("RUNNINGHUB_API_KEY", "").strip() or env.get("RH_API_KEY", "").strip() or None
    named = env.get("RHFLOW_CATALOG", "").strip()
    models = catalog or (Path(named).expanduser() if named else None)
    told_at = _webhook(webhook or env.get("RHFLOW_WEBHOOK", "").strip())
    own = _comfyui(env, folder or Path.cwd())
    return Settings(store or _store(env), _base_url(env), key, models, told_at, own, _side(env))


def read_colour(environment: Mapping[str, str] | None = None) -> bool | None:
    """Return whether the user wants colour: never (NO_COLOR), always (FORCE_COLOR), or None, on terminals alone."""
    env = os.environ if environment is None else environment
    if env.get("NO_COLOR"):
        return False
    return True if env.get("FORCE_COLOR") else None


def _comfyui(env: Mapping[str, str], folder: Path) -> str | None:
    """Return the address of a ComfyUI server of one's own; an empty variable means that there is none."""
    found = env.get("RHFLOW_COMFYUI_SERVER")
    address = (_read_project(folder).server if found is None else found).strip().rstrip("/")
    if "runninghub." in address:
        hint = "leave it out: RunningHub's gateway needs no address, a `comfyui` step with a `graph` alone runs there"
        message = (
            "the ComfyUI server of one's own is RunningHub, whose gateway is paid for and wants the key in the link"
        )
        raise UsageError(Problem("bad-server", message, hint=hint))
    if address and not address.startswith(("http://", "https://")):
        hint = "write it as `http://127.0.0.1:8188`"
        raise UsageError(Problem("bad-server", f"`{address}` is not the address of a server", hint=hint))
    return address or None


def _webhook(address: str) -> str | None:
    if address and not address.startswith(("http://", "https://")):
        hint = "write it as `https://my.host/hook`; `rhflow webhook listen` is what may stand behind it"
        message = "the webhook is not an address that the service can call"  # as it is, it may hold a secret
        raise UsageError(Problem("bad-webhook", message, hint=hint))
    return address or None


def _side(env: Mapping[str, str]) -> int | None:
    text = env.get("RHFLOW_SIMULATED_SIDE", "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) >= _SMALLEST_SIDE):
        message = f"RHFLOW_SIMULATED_SIDE is `{text}`, which is not a number of pixels from {_SMALLEST_SIDE}"
        raise UsageError(Problem("bad-side", message, hint="write it as `256`, or leave it empty for full size"))
    return int(text) if text else None


SECRETS = frozenset({"RUNNINGHUB_API_KEY", "RH_API_KEY"})


def read_variables(names: Iterable[str], environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment variables that a recipe lists; one that is not set is empty, the key is never given."""
    env = os.environ if environment is None else environment
    for name in names:
        if name in SECRETS:
            hint = "rhflow uses the key by itself; a recipe cannot read it"
            raise UsageError(Problem("secret-env", f"`env` may not list `{name}`", hint=hint))
    return {name: env.get(name, "") for name in names}


PROJECT = "rhflow.toml"


@dataclass(frozen=True, slots=True)
class Project:
    """What an ``rhflow.toml`` says: sizes of pools by name, and the address of a ComfyUI server ("" where none)."""

    pools: Mapping[str, int] = field(default_factory=dict)
    server: str = ""


def read_pools(start: Path) -> dict[str, int]:
    """Return the sizes of pools by the ``rhflow.toml`` of a folder, or of the nearest one above. Raises UsageError."""
    return dict(_read_project(start).pools)


def _read_project(start: Path) -> Project:
    """Return what the ``rhflow.toml`` of a folder, or of the nearest one above, says. Raises UsageError."""
    start = start.absolute()
    path = next((found for each in (start, *start.parents) if (found := each / PROJECT).is_file()), None)
    if path is None:
        return Project()
    import tomllib  # imported late: most projects have no such file

    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError) as error:  # a text that is not TOML or not UTF-8 is a ValueError
        raise _bad(f"`{path}` cannot be read: {error}") from None
    for name in data.keys() - {"pools", "comfyui"}:
        hint = did_you_mean(name, ["pools", "comfyui"], limit=2)
        raise _bad(f"`{path}` has `{name}`, which is no setting", hint)
    pools, comfyui = _table(data, "pools", path), _table(data, "comfyui", path)
    for name, size in pools.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            message = f"`{path}` gives the pool `{name}` the size `{size}`"
            raise _bad(message, "write a whole number from 1, as in `gpu = 2`")
    server = comfyui.pop("server", "")
    if comfyui or not isinstance(server, str):
        what = f"has `{next(iter(comfyui))}`, which is no setting," if comfyui else "has an address that is no text"
        raise _bad(f"`{path}` {what} under `[comfyui]`", 'write `server = "http://127.0.0.1:8188"`')
    return Project(pools, server)


def _table(data: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise _bad(f"`{name}` in `{path}` is no table", f"write `[{name}]` above it")
    return dict(found)


def _bad(message: str, hint: str | None = None) -> UsageError:
    return UsageError(Problem("bad-settings", message, hint=hint))


def _base_url(env: Mapping[str, str]) -> str:
    if address := env.get("RUNNINGHUB_BASE_URL", "").strip():
        return address.rstrip("/")
    site = env.get("RUNNINGHUB_SITE", "cn").strip() or "cn"
    if site not in SITES:
        message = f"RUNNINGHUB_SITE is `{site}`, which is not a site"
        raise UsageError(Problem("unknown-site", message, hint=did_you_mean(site, SITES)))
    return SITES[site]


def _store(env: Mapping[str, str]) -> Path:
    if folder := env.get("RHFLOW_STORE", "").strip():
        return Path(folder).expanduser()
    from platformdirs import user_data_path  # imported late: a folder given by name needs no search

    return user_data_path("rhflow", appauthor=False)
