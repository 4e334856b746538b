"""Inputs as written to inputs as sent: uniform names mapped onto the model's own, defaults filled in.

One function serves the check without running, the plan and the run: what is not known yet passes as ``Pending``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rhflow.core.cost import wire_text
from rhflow.core.errors import RecipeError, did_you_mean, nearest
from rhflow.core.inputs.coerce import BadValueError, LocalFile, coerce, is_pending, one_by_one
from rhflow.core.inputs.ratios import pixels, sides_of_ratio, size_of_ratio
from rhflow.core.kinds import Field, KindSpec, Model
from rhflow.core.values import Artifact

# Where a model has no field of a uniform name, the next best that means the same.
_FALLBACKS: Mapping[str, tuple[str, ...]] = {
    "image": ("first_frame", "images"),
    "images": ("image", "first_frame"),
    "first_frame": ("image", "images"),
    "video": ("videos",),
    "videos": ("video",),
    "audio": ("audios",),
    "audios": ("audio",),
    "text": ("prompt",),
    "prompt": ("text",),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong with one input, by the name the author used; None where an input is missing.

    ``item`` tells which item of a list, or member of a mapping, it is.
    """

    name: str | None
    code: str
    message: str
    hint: str | None = None
    item: int | str | None = None


@dataclass(slots=True)
class Bound:
    """Inputs by the service's own names. ``filled`` are those taken from the catalogue's defaults.

    ``pending`` are the names of those whose values are not known yet.
    """

    values: dict[str, Any] = field(default_factory=dict)
    filled: tuple[str, ...] = ()
    troubles: list[Trouble] = field(default_factory=list)
    pending: frozenset[str] = frozenset()


