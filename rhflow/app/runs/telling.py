"""The outputs of a run as data, with names in the place of files, and those that are values as people read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from rhflow.app.report import PREVIEW, Told
from rhflow.core.plan.views import EndedView, ItemView, LoopView, OutputsView, PipelineView, StepView
from rhflow.core.values import Artifact, text_of, why_no_text

SECRET = "(secret)"
_VIEWS = (OutputsView, ItemView, LoopView, PipelineView, EndedView)


class Name(str):
    """The name of a delivered file: a text that a recipe made is never taken for one."""

    __slots__ = ()


def shown(value: Any, names: Iterator[str]) -> Any:
    """Return an output with a ``Name`` in the place of every file, taken from ``names`` in order."""
    if isinstance(value, Artifact):
        return Name(next(names))
    if isinstance(value, OutputsView):
        files = [Name(next(names)) for _ in value.files]
        return files[0] if len(files) == 1 else files or list(value.outputs.texts)
    if isinstance(value, ItemView):
        return shown(value.view, names)
    if isinstance(value, PipelineView):
        return {name: shown(value[name], names) for name in value}
    if isinstance(value, LoopView):
        return {each["key"]: shown(each, names) for each in value.items_in_order}
    if isinstance(value, EndedView):
        return None
    if isinstance(value, list | tuple):
        return [shown(each, names) for each in value]
    return {key: shown(each, names) for key, each in value.items()} if isinstance(value, Mapping) else value


def hushed(value: Any, texts: Texts, *, every: bool) -> Any:
    """Return a shown output with ``SECRET`` in the place of what holds a secret, or of ``every`` value.

    Names of files stay.
    """
    if isinstance(value, list):
        return [hushed(each, texts, every=every) for each in value]
    if isinstance(value, dict):
        parts = ((hushed(key, texts, every=False), each) for key, each in value.items())
        return {key: hushed(each, texts, every=every) for key, each in parts}
    if value is None or isinstance(value, Name):
        return value
    return SECRET if every or texts.hides(text_of(value)) else value


# --- texts as files --------------------------------------------------------------------------------------------------


class Texts:
    """Texts that are to be delivered, as files by content; those that hold one of ``secrets`` are not."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        self.contents: dict[str, bytes] = {}
        self._secrets = secrets

    def hides(self, text: str) -> bool:
        """Whether a text holds a secret: it is kept out of files and records."""
        return any(each in text for each in self._secrets)

    def of(self, value: Any, node: str | None) -> Iterator[Artifact]:
        """Yield what is text in an output: those of steps, a text, a list or map of plain data (as JSON).

        ``node`` is whose text a plain value is, where that is known.
        """
        if isinstance(value, OutputsView):
            node = value.node if isinstance(value, StepView) else None
            for at, text in enumerate(value.outputs.texts):
                yield from self._file(text, "text/plain", node, at)
        elif isinstance(value, ItemView):
            yield from self.of(value.view, None)
        elif isinstance(value, LoopView):
            for each in value.items_in_order:
                yield from self.of(each, None)
        elif isinstance(value, list | tuple) and any(isinstance(each, _VIEWS) for each in value):
            for each in value:
                yield from self.of(each, None)
        elif isinstance(value, str):
            yield from self._file(value, "text/plain", node)
        elif isinstance(value, list | tuple | dict) and value and why_no_text(value) is None:
            yield from self._file(json.dumps(value, indent=2, ensure_ascii=False), "application/json", node)

    def _file(self, text: str, media_type: str, node: str | None, at: int = 0) -> Iterator[Artifact]:
        if not text or self.hides(text):
            return
        content = (text if text.endswith("\n") else f"{text}\n").encode(errors="replace")
        digest = hashlib.sha256(content).hexdigest()
        self.contents[digest] = content
        yield Artifact(digest, media_type, len(content), "", origin=None if node is None else text_origin(node, at))


def text_origin(node: str, at: int) -> tuple[str, int]:
    """Return the place of a node's text: below zero, as its files count from there upwards."""
    return node, ~at


# --- for people ------------------------------------------------------------------------------------------------------


def told_of(
    label: str, value: Any, as_shown: Any, files: Sequence[tuple[Artifact, str]], texts: Texts
) -> Iterator[Told]:
    """Yield what people are told of an output: nothing where it is only files, one line per item of a loop.

    ``as_shown`` is the value as ``shown`` gives it, ``files`` are its texts with the names they are delivered under.
    """
    if isinstance(value, ItemView):
        yield from told_of(label, value.view, as_shown, files, texts)
    elif isinstance(value, LoopView):
        for each in value.items_in_order:
            yield from told_of(f"{label}[{each['key']}]", each, as_shown[each["key"]], files, texts)
    elif isinstance(value, OutputsView):
        node = value.node if isinstance(value, StepView) else ""
        named = {file.origin: name for file, name in files}
        for at, text in enumerate(value.outputs.texts):
            numbered = label if len(value.outputs.texts) == 1 else f"{label}[{at}]"
            yield _told(numbered, text, named.get(text_origin(node, at)), texts)
    elif as_shown is not None and not _only_names(as_shown):
        yield _told(label, text_of(as_shown), files[0][1] if len(files) == 1 else None, texts)


def _only_names(value: Any) -> bool:
    """Whether there is nothing in a shown value but names of files, and at least one."""
    if isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return bool(value) and all(each is None or _only_names(each) for each in parts)
    return isinstance(value, Name)


def _told(label: str, text: str, file: str | None, texts: Texts) -> Told:
    if texts.hides(text):
        return Told(label, SECRET)
    return Told(label, " ".join(text[: 2 * PREVIEW].split())[:PREVIEW], len(text), file)
