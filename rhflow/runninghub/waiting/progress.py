"""Where a running graph is: ComfyUI's events from a web socket, folded to a place in the graph.

A socket tells progress and that something may have ended, never a result. The service calls it unstable, so whatever
goes wrong with it, it is over and polling goes on. Its address is a credential: who has it may listen. It gets no key,
and is not logged, told in messages or kept.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rhflow import __version__
from rhflow.runninghub.wire.envelope import flat
from rhflow.runninghub.wire.errors import tidy
from rhflow.runninghub.wire.members import text_of

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

LARGEST = 4 * 2**20
"""Bytes of a frame; a larger one ends the socket."""
OPENING = 10.0
SILENCE = 20.0
"""Seconds until a peer that says nothing is asked whether it is there, and again until it counts as gone."""
_MOST_NODES = 10_000
_LONGEST_NAME = 40

_UNHEARD = logging.Logger("rhflow.progress")  # the library's own lines quote the address
_UNHEARD.disabled = True


@dataclass(frozen=True, slots=True)
class Place:
    """The node at work, how much of it is done (from 0 to 1, None where it does not tell), and all that are done.

    ``over``: nothing runs any more.
    """

    node: str | None = None
    share: float | None = None
    done: frozenset[str] = frozenset()
    over: bool = False

    def after(self, event: Mapping[str, Any]) -> Place:
        """Return the place after an event of ComfyUI's; one that is not known, or has an odd form, changes nothing."""
        data = event.get("data")
        if not isinstance(data, dict):
            return self
        node = _name(data.get("node"))
        match event.get("type"):
            case "execution_start":
                return Place()
            case "execution_cached":
                return self._with_done(data.get("nodes"))
            case "executing":
                return self._at(node)
            case "progress" if node or self.node:
                return replace(self._at(node or self.node), share=_share(data.get("value"), data.get("max")))
            case "progress_state":
                return self._of_all(data.get("nodes"))
            case "executed":
                return self._with_done([node])
            case "execution_success" if node is None:  # some come with a node, while others still run
                return self._at(None)
            case "execution_error" | "execution_interrupted":
                return replace(self, share=None, over=True)
            case _:
                return self

    def _at(self, node: str | None) -> Place:
        """Return the place when ``node`` is at work, or none any more: the one before it is done."""
        if node is not None and node == self.node and not self.over:
            return self
        return replace(self._with_done([self.node]), node=node, share=None, over=node is None)

    def _with_done(self, nodes: Any) -> Place:
        names = {name for each in nodes if (name := _name(each))} if isinstance(nodes, list) else set()
        done = self.done | names
        return replace(self, done=done) if len(done) <= _MOST_NODES else self

    def _of_all(self, nodes: Any) -> Place:
        """Return the place as newer servers tell it: every node that has begun, with its state."""
        if not isinstance(nodes, dict):
            return self
        states = {name: each for name, each in nodes.items() if isinstance(each, dict)}
        here = self._with_done([name for name, each in states.items() if each.get("state") == "finished"])
        running = [name for name, each in states.items() if each.get("state") == "running"]
        if not running:
            return here
        at = states[running[-1]]
        return replace(here, node=_name(running[-1]), share=_share(at.get("value"), at.get("max")), over=False)


def _name(found: Any) -> str | None:
    return tidy(text_of(found))[:_LONGEST_NAME] or None


def _share(value: Any, most: Any) -> float | None:
    try:
        share = float(text_of(value)) / float(text_of(most))
    except (ValueError, ZeroDivisionError):
        return None
    return min(max(share, 0.0), 1.0) if math.isfinite(share) else None


def socket_of(reply: Mapping[str, Any]) -> str | None:
    """Return where a task tells its progress, by a reply about it; None where it does not, or not on a web socket."""
    found = flat(reply).get("netWssUrl")
    return found if isinstance(found, str) and _is_socket(found) else None


def _is_socket(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and not parts.username
    except ValueError:
        return False


Heard = Callable[[Place], Awaitable[None]]


async def follow(url: str, heard: Heard, *, prompt: str | None = None, direct: bool = False) -> None:
    """Tell ``heard`` of every new place of a graph until the socket at ``url`` ends, in whatever way.

    ``prompt``: heed only the events of this prompt, where a socket tells of several. ``direct``: past any proxy.
    """
    connection = await _opened(url, direct=direct) if _is_socket(url) else None
    if connection is None:
        return
    place = Place()
    try:
        while (frame := await _received(connection)) is not None:
            event = _event(frame, prompt)
            if event is not None and (now := place.after(event)) != place:
                place = now
                await heard(place)
    finally:
        connection.transport.abort()  # nobody waits for a farewell


async def _opened(url: str, *, direct: bool) -> ClientConnection | None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    try:
        return await connect(
            url,
            compression=None,
            user_agent_header=f"rhflow/{__version__}",
            proxy=None if direct else True,
            open_timeout=OPENING,
            ping_interval=SILENCE,
            ping_timeout=SILENCE,
            max_size=LARGEST,
            logger=_UNHEARD,
        )
    except (OSError, ValueError, ImportError, WebSocketException):
        return None  # polling goes on


async def _received(connection: ClientConnection) -> str | bytes | None:
    from websockets.exceptions import WebSocketException

    try:
        return await connection.recv()
    except (OSError, WebSocketException):
        return None


def _event(frame: str | bytes, prompt: str | None) -> Mapping[str, Any] | None:
    """Return what a frame tells; previews are binary, and tell nothing."""
    if not isinstance(frame, str):
        return None
    try:
        found = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    data = found.get("data")
    of = data.get("prompt_id") if isinstance(data, dict) else None
    return found if prompt is None or of == prompt else None
