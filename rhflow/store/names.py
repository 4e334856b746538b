"""File names that every operating system takes, made from whatever a recipe says."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

_SEPARATORS: Final = re.compile(r'[<>:"/\\|?*]+')
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)", re.IGNORECASE)
LIMIT: Final = 80
"""Bytes of UTF-8: a name that is still read at a glance. File systems stop at 255, and a suffix may still follow."""
_DIGITS: Final = 6  # of a hash, which tell two long names apart that begin alike


def safe_name(text: str, *, limit: int = LIMIT, otherwise: str = "file") -> str:
    """Return ``text`` as a single file name that is valid everywhere; ``otherwise`` when nothing is left of it.

    Separators become ``-``; control, format and surrogate characters go, so that no name can hide what it is; dots
    and spaces at the ends go, so that no name is hidden or means a folder; Windows' device names get a ``_``. At most
    ``limit`` bytes long, the extension kept; what is cut off leaves some digits of a hash.
    """
    visible = "".join(char for char in unicodedata.normalize("NFC", text) if unicodedata.category(char)[0] != "C")
    name = " ".join(_SEPARATORS.sub("-", visible).split()).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    return _shorten(name, limit) or otherwise


class Names:
    """Hands out names that differ, also where upper and lower case do not count."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return ``name``, or the first of ``name-2``, ``name-3`` … (before the extension) that is still free."""
        stem, dot, extension = name.rpartition(".")
        if not stem:
            stem, dot, extension = name, "", ""
        found, number = name, self._last.get(name.casefold(), 1)
        while found.casefold() in self._taken:
            number += 1
            found = f"{stem}-{number}{dot}{extension}"
        self._last[name.casefold()] = number
        self._taken.add(found.casefold())
        return found


def _shorten(name: str, limit: int) -> str:
    """Cut the stem so that the name fits, never through the middle of a character, and say by a hash what it was."""
    if len(name.encode()) <= limit:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 10:
        stem, dot, extension = name, "", ""
    mark = "-" + hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    room = limit - len(f"{mark}{dot}{extension}".encode())
    cut = stem.encode()[: max(room, 0)].decode(errors="ignore").rstrip(". -")
    return f"{cut}{mark}{dot}{extension}".lstrip("-")
