"""What a step can be, as data: kinds, models, and the fields they take.

The catalogue room fills these in; the core reads them and never meets the code that serves a kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from rhflow.core.values import Family, Json

FieldType = Literal[
    "string", "enum", "boolean", "integer", "number", "object", "values", "image", "video", "audio", "file",
    "string[]", "enum[]", "object[]", "image[]", "video[]", "audio[]", "file[]",
]  # fmt: skip
MEDIA: frozenset[str] = frozenset({"image", "video", "audio", "file", "image[]", "video[]", "audio[]", "file[]"})


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a model or kind, by the service's own name.

    ``alias`` is the uniform name that stands for it (``prompt``, ``image``, ``aspect_ratio`` …), None where there is
    none. Enum values are strings, also ``"5"`` and ``"true"``. ``max_mb`` counts 10^6 bytes; ``formats`` are file name
    extensions. ``item`` says what a plain file becomes in a list of objects: members with their values, where
    ``{file}`` stands for the file and ``{n}`` for its number from 1. ``values`` are plain values and files by the name
    of what takes them, which is ``node.field`` when ``dotted``. A field that is not ``keyed`` changes how a call is
    made and not what it gives. A text matches ``pattern`` as a whole, which messages call ``form``. ``about`` says what
    a field of rhflow's own is for, where its name alone does not.
    """

    name: str
    type: FieldType
    required: bool = False
    default: Json = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    max_length: int | None = None
    max_items: int | None = None
    max_mb: float | None = None
    formats: tuple[str, ...] = ()
    alias: str | None = None
    item: tuple[tuple[str, str], ...] = ()
    dotted: bool = False
    keyed: bool = True
    pattern: str | None = None
    form: str | None = None
    about: str | None = None

    @property
    def is_list(self) -> bool:
        """Whether the service wants a list, even for one item."""
        return self.type.endswith("[]")

    @property
    def is_media(self) -> bool:
        """Whether the value is a file."""
        return self.type in MEDIA


@dataclass(frozen=True, slots=True)
class Implied:
    """What follows for the field ``then`` from giving ``field`` (the value ``value``, where one is told).

    It is sent as ``becomes`` unless given. ``only``: next to ``field`` any other value makes no sense.
    """

    field: str
    then: str
    becomes: str
    value: str | None = None
    only: bool = False


@dataclass(frozen=True, slots=True)
class OnlyWith:
    """The field ``field`` (its value ``value``, where one is told) counts only next to the field ``other``."""

    field: str
    other: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """A list price: ``fixed``, or the first of ``rules`` whose conditions all hold, or at least ``lowest``.

    ``unit``: ``call``, ``second`` (of output), ``image``, ``5-seconds`` or ``1000-characters``. A rule condition with
    an empty value means "times the value of that field". Facts of the day ``as_of``, not a quotation.
    """

    unit: str
    currency: str = "CNY"
    fixed: Decimal | None = None
    rules: tuple[tuple[Mapping[str, str], Decimal], ...] = ()
    lowest: Decimal | None = None
    floor: bool = False
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A hosted model: where it is called, what it takes, what it gives.

    ``spread`` says over which single fields, in order, a list given by a uniform name goes (``images`` over
    ``imageUrl``, ``imageUrl2`` …). ``any_of`` holds groups of fields; a call needs at least one field of each group.
    ``implied`` is what follows for one field from another. ``successor`` is the model to use instead of one that is
    withdrawn or cannot be called.
    """

    id: str
    title: str
    endpoint: str
    tasks: tuple[str, ...]
    output: Family
    fields: tuple[Field, ...]
    price: Price | None = None
    status: Literal["active", "withdrawn"] = "active"
    callable: bool = True
    note: str | None = None
    vendor: str = ""
    successor: str | None = None
    spread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    any_of: tuple[tuple[str, ...], ...] = ()
    implied: tuple[Implied, ...] = ()
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})

    def field_named(self, name: str) -> Field | None:
        """Return the field with the service's own ``name``."""
        return self.by_name.get(name)


@dataclass(frozen=True, slots=True)
class KindSpec:
    """Data about a kind of step.

    ``tasks`` are the catalogue tasks that serve it (``upscale`` is served by two); a kind without tasks is served by
    rhflow itself and carries its own ``fields``, of which ``subject`` says what is called where no model does.
    ``pool`` names the limit its calls count against. Raise ``version`` when the meaning of a kind changes: it is part
    of every cache key. Of its own fields a call needs one of each group of ``any_of`` and takes no two of a pair of
    ``never_both``, and what is ``only_with`` another next to that; the media in the field ``joins`` come one after
    another in the result. One that ``keeps`` the medium gives a picture for a picture and a clip for a clip.
    """

    name: str
    version: int
    pool: Literal["account", "transfer", "local"]
    output: Family
    description: str
    tasks: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    paid: bool = True
    typical_seconds: float = 1.0
    subject: str | None = None
    any_of: tuple[tuple[str, ...], ...] = ()
    never_both: tuple[tuple[str, str], ...] = ()
    only_with: tuple[OnlyWith, ...] = ()
    joins: str | None = None
    keeps: bool = False

    @property
    def unkeyed(self) -> frozenset[str]:
        """The names of its own fields that are no part of a cache key."""
        return frozenset(each.name for each in self.fields if not each.keyed)


class Models(Protocol):
    """The catalogue as the core needs it: look-ups over data, no effects."""

    def find(self, reference: str) -> Model | None:
        """Return the model with this id, display name or endpoint path (present or former)."""

    def default_for(self, task: str) -> Model | None:
        """Return the model used for ``task`` when a step names none."""

    def names(self, tasks: Sequence[str] = ()) -> Sequence[str]:
        """Return the ids of the models that serve one of ``tasks`` (of all models when empty)."""
