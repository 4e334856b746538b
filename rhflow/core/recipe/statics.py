"""Parameters and variables as far as the recipe alone tells: what can be checked without a run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rhflow.core.errors import Problem, RecipeError
from rhflow.core.recipe.document import Pipeline
from rhflow.core.recipe.params import parse_param
from rhflow.core.recipe.template import Template, resolve, templates_in
from rhflow.core.text.located import Pointer
from rhflow.core.values import Family


class NotKnownError(Exception):
    """A value that the recipe alone does not tell; ``family`` where that much is known of it."""

    def __init__(self, family: Family | None) -> None:
        super().__init__()
        self.family = family


class StaticParams(Mapping[str, Any]):
    """Parameters as far as the recipe alone tells: defaults are values, the others are not known."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def __getitem__(self, name: str) -> Any:
        param = self._pipeline.params[name]
        if param.is_media:
            raise NotKnownError(param.type)  # type: ignore[arg-type]
        if param.required or param.default is None:
            raise NotKnownError(None)
        try:
            return parse_param(param, param.default)
        except ValueError:
            raise NotKnownError(None) from None  # the default itself is a problem already

    def __iter__(self) -> Iterator[str]:
        return iter(self._pipeline.params)

    def __len__(self) -> int:
        return len(self._pipeline.params)


class StaticVars(Mapping[str, Any]):
    """Variables as far as the recipe alone tells, each worked out once, in order; ``problems`` are those met."""

    def __init__(self, pipeline: Pipeline, broken: Collection[Pointer]) -> None:
        self.problems: list[Problem] = []
        self._values: dict[str, Any] = {}
        self._unknown: dict[str, Family | None] = {}
        names = {"params": StaticParams(pipeline), "vars": self, "env": Later(), "run": Later()}
        for name, value in pipeline.vars.items():
            self._unknown[name] = None
            if any(each.broken or each.pointer in broken for each in templates_in(value)):
                continue
            try:
                self._values[name] = resolve(value, names)
                del self._unknown[name]
            except NotKnownError as unknown:
                self._unknown[name] = unknown.family if isinstance(value, Template) and value.exact else None
            except RecipeError as error:
                self.problems += error.problems

    def __getitem__(self, name: str) -> Any:
        if name in self._unknown:
            raise NotKnownError(self._unknown[name])
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield from self._unknown

    def __len__(self) -> int:
        return len(self._values) + len(self._unknown)


class Later(Mapping[str, Any]):
    """Names that are only known when a run begins."""

    def __getitem__(self, name: str) -> Any:
        raise NotKnownError(None)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
