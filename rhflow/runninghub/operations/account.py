"""The account behind the key: what is left, how busy it is, its keys, and what its workflows may load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from rhflow.core.values import Money
from rhflow.runninghub.operations.pages import LONGEST_PAGE, Page, page_of
from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.wire.envelope import object_in, objects_in, unreadable, wrapped
from rhflow.runninghub.wire.members import amount_of, count_of, first, text_of

ResourceType = Literal["UNET", "CHECKPOINT", "LORA", "GGUF"]


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What an account has and does: coins, wallet money (None without a wallet), tasks under way, kind of key."""

    coins: Decimal | None
    money: Money | None
    running: int | None
    key_type: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The account's room: how many tasks may run at once, and how many do. ``limit`` is None where it is not told."""

    key_type: str
    limit: int | None
    running: int
    queued: int
    total: int
    instances: int | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the account: masked, with its name, its quota in the service's units, and when it expires."""

    masked: str
    name: str
    enabled: bool
    quota: Decimal | None
    used: Decimal | None
    expires: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """A public model file; ``node_value`` is what a loader node takes."""

    name: str
    node_value: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Accounts(Session):
    """Questions about the account."""

    async def account_status(self) -> AccountStatus:
        """Return what the account has left, and how many of its tasks are under way."""

        def read(data: Any) -> AccountStatus:
            return _account_status(object_in(data, "account"), self.connection.currency)

        path = "/uc/openapi/accountStatus"
        return await self.ask(Question("account", "the account status", path, wrapped(read), {}, key="apikey"))

    async def queue_status(self) -> QueueStatus:
        """Return how many tasks the account may run at once, and how many it does."""
        return await self.ask(Question("queue", "the queue status", "/openapi/v2/queue/status", read_queue_status))

    async def api_keys(self) -> list[ApiKey]:
        """Return the keys of the account, as far as the service shows them."""
        read = wrapped(lambda data: [_api_key(each) for each in objects_in(data, "list of keys")])
        return await self.ask(Question("account", "the list of keys", "/openapi/v2/api-key/list", read))

    async def resources(
        self, kind: ResourceType, name: str = "", *, base_models: Sequence[str] = (), page: int = 1
    ) -> Page[Resource]:
        """Return a page of the public model files of a kind whose name contains ``name``."""
        payload: dict[str, Any] = {"resourceType": kind, "resourceName": name, "current": page, "size": LONGEST_PAGE}
        payload |= {"baseModels": list(base_models), "tags": []}
        read = wrapped(lambda data: page_of(data, _resource, page, LONGEST_PAGE))
        path = "/openapi/v2/resource/list"
        return await self.ask(Question("account", "the list of resources", path, read, payload))


def _account_status(data: Mapping[str, Any], site_currency: str) -> AccountStatus:
    """Read an account; amounts come as text, number or null."""
    coins, wallet = amount_of(data.get("remainCoins")), amount_of(data.get("remainMoney"))
    running = count_of(data.get("currentTaskCounts"))
    if coins is None and wallet is None and running is None:
        unreadable("it has no account status")
    currency = text_of(data.get("currency")) or site_currency
    money = None if wallet is None else Money(wallet, currency)
    return AccountStatus(coins, money, running, text_of(data.get("apiType")), raw=data)


def _queue_status(data: Any) -> QueueStatus:
    data = object_in(data, "queue status")
    running, queued = count_of(data.get("runningCount")), count_of(data.get("queuedCount"))
    limit, total = count_of(data.get("concurrentLimit")), count_of(data.get("totalCurrentTasks"))
    if running is None and limit is None:
        unreadable("it has no queue status")
    return QueueStatus(
        key_type=text_of(data.get("apiKeyType")),
        limit=limit,
        running=running or 0,
        queued=queued or 0,
        total=(running or 0) + (queued or 0) if total is None else total,
        instances=count_of(first(data, "instanceCount", "instanceCounts")),
    )


read_queue_status = wrapped(_queue_status)
"""Reads how busy the account is; counts come as text."""


def _api_key(data: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        masked=text_of(data.get("key")),
        name=text_of(data.get("apiKeyName")),
        enabled=count_of(data.get("status")) == 1,
        quota=amount_of(data.get("quotaLimit")),
        used=amount_of(data.get("quotaUsed")),
        expires=text_of(data.get("expireAt")),
        raw=data,
    )


def _resource(data: Mapping[str, Any]) -> Resource:
    name = text_of(first(data, "resourceName", "name", "title"))
    return Resource(name, text_of(data.get("nodeModelName")), raw=data)
