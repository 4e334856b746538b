"""Reference assets: files that an account has registered under an id, to be named as ``asset://<id>``."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from rhflow.core.values import Json
from rhflow.simulator.accounts import Account

_CHECKED_AFTER = 5.0
"""Simulated seconds until an asset is ready."""


@dataclass(slots=True)
class Group:
    """A folder of assets."""

    id: str
    name: str

    def told(self) -> dict[str, Json]:
        """Return it as the service shows it."""
        return {"groupId": self.id, "name": self.name}


@dataclass(slots=True)
class Asset:
    """A file under an id: ``url`` leads to it, ``added`` is the simulated time at which it came."""

    id: str
    group: str
    url: str
    kind: str
    name: str
    added: float

    def status(self, now: float) -> str:
        """Return whether it may be used."""
        return "ACTIVE" if now >= self.added + _CHECKED_AFTER else "PROCESSING"

    def told(self, now: float) -> dict[str, Json]:
        """Return it as the service shows it."""
        status = self.status(now)
        return {
            "assetId": self.id,
            "groupId": self.group,
            "status": status,
            "previewUrl": self.url if status == "ACTIVE" else None,
            "assetType": self.kind,
            "name": self.name,
        }


class Assets:
    """The assets and groups of all accounts; every account sees its own."""

    def __init__(self) -> None:
        self._assets: dict[str, tuple[Account, Asset]] = {}
        self._groups: dict[str, tuple[Account, Group]] = {}
        self._numbers = itertools.count(1)

    def add(self, account: Account, asset: Asset) -> Asset:
        """Keep an asset under an id of its own."""
        asset.id = f"asset-{next(self._numbers):08}"
        self._assets[asset.id] = account, asset
        return asset

    def add_group(self, account: Account, name: str) -> Group:
        """Make a group."""
        group = Group(f"group-{next(self._numbers):08}", name)
        self._groups[group.id] = account, group
        return group

    def find(self, account: Account, asset_id: str) -> Asset | None:
        """Return the account's asset with this id."""
        owner, asset = self._assets.get(asset_id, (None, None))
        return asset if owner is account else None

    def ready(self, asset_id: str, now: float) -> Asset | None:
        """Return the asset with this id when it may be used."""
        _, asset = self._assets.get(asset_id, (None, None))
        return asset if asset is not None and asset.status(now) == "ACTIVE" else None

    def group(self, account: Account, group_id: str) -> Group | None:
        """Return the account's group with this id."""
        owner, group = self._groups.get(group_id, (None, None))
        return group if owner is account else None

    def of(self, account: Account) -> Sequence[Asset]:
        """Return the assets of an account."""
        return [asset for owner, asset in self._assets.values() if owner is account]

    def groups_of(self, account: Account) -> Sequence[Group]:
        """Return the groups of an account."""
        return [group for owner, group in self._groups.values() if owner is account]

    def remove(self, account: Account, asset_id: str) -> None:
        """Forget an asset."""
        if self.find(account, asset_id) is not None:
            del self._assets[asset_id]

    def remove_group(self, account: Account, group_id: str) -> None:
        """Forget a group and what is in it."""
        for asset in self.of(account):
            if asset.group == group_id:
                self.remove(account, asset.id)
        self._groups.pop(group_id, None)
