"""What the environment and the project say: the only reader of environment variables and of ``rhflow.toml``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rhflow.core.errors import Problem, UsageError, did_you_mean

SITES: Mapping[str, str] = {"cn": "https://www.runninghub.cn", "ai": "https://www.runninghub.ai"}
_LOOPBACK = ("http://127.0.0.1", "http://localhost", "http://[::1]")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the store lies, which site is asked, the key, which no repr shows, and a catalogue where one is named.

    ``webhook`` is where the service shall tell of the end of every task; it may hold a secret too. ``comfyui`` is the
    address of a ComfyUI server of one's own, which runs workflows in live runs.
    """

    store: Path
    base_url: str
    key: str | None = field(default=None, repr=False)
    catalog: Path | None = None
    webhook: str | None = field(default=None, repr=False)
    comfyui: str | None = None

    @property
    def loopback(self) -> bool:
        """Whether the service is a simulator on this machine."""
        return self.base_url.startswith(_LOOPBACK)


def read_settings(
    environment: Mapping[str, str] | None = None,
    *,
    store: Path | None = None,
    catalog: Path | None = None,
    webhook: str | None = None,
) -> Settings:
    """Return the settings of an environment (this process's own by default).

    ``store`` goes before RHFLOW_STORE, ``catalog`` before RHFLOW_CATALOG and ``webhook`` before RHFLOW_WEBHOOK.
    Reads RUNNINGHUB_API_KEY or RH_API_KEY, RUNNINGHUB_BASE_URL, or RUNNINGHUB_SITE (``cn``, the default, or ``ai``).
    """
    env = os.environ if environment is None else environment
    key = env.get("RUNNINGHUB_API_KEY", "").strip() or env.get("RH_API_KEY", "").strip() or None
    named = env.get("RHFLOW_CATALOG", "").strip()
    models = catalog or (Path(named).expanduser() if named else None)
    told_at = _webhook(webhook or env.get("RHFLOW_WEBHOOK", "").strip())
    return Settings(store or _store(env), _base_url(env), key, models, told_at, _comfyui(env))


def _comfyui(env: Mapping[str, str]) -> str | None:
    address = env.get("RHFLOW_COMFYUI_SERVER", "").strip().rstrip("/")
    hint = "write it as `http://127.0.0.1:8188`"
    if address and not address.startswith(("http://", "https://")):
        raise UsageError(Problem("bad-server", f"`{address}` is not the address of a server", hint=hint))
    if "runninghub." in address:
        hint = "leave RHFLOW_COMFYUI_SERVER empty: workflows run on the site by their ids"
        message = "RHFLOW_COMFYUI_SERVER names RunningHub, whose gateway is paid for and wants the key in the link"
        raise UsageError(Problem("bad-server", message, hint=hint))
    return address or None


def _webhook(address: str) -> str | None:
    if address and not address.startswith(("http://", "https://")):
        hint = "write it as `https://my.host/hook`; `rhflow webhook listen` is what may stand behind it"
        raise UsageError(Problem("bad-webhook", f"`{address}` is not an address that the service can call", hint=hint))
    return address or None


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


def read_pools(start: Path) -> dict[str, int]:
    """Return the sizes of pools by the ``rhflow.toml`` of a folder, or of the nearest one above. Raises UsageError."""
    start = start.absolute()
    path = next((found for each in (start, *start.parents) if (found := each / PROJECT).is_file()), None)
    if path is None:
        return {}
    import tomllib  # imported late: most projects have no such file

    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError) as error:  # a text that is not TOML or not UTF-8 is a ValueError
        raise UsageError(Problem("bad-settings", f"`{path}` cannot be read: {error}")) from None
    for name in data.keys() - {"pools"}:
        hint = did_you_mean(name, ["pools"], limit=1)
        raise UsageError(Problem("bad-settings", f"`{path}` has `{name}`, which is no setting", hint=hint))
    pools = data.get("pools", {})
    if not isinstance(pools, dict):
        raise UsageError(Problem("bad-settings", f"`pools` in `{path}` is no table", hint="write `[pools]` above it"))
    for name, size in pools.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            message = f"`{path}` gives the pool `{name}` the size `{size}`"
            raise UsageError(Problem("bad-settings", message, hint="write a whole number from 1, as in `gpu = 2`"))
    return dict(pools)


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
