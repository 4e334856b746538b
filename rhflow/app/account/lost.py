"""A call whose reply was lost: what it became, where the service or somebody else can tell without a doubt."""

from __future__ import annotations

from rhflow.app.account import callbacks
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations.gateway import gate_at
from rhflow.steps.context import OpenTask
from rhflow.store.store import Store


async def find(store: Store, call: OpenTask, *, hub: RunningHub, known: callbacks.Known) -> str | None:
    """Return the id of the task that a call became; None where nobody can tell. Raises RhflowError."""
    return await callbacks.find(store, call, known=known) or await _by_mark(store, call, hub)


async def _by_mark(store: Store, call: OpenTask, hub: RunningHub) -> str | None:
    """Look for the mark that a call was sent with: the gateway shows it with its prompts, and no other call has it."""
    for event in reversed(store.journal.events(call.run)):
        if event.type == "submit.intent" and event.data.get("key") == call.key:
            gate, mark = gate_at(str(event.data.get("endpoint", ""))), str(event.data.get("mark", ""))
            return await hub.prompt_of(mark, gate) if gate is not None and mark else None
    return None
