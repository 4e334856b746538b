"""What flows between nodes: JSON values, artifacts, and what a call gave.

An artifact is a file *by content*: two equal files are one artifact, wherever they lie. Links and paths are where it
can be had today and never take part in identity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal, TypeAlias

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
Value: TypeAlias = "None | bool | int | float | str | Artifact | list[Value] | dict[str, Value]"
Realm: TypeAlias = Literal["live", "simulated"]
Family: TypeAlias = Literal["image", "video", "audio", "model3d", "text", "file"]

MAX_TEXT = 1_000_000  # characters that a text made by a template may have: a few lines could ask for gigabytes

EXTENSIONS: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-msvideo": "avi",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "audio/mp4": "m4a",
    "model/gltf-binary": "glb",
    "model/gltf+json": "gltf",
    "model/obj": "obj",
    "model/stl": "stl",
    "application/zip": "zip",
    "application/json": "json",
    "application/x-safetensors": "safetensors",
    "text/plain": "txt",
    "application/octet-stream": "bin",
}
MEDIA_TYPES: Mapping[str, str] = {extension: kind for kind, extension in EXTENSIONS.items()} | {"jpeg": "image/jpeg"}


def family_of(media_type: str) -> Family:
    """Return the family that a media type belongs to; anything unfamiliar is a ``file``."""
    top = media_type.partition("/")[0]
    if top in ("image", "video", "audio", "text"):
        return top  # type: ignore[return-value]
    return "model3d" if top == "model" else "file"


def in_words(family: str) -> str:
    """Return a family as messages say it, with its article: ``an image``, ``sound``."""
    words = {"image": "an image", "video": "a video", "audio": "sound", "model3d": "a 3D model", "text": "text"}
    return words.get(family, "a file")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file by content.

    ``digest`` is the SHA-256 in lower-case hex (64 characters); ``size`` in bytes; ``width`` and ``height`` in pixels;
    ``duration`` in seconds; ``fps`` in frames per second. ``url`` is a link the service gave, which ages; ``path`` is
    where the bytes lie on this machine; ``origin`` is the node of this run that gave it, and the place among what that
    gave. None of the three belongs to the identity.
    """

    digest: str
    media_type: str
    size: int
    name: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None
    url: str | None = field(default=None, compare=False)
    path: str | None = field(default=None, compare=False)
    origin: tuple[str, int] | None = field(default=None, compare=False)

    @property
    def sha256(self) -> str:
        """The digest, by the name that recipes use."""
        return self.digest

    @property
    def family(self) -> Family:
        """What kind of medium this is."""
        return family_of(self.media_type)

    @property
    def extension(self) -> str:
        """The usual file name extension of the media type, without a dot."""
        return EXTENSIONS.get(self.media_type, "bin")

    def to_json(self) -> dict[str, Any]:
        """Return what the store keeps: not the path and the origin, nor empty members."""
        members = (name for name in self.__slots__ if name not in ("path", "origin"))
        return {name: value for name in members if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Artifact:
        """Rebuild an artifact from what ``to_json`` gave."""
        return cls(**data)

    def at(self, path: str) -> Artifact:
        """Return the same artifact, to be had at ``path``."""
        return replace(self, path=path)


@dataclass(frozen=True, slots=True)
class Pending:
    """A value that will be known later, and what is known of it now: its family, and its length in seconds.

    ``new`` is the node that will make it, where that is sure to be nothing that any call has seen before.
    """

    family: Family | None = None
    many: bool = False
    duration: float | None = None
    new: str = ""


ARTIFACT_MEMBERS = ("name", "path", "url", "sha256", "media_type", "size", "width", "height", "duration", "fps")


def member_of(artifact: Artifact, name: str) -> Any:
    """Return a member that recipes may read. Raises AttributeError for any other."""
    if name not in ARTIFACT_MEMBERS:
        raise AttributeError(name)
    return getattr(artifact, name)


def media_in(value: Any) -> Iterator[Artifact | Pending]:
    """Yield every artifact inside a value, also those still to come, in order."""
    stack = [value]
    while stack:
        match stack.pop():
            case Artifact() | Pending() as medium:
                yield medium
            case list() as items:
                stack.extend(reversed(items))
            case dict() as members:
                stack.extend(reversed(members.values()))
            case _:
                pass


def artifacts_in(value: Any) -> Iterator[Artifact]:
    """Yield every artifact inside a value, in order."""
    return (each for each in media_in(value) if isinstance(each, Artifact))


def why_no_text(value: Any) -> tuple[str, str] | None:
    """Say why a value cannot stand inside a text, and what to write instead; None where it can.

    What is no plain data would only print as something odd, and a paid model would be sent that.
    """
    stack = [value]
    while stack:
        match stack.pop():
            case None | bool() | int() | float() | str():
                pass
            case Artifact(name=name):
                shown = f"the file `{name}`" if isinstance(value, Artifact) else "a list with files"
                names = "`| map(attribute='name') | join(', ')`"
                member = "its `.name` or its `.url`" if isinstance(value, Artifact) else names
                return f"{shown} cannot stand inside a text", f"use {member}"
            case list() | tuple() as items:
                stack.extend(items)
            case dict() as members:
                stack.extend(members.values())
            case Mapping():
                return "a whole step cannot stand inside a text", "add the output that is meant, such as `.text`"
            case other:
                return f"a {type(other).__name__} cannot stand inside a text", "call it with `()`, or add `| list`"
    return None


def text_of(value: Any) -> str:
    """Return plain data as it stands inside a text: as JSON writes it, and nothing at all for null."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | tuple | dict) else str(value)


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a call gave: files in the order of the service's reply, and texts.

    ``nodes`` are the ids of the workflow's nodes that made them, first of the files and then of the texts; empty where
    no nodes did.
    """

    files: tuple[Artifact, ...] = ()
    texts: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()

    def by_node(self) -> dict[str, Outputs]:
        """Return what each node gave, by its id."""
        found: dict[str, Outputs] = {}
        everything: list[Artifact | str] = [*self.files, *self.texts]
        for node, made in zip(self.nodes, everything, strict=False):
            before = found.get(node, Outputs())
            if isinstance(made, Artifact):
                found[node] = Outputs((*before.files, made), before.texts)
            else:
                found[node] = Outputs(before.files, (*before.texts, made))
        return found

    def to_json(self) -> dict[str, Any]:
        """Return what the store keeps."""
        document: dict[str, Any] = {"files": [artifact.to_json() for artifact in self.files], "texts": list(self.texts)}
        return document | ({"nodes": list(self.nodes)} if self.nodes else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outputs:
        """Rebuild outputs from what ``to_json`` gave."""
        files = tuple([Artifact(**each) for each in data["files"]])
        return cls(files, tuple(data["texts"]), tuple(data.get("nodes", ())))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (``CNY``, ``USD``, or ``coins`` for RunningHub coins), and ``also`` what is paid next
    to it in others: one task may take coins for a machine and money for a model.
    """

    amount: Decimal
    currency: str = "CNY"
    also: tuple[Money, ...] = ()

    @property
    def parts(self) -> tuple[Money, ...]:
        """What is paid, each currency by itself."""
        return (Money(self.amount, self.currency), *self.also) if self.also else (self,)

    def __str__(self) -> str:
        return " + ".join([f"{each.amount.normalize():f} {each.currency}" for each in self.parts])

    def to_json(self) -> list[str]:
        """Return what the store keeps: amount and currency by turns. Older stores hold the first two."""
        return [text for each in self.parts for text in (str(each.amount), each.currency)]

    @classmethod
    def from_json(cls, data: Sequence[str]) -> Money:
        """Rebuild it from what ``to_json`` gave."""
        also = tuple([cls(Decimal(data[at]), data[at + 1]) for at in range(2, len(data), 2)])
        return cls(Decimal(data[0]), data[1], also)


def money_of(site: str) -> str:
    """Return the currency that the site at an address charges in: USD on the international one, else CNY."""
    host = f".{site.partition('://')[2].partition('/')[0].partition(':')[0]}".casefold()
    return "USD" if host.endswith(".runninghub.ai") else "CNY"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the cache holds under a key: what a finished call gave, and what it took.

    ``ingredients`` are what the key was made of, kept so that a later plan can say what changed. ``created`` is in
    seconds since 1970; ``seconds`` is how long the call took from submit to result.
    """

    key: str
    outputs: Outputs
    ingredients: Mapping[str, Any]
    created: float
    seconds: float = 0.0
    cost: Money | None = None
    model: str | None = None
    task_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the store keeps beside the key."""
        return {
            "outputs": self.outputs.to_json(),
            "ingredients": self.ingredients,
            "created": self.created,
            "seconds": self.seconds,
            "cost": None if self.cost is None else self.cost.to_json(),
            "model": self.model,
            "task_id": self.task_id,
        }

    @classmethod
    def from_json(cls, key: str, data: Mapping[str, Any]) -> Entry:
        """Rebuild an entry from what ``to_json`` gave."""
        cost = data["cost"]
        return cls(  # by place, which is twice as fast as by name: a plan reads thousands
            key,
            Outputs.from_json(data["outputs"]),
            data["ingredients"],
            data["created"],
            data["seconds"],
            None if cost is None else Money.from_json(cost),
            data["model"],
            data["task_id"],
        )
