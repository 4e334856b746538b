"""What the environment says: the only reader of environment variables."""

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
    """Where the store lies, which site is asked, and the key, which no repr shows."""

    store: Path
    base_url: str
    key: str | None = field(default=None, repr=False)

    @property
    def loopback(self) -> bool:
        """Whether the service is a simulator on this machine."""
        return self.base_url.startswith(_LOOPBACK)


def read_settings(environment: Mapping[str, str] | None = None, *, store: Path | None = None) -> Settings:
    """Return the settings of an environment (this process's own by default); ``store`` goes before RHFLOW_STORE.

    Reads RUNNINGHUB_API_KEY or RH_API_KEY, RUNNINGHUB_BASE_URL, or RUNNINGHUB_SITE (``cn``, the default, or ``ai``).
    """
    env = os.environ if environment is None else environment
    key = env.get("RUNNINGHUB_API_KEY", "").strip() or env.get("RH_API_KEY", "").strip() or None
    return Settings(store or _store(env), _base_url(env), key)


SECRETS = frozenset({"RUNNINGHUB_API_KEY", "RH_API_KEY"})


def read_variables(names: Iterable[str], environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment variables that a recipe lists; one that is not set is empty, the key is never given."""
    env = os.environ if environment is None else environment
    for name in names:
        if name in SECRETS:
            hint = "rhflow uses the key by itself; a recipe cannot read it"
            raise UsageError(Problem("secret-env", f"`env` may not list `{name}`", hint=hint))
    return {name: env.get(name, "") for name in names}


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
