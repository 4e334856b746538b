"""What steps that have not run yet will give, as far as that can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rhflow.core.plan.views import FACT_NAMES, MANY
from rhflow.core.recipe.template import Ref
from rhflow.core.values import Family, Pending

_FAMILY_OF_OUTPUT: Mapping[str, Family] = {
    "image": "image", "images": "image", "video": "video", "videos": "video", "audio": "audio", "audios": "audio",
    "model3d": "model3d", "text": "text", "texts": "text", "json": "file",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promise:
    """What a step that has not run yet will give: a family, and a length in seconds where it is known.

    ``new`` is the node that makes it, where it makes something new for certain.
    """

    family: Family
    seconds: float | None = None
    new: str = ""


def pending_of(ref: Ref, promises: Mapping[str, Promise]) -> Pending:
    """Return what a reference to an unfinished step will be, as far as its name tells."""
    match ref.path:
        case ("steps", str(), "nodes", _, str(name), *rest):
            return _pending(None, name, many=name in MANY and not rest)  # a node may make what its step does not
        case ("steps", str(), "nodes", *_):
            return Pending()
        case ("steps", str(step), str(name)):
            return _pending(promises.get(step), name, many=name in MANY)
        case ("steps", str(step), str(name), int()) if name in MANY:
            return _pending(promises.get(step), name, many=False)
        case ("steps", str(step), "items"):
            return Pending(many=True)
        case ("steps", str(step), str(), str(name)) if step in promises:  # one item of a loop, by its key
            return _pending(promises[step], name, many=name in MANY)
        case _:
            return Pending()


def _pending(promise: Promise | None, name: str, *, many: bool) -> Pending:
    if name in FACT_NAMES:
        return Pending("text")
    made = promise.family if promise is not None else None
    family = made if name in ("file", "files") else _FAMILY_OF_OUTPUT.get(name)
    seconds = promise.seconds if promise is not None and family == made else None
    new = promise.new if promise is not None and family == made else ""
    return Pending(None if name == "json" else family, many, seconds, new)


class Promises(Mapping[str, Promise]):
    """What unfinished nodes will give, by node and by step; each is worked out when it is read, and most never are."""

    def __init__(self) -> None:
        self._found: dict[str, Promise | Callable[[], Promise]] = {}

    def make(self, promise: Callable[[], Promise], *names: str) -> None:
        """Note what works a promise out, under each of ``names``."""
        for name in names:
            self._found[name] = promise

    def __getitem__(self, name: str) -> Promise:
        found = self._found[name]
        if not isinstance(found, Promise):
            found = self._found[name] = found()
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
