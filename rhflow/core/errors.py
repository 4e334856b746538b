"""What can go wrong, as data: a place in a text, and a problem there.

Raise sites supply data, never layout; ``rhflow.cli.render`` is the one printer. Nothing here imports another module
of rhflow, so that every room can report in the same words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import ClassVar, Literal, Self


@dataclass(frozen=True)
class Source:
    """A text with the name the user knows it by."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line begins."""
        return [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", self.text))]

    def line(self, number: int) -> str:
        """Return line ``number`` (from 1) without its end, or an empty string past the end."""
        if not 0 < number <= len(self.line_starts):
            return ""
        end = self.line_starts[number] if number < len(self.line_starts) else len(self.text)
        return self.text[self.line_starts[number - 1] : end].rstrip("\r\n")

    def span(self, start: int, end: int) -> Span:
        """Return the place between two offsets of the text."""
        starts = self.line_starts
        first = bisect_right(starts, start) - 1
        last = max(first, bisect_right(starts, max(start, end - 1)) - 1)
        return Span(self, first + 1, start - starts[first] + 1, last + 1, end - starts[last] + 1)


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a source: lines and columns count from 1, the end is exclusive."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing the user should know: the only thing a user-facing error is made of.

    ``code`` is stable and kebab-case; ``message`` is present tense, lower case, without a final period, literals in
    backticks; ``hint`` says what to type. ``input`` is where below a step's ``with`` it lies, told by those who see
    values only and not the recipe.
    """

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"
    input: tuple[str, ...] = ()


class RhflowError(Exception):
    """An error made of problems; ``exit_code`` is what the command line ends with.

    Exit codes: 1 a step failed, 2 usage, 3 recipe invalid, 4 the API refused, 5 outcome unknown, 6 stopped by budget.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))

    def with_problems(self, problems: Iterable[Problem]) -> Self:
        """Return the same error about other problems, whatever errors of its class are made of."""
        found = type(self).__new__(type(self))
        found.__dict__.update(self.__dict__)
        RhflowError.__init__(found, problems)
        return found


class StepError(RhflowError):
    """A step could not be carried out."""


class TransientError(StepError):
    """A step failed for a reason that may pass: ``failed`` on the service, or a ``timeout`` of the waiting."""

    reason: Literal["failed", "timeout"] = "failed"


class StepTimeoutError(TransientError):
    """The waiting ended, not the task."""

    reason = "timeout"


class StoreError(RhflowError):
    """The store, or a folder for delivered files, cannot be used."""


class UsageError(RhflowError):
    """The command line asks for something that does not exist."""

    exit_code = 2


class RecipeError(RhflowError):
    """The recipe, or a parameter given to it, is not valid. Its problems are in the order of their places."""

    exit_code = 3

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        super().__init__(problems if isinstance(problems, Problem) else sorted(problems, key=by_place))


def by_place(problem: Problem) -> tuple[int, int]:
    """Return what problems are sorted by: line and column; those without a place come first."""
    return (problem.span.line, problem.span.column) if problem.span is not None else (0, 0)


class RefusedError(RhflowError):
    """The service refused: key, balance, plan or policy."""

    exit_code = 4


class UnknownOutcomeError(RhflowError):
    """A paid request may or may not have been accepted; it is never sent again by itself."""

    exit_code = 5


class NotBegun(Exception):  # noqa: N818 -- nothing went wrong
    """A call was not begun, nothing was sent or paid: the run starts nothing more."""


class BudgetError(RhflowError):
    """The plan, or the run, costs more than its budget allows."""

    exit_code = 6


_LONGEST_WORD = 100
_MOST_CHOICES = 2_000


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that ``word`` was most likely meant to be, or None."""
    import difflib  # imported late: only needed when something is already wrong

    if len(word) > _LONGEST_WORD:  # comparing takes the product of the lengths
        return None
    by_fold = {each.casefold(): each for each in islice(choices, _MOST_CHOICES) if len(each) <= _LONGEST_WORD}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, choices: Iterable[str], *, limit: int = 8) -> str | None:
    """Return a hint with the nearest right word, or else with the choices when they are few."""
    listed = list(choices)
    if (found := nearest(word, listed)) is not None:
        return f"did you mean `{found}`?"
    if 0 < len(listed) <= limit:
        return "choose from " + ", ".join(f"`{choice}`" for choice in listed)
    return None
