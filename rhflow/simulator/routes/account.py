"""The account behind a key: balances, queue, keys."""

from __future__ import annotations

from collections import Counter

from rhflow.core.cost import plain
from rhflow.core.values import Json
from rhflow.simulator.replies import Reply, wrapped
from rhflow.simulator.routes.operation import Operation, Visit


async def account_status(visit: Visit) -> Reply:
    """Tell what is left, and how many tasks are under way; members have no wallet."""
    account = visit.account
    active = account.holding(visit.simulator.clock())
    has_wallet = account.kind != "NORMAL"
    return wrapped(
        {
            "remainCoins": str(int(account.coins)),
            "currentTaskCounts": str(len(active)),
            "remainMoney": plain(account.money) if has_wallet else None,
            "currency": account.currency if has_wallet else None,
            "apiType": account.kind,
        }
    )


async def queue_status(visit: Visit) -> Reply:
    """Tell how much of the limit is taken."""
    now, account = visit.simulator.clock(), visit.account
    states = Counter(task.status(now) for task in account.holding(now).values())
    limit = visit.simulator.limit_of(account)
    counts: dict[str, Json] = {
        "apiKeyType": account.kind,
        "concurrentLimit": limit,
        "runningCount": str(states["RUNNING"]),
        "queuedCount": str(states["QUEUED"]),
        "totalCurrentTasks": str(states.total()),
    }
    if account.kind == "EXCLUSIVE":
        counts["instanceCount"] = str(limit)
    return wrapped(counts)


async def key_list(visit: Visit) -> Reply:
    """List the keys of the account: the one that asks, masked."""
    key = visit.account.key
    return wrapped(
        [
            {
                "key": f"{key[:4]}****{key[-4:]}" if len(key) > 12 else "****",
                "apiKeyName": "simulated",
                "status": 1,
                "quotaLimit": None,
                "quotaUsed": 0,
                "visible": True,
                "expireAt": None,
                "expireInMinute": None,
                "createdAt": "2026-01-01T00:00:00",
            }
        ]
    )


OPERATIONS = (
    Operation("account-status", "POST", "/uc/openapi/accountStatus", account_status, key="apikey"),
    Operation("queue-status", "GET", "/openapi/v2/queue/status", queue_status, key="bearer"),
    Operation("key-list", "GET", "/openapi/v2/api-key/list", key_list, key="bearer"),
)
