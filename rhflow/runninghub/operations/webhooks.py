"""Callbacks of the service: what one says, how its delivery went, and delivering it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.wire.envelope import error_in, members_of, object_in, parsed, wrapped
from rhflow.runninghub.wire.errors import ApiError
from rhflow.runninghub.wire.members import count_of, text_of

_NO_EVENT = "1"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A callback and how its delivery went.

    ``data`` is what was delivered: the reply to ``outputs`` or to ``query``, or a text where it is neither.
    ``response`` is what the receiver said. Times are as the service writes them, without a zone.
    """

    id: str
    task_id: str
    url: str
    status: str
    response: str
    retries: int
    created: str
    updated: str
    data: Mapping[str, Any] | str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Webhooks(Session):
    """Questions about callbacks."""

    async def webhook_detail(self, task_id: str) -> WebhookEvent | None:
        """Return the callback of a task, or None when it has none (not asked for, or not ended yet)."""
        what, payload = f"the callback of task `{task_id}`", {"taskId": task_id}
        path = "/task/openapi/getWebhookDetail"
        return await self.ask(Question("webhook", what, path, _read_detail, payload, key="apiKey"))

    async def webhook_resend(self, event_id: str, url: str) -> None:
        """Have a callback delivered once more, to ``url``; ``event_id`` is the event's own, not the task's."""
        what, payload = f"the callback `{event_id}`", {"webhookId": event_id, "webhookUrl": url}
        path = "/task/openapi/retryWebhook"
        await self.ask(Question("webhook", what, path, wrapped(lambda _: None), payload, key="apiKey"))


def _read_detail(body: bytes, http_status: int) -> WebhookEvent | None | ApiError:
    reply = members_of(body, http_status)
    error = error_in(reply, http_status)
    if error is not None:
        return None if error.code == _NO_EVENT else error
    return _event(object_in(reply.get("data"), "callback"))


def _event(data: Mapping[str, Any]) -> WebhookEvent:
    return WebhookEvent(
        id=text_of(data.get("id")),
        task_id=text_of(data.get("taskId")),
        url=text_of(data.get("webhookUrl")),
        status=text_of(data.get("callbackStatus")),
        response=text_of(data.get("callbackResponse")),
        retries=count_of(data.get("retryCount")) or 0,
        created=text_of(data.get("createTime")),
        updated=text_of(data.get("updateTime")),
        data=event_data(data.get("eventData")),
        raw=data,
    )


def event_data(found: Any) -> Mapping[str, Any] | str:
    """Return what a callback delivers: an object, also where it comes as JSON text."""
    if isinstance(found, str) and found.lstrip().startswith("{"):
        try:
            found = parsed(found)
        except (ValueError, RecursionError):
            pass  # then it is the text it is
    return found if isinstance(found, dict) else text_of(found)
