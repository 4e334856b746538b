"""Carries operations out: inputs are kept, the work is done on a thread, the result is taken in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from rhflow.core.errors import Problem, StepError
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Artifact, Outputs, Pending, media_in
from rhflow.media.errors import making
from rhflow.steps.local import clips, pictures
from rhflow.steps.local.work import Operation, wrong
from rhflow.steps.shelf import Shelf

T = TypeVar("T")

OPERATIONS: Mapping[str, Operation] = {
    "frame": clips.frame,
    "trim": clips.trim,
    "concat": clips.concat,
    "mux": clips.mux,
    "resize": pictures.resize,
    "ken-burns": pictures.ken_burns,
    "sheet": pictures.sheet,
}


class _StoppedError(Exception):
    """Nobody waits for the work any more."""


def check(kind: KindSpec, inputs: Mapping[str, Any], operations: Mapping[str, Operation] = OPERATIONS) -> None:
    """Raise StepError for inputs that cannot be worked with, as far as they are known."""
    for field in kind.fields:
        given = inputs.get(field.name)
        for each in given if isinstance(given, list) else [given]:
            if field.is_media and isinstance(each, str):
                asset = each.startswith("asset://")  # the service gives no file back for one
                what = "an asset of the service" if asset else "a link"
                message = f"`{each}` is {what}, and `{kind.name}` works on files of this machine"
                hint = "download it and give its path, or fetch it with an `upload` step"
                hint = "give the file that it was made of" if asset else hint
                raise wrong("link-to-local", message, hint=hint, at=field.name)
    if not any(isinstance(each, Pending) for value in inputs.values() for each in media_in(value)):
        operations[kind.name](_filled(kind, inputs))


async def run(
    call: StepCall, shelf: Shelf, now: Callable[[], float], operations: Mapping[str, Operation] = OPERATIONS
) -> StepResult:
    """Return what an operation made. Raises StepError, also when it takes longer than the step may."""
    began = now()
    check(call.kind, call.inputs, operations)
    kept = {name: await _kept(value, shelf) for name, value in call.inputs.items()}
    work, over = operations[call.kind.name](_filled(call.kind, kept)), threading.Event()

    def heed(items: Iterable[T]) -> Iterator[T]:
        for each in items:
            if over.is_set():
                raise _StoppedError
            yield each

    def write(path: Path) -> None:
        with making(call.node):
            work(path, heed)

    try:
        async with asyncio.timeout(call.timeout):
            made = await _on_a_thread(lambda: shelf.make(write, call.node), over)
    except TimeoutError:
        hint = "a longer `timeout` waits longer"
        raise StepError(Problem("timeout", f"not done after {call.timeout:g} s", hint=hint)) from None
    return StepResult(Outputs((made,)), seconds=now() - began)


async def _kept(value: Any, shelf: Shelf) -> Any:
    if isinstance(value, list):
        return [await _kept(each, shelf) for each in value]
    return await shelf.keep(value) if isinstance(value, Artifact) else value


def _filled(kind: KindSpec, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs with the defaults of those that were left out."""
    return {each.name: each.default for each in kind.fields if each.default is not None} | dict(inputs)


async def _on_a_thread(work: Callable[[], T], over: threading.Event) -> T:
    """Return what blocking work gives; where nobody waits any more, it stops at the next frame, and that is seen to."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        over.set()
        await asyncio.gather(thread, return_exceptions=True)
        raise
