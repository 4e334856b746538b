"""Which site is asked, with which key, and whether its answers count as real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, urlsplit

from rhflow.core.errors import Problem, RefusedError, UsageError
from rhflow.core.values import Realm, money_of

_SHORTEST_TO_HIDE = 8


class Secret:
    """A text that is sent and never shown: no repr, no pickle, no copy of it in a message.

    White space around it is dropped. Raises RefusedError when nothing remains, or when a character cannot stand in a
    header (the libraries below would put the whole value into their own message).
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        if not self._text:
            hint = "copy it from the API page of your RunningHub account, or try the recipe with `--simulate`"
            raise RefusedError(Problem("api-key-missing", "there is no API key", hint=hint))
        if not all("!" <= letter <= "~" for letter in self._text):
            hint = "copy the key again: it has letters and digits only"
            raise RefusedError(Problem("api-key-spelling", "the API key has a character no key has", hint=hint))

    def reveal(self) -> str:
        """Return the text, for the one place that sends it."""
        return self._text

    def in_path(self) -> str:
        """Return the text as a part of a path, for the one place that sends it so."""
        return quote(self._text, safe="")

    def hide_in(self, body: bytes) -> bytes:
        """Return ``body`` without the text, however it is spelled, should the other side have sent it back."""
        if len(self._text) < _SHORTEST_TO_HIDE:
            return body
        return body.replace(self._text.encode(), b"***").replace(self.in_path().encode(), b"***")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not stored")


@dataclass(frozen=True, slots=True)
class Connection:
    """A site (``https://www.runninghub.cn``), a key, and the realm its answers belong to."""

    base_url: str
    key: Secret
    realm: Realm = "live"

    def __post_init__(self) -> None:
        if not _is_site(self.base_url):
            hint = "write it as `https://www.runninghub.cn`"
            raise UsageError(Problem("site-address", f"`{self.base_url}` is not the address of a site", hint=hint))
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))

    @property
    def currency(self) -> str:
        """The money of the site: USD on the international one, else CNY."""
        return money_of(self.base_url)


def _is_site(address: str) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises where it is none
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or parts.username)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bare