class Signature:
    """What one model (or kind of rhflow's own) takes: compiled once, used for every node."""

    def __init__(
        self, name: str, fields: Sequence[Field], model: Model | None = None, *, kind: KindSpec | None = None
    ) -> None:
        self.name = name
        self.fields = fields
        self._own = {each.name: each for each in fields}
        self._aliases = {each.alias: each for each in fields if each.alias}
        self._spread = dict(model.spread) if model is not None else {}
        self._any_of = model.any_of if model is not None else kind.any_of if kind is not None else ()
        self._never_both = kind.never_both if model is None and kind is not None else ()
        self._only_with = kind.only_with if model is None and kind is not None else ()
        self._implied = model.implied if model is not None else ()
        self._required = [each for each in fields if each.required]
        self._routes: dict[str, Callable[[Bound, Any, LocalFile], None] | None] = {}
        self._orders: dict[tuple[str, ...], Sequence[str]] = {}

    def bind(self, given: Mapping[str, Any], local: LocalFile, *, tainted: Collection[str] = ()) -> Bound:
        """Return ``given`` by the service's names, coerced, with defaults of required fields filled in.

        ``local`` turns a local path into an artifact, raising RecipeError. ``tainted`` names the inputs computed from
        earlier outputs: a text in one of them is never taken for a path, or a model's reply could read any file.
        """
        bound = Bound()
        for name in self._in_order(tuple(given)):
            self._bind_one(bound, name, given[name], _refuse_path if name in tainted else local)
        self._imply(bound)
        self._exclude(bound)
        self._fill(bound)
        bound.pending = frozenset([name for name, value in bound.values.items() if is_pending(value)])
        return bound

    def _in_order(self, names: tuple[str, ...]) -> Sequence[str]:
        """Return names, the more exact last, so that it wins: the order of writing must not change what is sent."""
        if names not in self._orders:
            self._orders[names] = sorted(names, key=self._exactness)
        return self._orders[names]

    def _exactness(self, name: str) -> tuple[int, str]:
        """Rank a name: the model's own above the uniform name of one field above what only stands for it."""
        return (2 if name in self._own else 1 if name in self._aliases else 0), name

    def _bind_one(self, bound: Bound, name: str, value: Any, local: LocalFile) -> None:
        if name not in self._routes:
            self._routes[name] = self._route(name)
        route = self._routes[name]
        if route is None:
            near = self._meant(name)
            hint = f"did you mean `{near}`?" if near is not None else did_you_mean(name, self.names(), limit=16)
            bound.troubles.append(Trouble(name, "unknown-input", f"`{self.name}` takes no input `{name}`", hint))
            return
        if value is None:
            return
        try:
            route(bound, value, local)
        except BadValueError as error:
            hint = error.hint or self._other_sound(name)
            bound.troubles.append(Trouble(name, error.code, f"`{name}`: {error.message}", hint, error.item))
        except RecipeError as error:
            first = error.problems[0]
            bound.troubles.append(Trouble(name, first.code, f"`{name}`: {first.message}", first.hint))

    def _other_sound(self, name: str) -> str | None:
        """Return where a sound goes that was given to a switch: some models call the switch ``audio``."""
        if (field := self.field_for(name)) is None or field.alias != "with_audio":
            return None
        sounds = [each.name for each in self.fields if each.type.removesuffix("[]") == "audio"]
        elsewhere = f"; a sound goes in `{sounds[0]}`" if sounds else ", and this model takes no sound"
        return f"`{name}` only switches sound on or off here{elsewhere}"

    def _meant(self, name: str) -> str | None:
        """Return the name that a misspelled one was most likely meant to be."""
        return nearest(name, [*self.names(), *(each for each in _FALLBACKS if self.field_for(each) is not None)])

    def names(self) -> list[str]:
        """Return the names an author may use: uniform where there is one, else the model's own."""
        return [each.alias or each.name for each in self.fields]

    def field_for(self, name: str) -> Field | None:
        """Return the field that ``name`` leads to when it leads to exactly one."""
        for each in (name, *_FALLBACKS.get(name, ())):
            found = self._own.get(each) or self._aliases.get(each)
            if found is not None:
                return found
        return None

    def _route(self, name: str) -> Callable[[Bound, Any, LocalFile], None] | None:
        if name not in self._own and name in self._spread:
            fields = [self._own[each] for each in self._spread[name]]
            return lambda bound, value, local: _spread(bound, fields, value, local)
        if (found := self.field_for(name)) is not None:
            return lambda bound, value, local: bound.values.__setitem__(found.name, coerce(found, value, local))
        if name == "aspect_ratio":
            return self._ratio_route()
        return None

    def _ratio_route(self) -> Callable[[Bound, Any, LocalFile], None] | None:
        """Serve ``aspect_ratio`` on a model that only knows pixel sizes."""
        for alias in ("size", "resolution"):
            sized = self._aliases.get(alias)
            if sized is not None and sum(pixels(each) is not None for each in sized.enum) >= 2:
                return lambda bound, value, _: bound.values.setdefault(sized.name, size_of_ratio(sized, value))
        width, height = self._aliases.get("width"), self._aliases.get("height")
        if width is None or height is None:
            return None

        def set_both(bound: Bound, value: Any, _: LocalFile) -> None:
            wide, high = sides_of_ratio(width, height, value)
            bound.values.setdefault(width.name, wide)
            bound.values.setdefault(height.name, high)

        return set_both

    def _imply(self, bound: Bound) -> None:
        """Set what follows from what was given: pixels, say, count only where the ratio is `custom`."""
        for rule in self._implied:
            given = bound.values.get(rule.field)
            if given is None or (rule.value is not None and (is_pending(given) or wire_text(given) != rule.value)):
                continue
            now = bound.values.setdefault(rule.then, rule.becomes)
            if rule.only and now != rule.becomes and not is_pending(now):
                names = [self._own[each].alias or each for each in (rule.field, rule.then)]
                message = f"`{names[0]}` counts only where `{names[1]}` is `{rule.becomes}`, not `{now}`"
                hint = f"leave out `{names[0]}` or `{names[1]}`"
                bound.troubles.append(Trouble(names[0], "conflict", message, hint))

    def _exclude(self, bound: Bound) -> None:
        """Refuse two fields of which only one can count."""
        for one, other in self._never_both:
            if one in bound.values and other in bound.values:
                message = f"`{one}` and `{other}` exclude each other"
                bound.troubles.append(Trouble(other, "conflict", message, f"leave out `{one}` or `{other}`"))
        for rule in self._only_with:
            given = bound.values.get(rule.field)
            if given is None or rule.other in bound.values or rule.value not in (None, given):
                continue
            what = rule.field if rule.value is None else f"{rule.field}: {rule.value}"
            hint = f"add `{rule.other}`, or leave out `{rule.field}`"
            message = f"`{what}` goes only with `{rule.other}`"
            bound.troubles.append(Trouble(rule.field, "conflict", message, hint))

    def _fill(self, bound: Bound) -> None:
        filled: list[str] = []
        for each in self._required:
            if each.name in bound.values:
                continue
            if each.default is not None:
                bound.values[each.name] = each.default
                filled.append(each.name)
            elif not self._is_troubled(bound, (each.name,)):
                self._miss(bound, each)
        for group in self._any_of:
            troubled = self._is_troubled(bound, group) or self._is_misspelled(bound, group)
            if not troubled and not any(name in bound.values for name in group):
                names = " or ".join(f"`{self._own[name].alias or name}`" for name in group if name in self._own)
                hint = "add one of them under `with`"
                bound.troubles.append(Trouble(None, "missing-input", f"`{self.name}` needs {names}", hint))
        bound.filled = tuple(filled)

    def _is_troubled(self, bound: Bound, names: Collection[str]) -> bool:
        """Whether one of these fields was given and refused: then it is not missing as well."""
        for trouble in bound.troubles:
            leads_to = self.field_for(trouble.name) if trouble.name is not None else None
            spread = self._spread.get(trouble.name or "", ())
            if (leads_to is not None and leads_to.name in names) or not set(spread).isdisjoint(names):
                return True
        return False

    def _miss(self, bound: Bound, missing: Field) -> None:
        shown = missing.alias or missing.name
        if self._is_misspelled(bound, (missing.name,)):
            return
        hint = f"add `{shown}: …` under `with`"
        if missing.enum:
            hint = f"add `{shown}:` with one of " + ", ".join(f"`{each}`" for each in missing.enum[:8])
        bound.troubles.append(Trouble(None, "missing-input", f"`{self.name}` needs `{shown}`", hint))

    def _is_misspelled(self, bound: Bound, names: Collection[str]) -> bool:
        """Whether one of these fields is there under a name that was most likely meant to be its own."""
        for trouble in bound.troubles:
            near = self._meant(trouble.name) if trouble.code == "unknown-input" and trouble.name else None
            leads_to = self.field_for(near) if near is not None else None
            if leads_to is not None and leads_to.name in names:
                return True
        return False


def _refuse_path(text: str) -> Artifact:
    raise BadValueError("not-a-file", f"the text `{text[:60]}` came from a step and is neither a file nor a link")


def _spread(bound: Bound, fields: Sequence[Field], value: Any, local: LocalFile) -> None:
    items = value if isinstance(value, list) else [value]
    if len(items) > len(fields):
        raise BadValueError("too-many", f"{len(items)} files given, at most {len(fields)} taken")
    taken = one_by_one(items, lambda at, item: coerce(fields[at], item, local))
    bound.values |= {each.name: item for each, item in zip(fields, taken, strict=False)}
