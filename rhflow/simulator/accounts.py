"""Accounts by key: any key is good, and one that begins with ``sim-`` says what account it stands for.

``sim-member-broke`` is a member without coins, ``sim-exclusive-limit2`` a renter of two machines; the words are those
of ``WORDS``. So every refusal that concerns an account can be had by choosing a key, and a plain key can do everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from rhflow.simulator.prompts import Prompts

if TYPE_CHECKING:
    from rhflow.simulator.tasks import Task

Site = Literal["cn", "ai"]
KeyType = Literal["NORMAL", "SHARED", "EXCLUSIVE"]

WORDS: Mapping[str, str] = {
    "member": "a member's key: pays with coins, no hosted models (1014)",
    "wallet": "an enterprise-shared key that also pays the time of machines from its wallet",
    "exclusive": "an enterprise-exclusive key with rented 24 GB machines: no hosted models (1014)",
    "plus": "the rented machines have 48 GB",
    "free": "a free plan (801)",
    "unknown": "no such key (806, 1002, 401)",
    "disabled": "a key that is switched off (802)",
    "invalid": "an enterprise key that is not valid (811)",
    "expired": "the rent of the machines has ended (436)",
    "broke": "no money and no coins (812, 416)",
    "cn": "a key of the Chinese site only",
    "ai": "a key of the international site only",
}
_LIMIT = re.compile(r"limit(\d{1,4})")
_MAGIC = "sim-"
_COINS, _MONEY = Decimal(177_814), Decimal(10_000)
_BAD = {"unknown": "806", "disabled": "802", "invalid": "811", "free": "801"}


@dataclass(slots=True)
class Account:
    """What a key stands for: its kind, its balances, and the tasks that it began.

    ``bad`` is the code with which every request is refused, None for a good key. ``limit`` is its own limit of
    tasks at once, None for the simulator's. ``active`` are the tasks that hold a slot, as far as has been looked.
    ``prompts`` is what its ComfyUI knows.
    """

    key: str
    site: Site
    limit: int | None = None
    words: frozenset[str] = frozenset()
    bad: str | None = None
    coins: Decimal = _COINS
    money: Decimal = _MONEY
    active: dict[str, Task] = field(default_factory=dict)
    prompts: Prompts = field(default_factory=Prompts)

    @property
    def kind(self) -> KeyType:
        """The kind of the key."""
        return "NORMAL" if "member" in self.words else "EXCLUSIVE" if "exclusive" in self.words else "SHARED"

    @property
    def pays_time_in_money(self) -> bool:
        """Whether the time of machines is paid in money; else in coins, or with the rent."""
        return "wallet" in self.words

    @property
    def is_broke(self) -> bool:
        """Whether there is nothing left to pay with."""
        return (self.coins if self.kind == "NORMAL" else self.money) <= 0

    @property
    def currency(self) -> str:
        """The currency of the wallet."""
        return "CNY" if self.site == "cn" else "USD"

    def holding(self, now: float) -> dict[str, Task]:
        """Return the tasks that hold a slot at ``now``; those that have ended give theirs back and are paid."""
        for name in [name for name, task in self.active.items() if task.has_ended(now)]:
            del self.active[name]
        return self.active

    def charge(self, *, coins: Decimal | None, money: Decimal | None) -> None:
        """Take what a task cost."""
        self.coins -= coins or 0
        self.money -= money or 0


class Accounts:
    """The accounts of both sites, each made when its key is first seen."""

    def __init__(self) -> None:
        self._known: dict[tuple[Site, str], Account] = {}

    def of(self, key: str, site: Site) -> Account:
        """Return the account of ``key`` on ``site``; the sites share nothing, so a foreign key is an unknown one."""
        if (known := self._known.get((site, key))) is None:
            known = self._known[site, key] = self._opened(key, site)
        return known

    def all(self) -> tuple[Account, ...]:
        """Return every account that was seen."""
        return tuple(self._known.values())

    def _opened(self, key: str, site: Site) -> Account:
        words = frozenset(key.removeprefix(_MAGIC).split("-")) if key.startswith(_MAGIC) else frozenset()
        at_home = not words & {"cn", "ai"} or site in words
        bad = next((code for word, code in _BAD.items() if word in words), None) if at_home else "806"
        limits = [int(found[1]) for word in words if (found := _LIMIT.fullmatch(word))]
        account = Account(key, site, min(limits, default=None), words, bad)
        if "broke" in words:
            account.coins = account.money = Decimal(0)
        return account
