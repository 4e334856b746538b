"""What became of the call of a task's webhook, and sending it again."""

from __future__ import annotations

from rhflow.simulator.replies import RefusalError, Reply, wrapped
from rhflow.simulator.routes.operation import Operation, Visit


async def detail(visit: Visit) -> Reply:
    """Tell what was sent for a task, and what the receiver answered."""
    task = visit.simulator.task(visit.account, visit.text("taskId"))
    event = None if task is None else visit.simulator.webhooks.of(task)
    if event is None:
        raise RefusalError("1", "webhook event not exists")
    return wrapped(event.detail())


async def resend(visit: Visit) -> Reply:
    """Send an event again, to another address where one is given."""
    event = visit.simulator.webhooks.event(visit.text("webhookId"))
    if event is None or event.task.account is not visit.account:
        raise RefusalError("1", "webhook event not exists")
    url = visit.body.get("webhookUrl")
    visit.simulator.webhooks.resend(event, url if isinstance(url, str) else "")
    return wrapped(None) | {"msg": ""}


OPERATIONS = (
    Operation("webhook-detail", "POST", "/task/openapi/getWebhookDetail", detail),
    Operation("webhook-resend", "POST", "/task/openapi/retryWebhook", resend),
)
