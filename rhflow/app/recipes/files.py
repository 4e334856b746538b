"""Local files as artifacts: read once, remembered by their stat."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rhflow.core.errors import Problem, RecipeError, nearest
from rhflow.core.values import Artifact
from rhflow.media.errors import UnreadableMediaError
from rhflow.media.probe import MediaInfo, probe
from rhflow.store.store import Store

_STORED = re.compile(r"sha256:([0-9a-f]{64})\Z")


class LocalFiles:
    """Turns paths into artifacts; ``seen`` are the files it looked at, for the whole-run memo."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._known: dict[Path, Artifact] = {}
        self._beside: dict[str, Callable[[str], Artifact]] = {}
        self.seen: set[Path] = set()

    def __call__(self, text: str) -> Artifact:
        """Return the file at ``text``, relative to the recipe. Raises RecipeError."""
        return self.at(self._folder, text)

    def beside(self, recipe: str) -> Callable[[str], Artifact]:
        """Return what reads files next to another recipe than the first."""
        if recipe not in self._beside:
            self._beside[recipe] = partial(self.at, Path(recipe).parent)
        return self._beside[recipe]

    def at(self, folder: Path, text: str) -> Artifact:
        """Return the file at ``text``, relative to ``folder``, or the stored file ``sha256:…``. Raises RecipeError."""
        if text.startswith("sha256:"):
            return self._stored(text)
        path = (folder / Path(text).expanduser()).absolute()
        if path not in self._known:
            self._known[path] = self._measure(path, text)
        self.seen.add(path)
        return self._known[path]

    def _measure(self, path: Path, text: str) -> Artifact:
        if not path.is_file():
            if path.is_dir():
                hint = f"name a file in it, as in `{text.rstrip('/')}/{_any_name(path)}`"
                raise RecipeError(Problem("no-such-file", f"`{text}` is a folder", hint=hint))
            hint = nearby(path) or "paths count from the recipe's folder, with `-p` from this one"
            raise RecipeError(Problem("no-such-file", f"there is no file `{text}`", hint=hint))
        try:
            known = self._store.digests.measure(path, _facts)
        except UnreadableMediaError as error:  # a mistake in what was given, which has a place in the recipe
            raise RecipeError(error.problems) from error
        return Artifact(digest=known.digest, size=known.size, name=path.name, path=str(path), **known.info)

    def _stored(self, text: str) -> Artifact:
        match = _STORED.match(text)
        if match is None:
            hint = "write `sha256:` and 64 hexadecimal digits"
            raise RecipeError(Problem("bad-digest", f"`{text}` does not name a stored file", hint=hint))
        path = self._store.blobs.path(match[1])
        if not path.is_file():
            raise RecipeError(Problem("not-stored", f"`{text[:19]}…` is not in the store"))
        info = _facts(path)
        return replace(Artifact(match[1], size=path.stat().st_size, name=match[1][:12], **info), path=str(path))


def _facts(path: Path) -> dict[str, Any]:
    info: MediaInfo = probe(path, name=path.name)
    return {
        "media_type": info.media_type,
        "width": info.width,
        "height": info.height,
        "duration": info.duration,
        "fps": info.fps,
    }


def _any_name(folder: Path) -> str:
    """Return the name of some file of a folder, to show what is meant."""
    return min((each.name for each in folder.iterdir() if each.is_file() and each.name[0] != "."), default="…")


def nearby(path: Path) -> str | None:
    """Return what to say of a path that leads nowhere: the file it may have meant."""
    if not path.parent.is_dir():
        return f"there is no folder `{path.parent}` either"
    found = nearest(path.name, [each.name for each in path.parent.iterdir()])
    return f"did you mean `{found}`?" if found else None
