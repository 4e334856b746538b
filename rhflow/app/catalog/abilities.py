"""What a model can do, as far as its inputs tell: lengths, resolutions, shapes, sound, pictures that go in.

Nothing here is listed by hand, so a model that is new in the catalogue can be found and compared at once. What a model
does without being asked, such as sound that always comes along, is not in the data and so not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from rhflow.core.cost import wire_text
from rhflow.core.kinds import Field, Model
from rhflow.core.values import Value

Shape: TypeAlias = Literal["wide", "tall", "square"]
_SIZE = re.compile(r"(\d+)[x×*](\d+)")
_RATIO = re.compile(r"(\d+):(\d+)")
_FINENESS = re.compile(r"(\d+)([pk])")


@dataclass(frozen=True)
class Abilities:
    """What the inputs of ``model`` say that it can do."""

    model: Model

    @cached_property
    def seconds(self) -> tuple[int, ...]:
        """The lengths in whole seconds that can be asked for; empty where the length cannot be set."""
        field = self._named("duration")
        if field is None or field.type not in ("enum", "integer"):
            return ()
        if field.enum:
            return tuple(sorted({int(each) for each in field.enum if each.isdecimal()} - {0}))
        if field.minimum is None or field.maximum is None:
            return ()
        return tuple(range(max(1, int(field.minimum)), int(field.maximum) + 1))

    @cached_property
    def resolutions(self) -> tuple[str, ...]:
        """The resolutions that can be asked for, as in ``720p`` and ``4k``, the coarsest first."""
        return tuple(sorted(set(self._resolutions), key=_lines))

    @cached_property
    def ratios(self) -> tuple[str, ...]:
        """The aspect ratios that can be asked for by that name, as in ``16:9``."""
        return tuple(each for each in self._choices("aspect_ratio") if _RATIO.fullmatch(each))

    @cached_property
    def shapes(self) -> frozenset[Shape]:
        """Whether results can be asked for that are wide, tall or square."""
        choices = [each for name in ("aspect_ratio", "size", "resolution") for each in self._choices(name)]
        found = (_RATIO.fullmatch(each) or _SIZE.fullmatch(each) for each in choices)
        return frozenset(_shape(int(each[1]), int(each[2])) for each in found if each is not None)

    @cached_property
    def audio(self) -> bool:
        """Whether it gives sound: by itself, with a clip when asked, or by making a face speak what goes in."""
        given = any(each.type == "audio" and each.required for each in self.model.fields)
        return self.model.output == "audio" or self._named("with_audio") is not None or given

    @cached_property
    def first_and_last(self) -> bool:
        """Whether a clip can be told its first and its last picture."""
        return self._named("last_frame") is not None

    @cached_property
    def images(self) -> int:
        """How many pictures go in at most, by one name; 0 where the data does not tell."""
        field = self._named("images")
        listed = field.max_items or 0 if field is not None else 0
        return max(listed, len(self.model.spread.get("images", ())))

    def given(self, *, seconds: int | None = None, resolution: str | None = None) -> Mapping[str, Value]:
        """Return these wishes as inputs by the model's own names, as far as it has them."""
        wishes: dict[str, Value] = {}
        if seconds is not None and (field := self._named("duration")) is not None:
            wishes[field.name] = str(seconds) if field.enum else seconds
        if resolution is not None and (field := self._named("resolution")) is not None:
            wishes.update((field.name, each) for each in field.enum if each.casefold() == resolution)
        return wishes

    def words(self) -> list[str]:
        """Return what helps to choose, in short, the most important first: ``1-10 s``, ``540p-1080p``, ``sound`` …"""
        shapes = [each for each in ("wide", "tall", "square") if each in self.shapes]
        return [
            *_joined([f"{_lengths(self.seconds)} s"] if self.seconds else []),
            *_joined([self.resolutions[0], self.resolutions[-1]] if self.resolutions else []),
            *(["sound"] if self._named("with_audio") is not None else []),
            *(["first+last"] if self.first_and_last else []),
            *([f"{self.images} images"] if self.images > 1 else []),
            *(["/".join(shapes)] if shapes else []),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what scripts read."""
        return {
            "seconds": list(self.seconds),
            "resolutions": list(self.resolutions),
            "ratios": list(self.ratios),
            "shapes": sorted(self.shapes),
            "audio": self.audio,
            "first_and_last": self.first_and_last,
            "images": self.images,
        }

    @property
    def _resolutions(self) -> Iterable[str]:
        fineness, size = self._choices("resolution"), self._choices("size")
        yield from (each.casefold() for each in fineness if _FINENESS.fullmatch(each.casefold()))
        if self.model.output == "video":  # a size of a clip is known by its shorter side
            sizes = (_SIZE.fullmatch(each) for each in (*fineness, *size))
            yield from (f"{min(int(found[1]), int(found[2]))}p" for found in sizes if found is not None)

    def _choices(self, name: str) -> tuple[str, ...]:
        field = self._named(name)
        return field.enum if field is not None else ()

    def _named(self, name: str) -> Field | None:
        return next((each for each in self.model.fields if (each.alias or each.name) == name), None)


def _joined(ends: list[str]) -> list[str]:
    return ["-".join(dict.fromkeys(ends))] if ends else []


def _lengths(seconds: tuple[int, ...]) -> str:
    """Return lengths as a range where they leave nothing out, or else each of them."""
    first, last = seconds[0], seconds[-1]
    if len(seconds) > 2 and last - first == len(seconds) - 1:
        return f"{first}-{last}"
    return "/".join(map(wire_text, seconds))


def _shape(width: int, height: int) -> Shape:
    return "wide" if width > height else "tall" if width < height else "square"


def _lines(resolution: str) -> int:
    """Return about how many lines a resolution has, to sort by."""
    number, unit = int(resolution[:-1]), resolution[-1]
    return number if unit == "p" else number * 540
