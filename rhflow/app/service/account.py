"""The account, a task and its callback, as the service knows them now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rhflow.app.account.questions import Service
from rhflow.core.errors import Problem, StepError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations.account import AccountStatus, ApiKey, QueueStatus
from rhflow.runninghub.operations.webhooks import WebhookEvent
from rhflow.runninghub.wire.states import TaskState


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account on a site: what it has, how busy it is, and its keys where they were asked for."""

    site: str
    account: AccountStatus
    queue: QueueStatus
    keys: tuple[ApiKey, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        account, queue = self.account, self.queue
        return {
            "site": self.site,
            "key_type": queue.key_type or account.key_type,
            "coins": None if account.coins is None else str(account.coins),
            "money": None if account.money is None else [str(account.money.amount), account.money.currency],
            "tasks": account.running,
            "limit": queue.limit,
            "running": queue.running,
            "queued": queue.queued,
            "keys": [_key_json(each) for each in self.keys],
        }


def _key_json(each: ApiKey) -> dict[str, Any]:
    amounts = {"used": each.used, "quota": each.quota}
    told = {name: None if amount is None else str(amount) for name, amount in amounts.items()}
    return {"key": each.masked, "name": each.name, "enabled": each.enabled, **told, "expires": each.expires or None}


def account_facts(service: Service, *, keys: bool = False) -> AccountFacts:
    """Return what the service tells of the account."""

    async def ask(hub: RunningHub) -> AccountFacts:
        account, queue = await hub.account_status(), await hub.queue_status()
        found = tuple(await hub.api_keys()) if keys else ()
        return AccountFacts(hub.connection.base_url, account, queue, found)

    return service.ask(ask)


def task_state(service: Service, task_id: str) -> TaskState:
    """Return a task as it is now."""
    return service.ask(lambda hub: hub.query(task_id))


def task_json(state: TaskState) -> dict[str, Any]:
    """Return a task for programs."""
    failure, usage = state.failure(), state.usage
    cost = usage.cost if usage is not None else None
    return {
        "task": state.task_id,
        "status": state.status,
        "results": [
            {"url": each.url, "text": each.text, "type": each.output_type, "node": each.node_id}
            for each in state.results
        ],
        "cost": None if cost is None else cost.to_json(),
        "seconds": None if usage is None else usage.seconds,
        "error": None if failure is None else [each.message for each in failure.problems],
    }


def cancel_task(service: Service, task_id: str) -> None:
    """Ask the service to stop a task."""
    service.ask(lambda hub: hub.cancel(task_id))


def webhook_event(service: Service, task_id: str) -> WebhookEvent:
    """Return the callback of a task. Raises StepError when it has none."""
    return service.ask(lambda hub: _event(hub, task_id))


def resend_webhook(service: Service, task_id: str, url: str | None) -> str:
    """Have the callback of a task delivered again, and return where to. Raises StepError when it has none."""

    async def ask(hub: RunningHub) -> str:
        event = await _event(hub, task_id)
        target = url or event.url
        await hub.webhook_resend(event.id, target)
        return target

    return service.ask(ask)


async def _event(hub: RunningHub, task_id: str) -> WebhookEvent:
    event = await hub.webhook_detail(task_id)
    if event is None:
        hint = "a task has one when it was sent with a webhook, and only once it has ended"
        raise StepError(Problem("no-webhook", f"task `{task_id}` has no callback", hint=hint))
    return event
