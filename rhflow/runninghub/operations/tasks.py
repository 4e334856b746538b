"""A task by its id: how it stands, what it gave, and that it should stop.

v1 and v2 share one space of ids, so ``query`` serves every task; the older pair is kept for tasks that it does not
know.
"""

from __future__ import annotations

from rhflow.runninghub.transport.session import KeyPlace, Question, Session
from rhflow.runninghub.wire.envelope import wrapped
from rhflow.runninghub.wire.errors import ApiError
from rhflow.runninghub.wire.states import TaskState, read_task_state


class Tasks(Session):
    """Questions about tasks, by id."""

    async def query(self, task_id: str) -> TaskState:
        """Return the task as it is now. Raises when the service keeps failing, not when the task failed."""
        return await self._state("query", task_id, "/openapi/v2/query")

    async def status(self, task_id: str) -> TaskState:
        """Return the task's status alone, by the older call."""
        return await self._state("status", task_id, "/task/openapi/status", key="apiKey")

    async def outputs(self, task_id: str) -> TaskState:
        """Return the task with its outputs, by the older call; while it runs, ``raw`` may hold a progress socket."""
        return await self._state("outputs", task_id, "/task/openapi/outputs", key="apiKey")

    async def cancel(self, task_id: str) -> None:
        """Ask the service to stop a task, queued or running; whether what ran is charged is for the service to say."""
        what = f"the cancellation of task `{task_id}`"
        payload = {"taskId": task_id}
        await self.ask(Question("cancel", what, "/task/openapi/cancel", wrapped(lambda _: None), payload, key="apiKey"))

    async def _state(self, kind: str, task_id: str, path: str, *, key: KeyPlace = "header") -> TaskState:
        def read(body: bytes, status: int) -> TaskState | ApiError:
            return read_task_state(body, task_id=task_id, http_status=status, currency=self.connection.currency)

        what, payload = f"the {kind} of task `{task_id}`", {"taskId": task_id}
        return await self.ask(Question(kind, what, path, read, payload, key=key))
