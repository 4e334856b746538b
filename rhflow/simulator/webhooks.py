"""Webhooks: one event for each task that has ended, told up to four times in about three simulated minutes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rhflow.core.values import Json
from rhflow.simulator.reports import event_of
from rhflow.simulator.tasks import Task

if TYPE_CHECKING:
    import httpx

    from rhflow.simulator.simulator import Simulator

GAPS = (0.0, 20.0, 60.0, 100.0)
"""Simulated seconds before each attempt."""
_PATIENCE = 10.0
_LOOK = 0.05


@dataclass(slots=True)
class Event:
    """What is to be told of one task, and how that went; ``told`` is what is sent, ``data`` the same as text."""

    id: str
    task: Task
    url: str
    told: Json
    data: str
    created: str
    updated: str = ""
    status: str = "FAILED"
    response: str = ""
    retries: int = 0

    def detail(self) -> dict[str, Json]:
        """Return it as the service shows it."""
        return {
            "id": self.id,
            "userApiKey": "****",
            "event": "TASK_END",
            "taskId": self.task.id,
            "webhookUrl": self.url,
            "eventData": self.data,
            "callbackStatus": self.status,
            "callbackResponse": self.response,
            "retryCount": self.retries,
            "createTime": self.created,
            "updateTime": self.updated or self.created,
        }


class Webhooks:
    """Watches tasks that have a webhook and tells their end. ``transport`` is how, a network where it is None."""

    def __init__(self, simulator: Simulator, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._simulator, self.transport = simulator, transport
        self._events: dict[str, Event] = {}
        self._running: set[asyncio.Task[None]] = set()

    def watch(self, task: Task) -> None:
        """Tell the webhook of ``task`` when it has ended."""
        self._begin(self._watched(task))

    def of(self, task: Task) -> Event | None:
        """Return the event of a task that has ended, once it was told for the first time."""
        return next((event for event in self._events.values() if event.task is task), None)

    def event(self, event_id: str) -> Event | None:
        """Return the event with this id."""
        return self._events.get(event_id)

    def resend(self, event: Event, url: str) -> None:
        """Tell an event once more, to another address where one is given."""
        event.url = url or event.url
        self._begin(self._deliver(event))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        running = asyncio.get_running_loop().create_task(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)

    async def _watched(self, task: Task) -> None:
        while not task.has_ended(self._simulator.clock()):
            await self._rest(_LOOK)
        now = _calendar()
        told = event_of(self._simulator, task, task.ticket.base)
        data = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
        event = Event(str(int(task.id) + 1), task, task.ticket.webhook, told, data, now)
        await self._deliver(event)

    async def _deliver(self, event: Event) -> None:
        """Send an event until it is taken, or three retries have failed too."""
        for retry, gap in enumerate(GAPS):
            await self._pause(gap)
            taken = await self._sent(event)
            event.retries, event.updated = retry, _calendar()
            self._events[event.id] = event
            if taken:
                if self._simulator.faults.tells_twice(event.task.id):
                    await self._sent(event)
                return

    async def _sent(self, event: Event) -> bool:
        """Send an event once and keep the answer; whether it was taken."""
        import httpx  # late: a simulator without webhooks needs no client

        body = {"event": "TASK_END", "taskId": event.task.id, "eventData": event.told}
        self._simulator.counts["webhooks"] += 1
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=_PATIENCE, trust_env=False) as http:
                reply = await http.post(event.url, json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            event.status = "FAILED"
            event.response = f"I/O error on POST request for {event.url}: {error}"[:500]
            return False
        event.status = "SUCCESS" if reply.is_success else "FAILED"
        event.response = reply.text[:500]
        return reply.is_success

    async def _pause(self, seconds: float) -> None:
        """Wait for simulated seconds, or until the simulator closes."""
        until = self._simulator.clock() + seconds
        while self._simulator.clock() < until:
            await self._rest((until - self._simulator.clock()) / self._simulator.config.speed)

    async def _rest(self, seconds: float) -> None:
        if self._simulator.workshop.stop.is_set():
            raise asyncio.CancelledError
        await asyncio.sleep(min(_LOOK, max(0.001, seconds)))


def _calendar() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S")
