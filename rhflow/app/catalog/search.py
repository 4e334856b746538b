"""Finding models by words, the best first.

A model is found when every word holds for it, by its meaning or in its names. What a word means (a kind, a length …)
counts more than where it happens to stand in a name; among equals the defaults of kinds come first, then what costs
least.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rhflow.app.catalog.wanted import Term, Vocabulary, Words
from rhflow.catalog.catalog import Catalog
from rhflow.catalog.rows import display_names
from rhflow.core.errors import nearest
from rhflow.core.kinds import KindSpec, Model

_EXACT, _MEANT, _PART, _BEGINNING, _INSIDE, _ASIDE = range(6)
Tasks = Callable[[Sequence[str]], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for words in a catalogue; ``tasks`` returns those that names of kinds stand for."""

    catalog: Catalog
    kinds: Mapping[str, KindSpec]
    defaults: Mapping[str, Sequence[str]]
    tasks: Tasks

    @property
    def vocabulary(self) -> Vocabulary:
        """The phrases that stand for conditions."""
        tasks = {task for each in self.catalog.all() for task in each.tasks}
        return Vocabulary(sorted(tasks | {name for name, kind in self.kinds.items() if kind.tasks}))

    def find(self, words: Words) -> list[Model]:
        """Return the models for which every word holds, the best first."""
        found = []
        for model in self.catalog.all():
            texts = self._texts(model)
            fits = [self._fit(term, model, *texts) for term in words.terms]
            if all(fit is not None for fit in fits):
                found.append((self._rank(model, sum(filter(None, fits)), words), model))
        return [model for _, model in sorted(found, key=lambda each: each[0])]

    def _rank(self, model: Model, distance: int, words: Words) -> tuple[object, ...]:
        name = "-".join(each.text for each in words.terms)
        served = self.defaults.get(model.id, ())
        asked = {task for each in words.terms if each.means for task in self.tasks(each.means.kinds)}
        default = 0 if asked & set(served) else 1 if served else 2
        order = next((at for at, kind in enumerate(self.kinds.values()) if {*kind.tasks} & {*served}), 0)
        cost = words.together.cost(model)
        price = (cost.high is None, cost.high or cost.low)
        free = (False, Decimal(0))
        useless = not model.callable or model.status != "active"
        cheap = price if words.cheap else free
        return (useless, model.id != name, distance, cheap, default, order, price, model.id)

    def _fit(self, term: Term, model: Model, names: Sequence[str], aside: Sequence[str]) -> int | None:
        """Return how far a term is from what a model is, or None where it does not hold at all."""
        if term.means is not None and term.means.holds(model, self.tasks(term.means.kinds)):
            return _EXACT if term.means.audio and model.output == "audio" else _MEANT
        spelt = {term.text, term.text.replace(" ", "-")}
        found = [_place(each, text) for each in spelt for text in names if each in text]
        if found:
            return min(found)
        if term.means is None and any(each in text for each in spelt for text in aside):
            return _ASIDE
        return None

    def _texts(self, model: Model) -> tuple[list[str], list[str]]:
        """Return the names of a model, and what is said of it and its inputs."""
        row = self.catalog.row(model.id)
        names = [model.id, *display_names(row), model.vendor, row["family"], *model.tasks]
        inputs = [name for each in model.fields for name in (each.name, each.alias or "")]
        said = [kind.description for kind in self.kinds.values() if set(kind.tasks) & set(model.tasks)]
        return [each.casefold() for each in names], [each.casefold() for each in (*inputs, *said)]

    # --- when nothing is found ---------------------------------------------------------------------------------------

    def instead(self, words: Sequence[str]) -> str:
        """Return what to try when words find nothing: only a command that finds something."""
        asked = " ".join(words).casefold().split()
        for each in asked:
            if each in self.kinds and not self.kinds[each].tasks:
                return f"`{each}` is a kind of step that needs no model: `uses: {each}`"
        vocabulary = self.vocabulary
        for fewer in self._tries(asked, vocabulary):
            if found := self.find(vocabulary.read(fewer)):
                command, count = f"rhflow models search {' '.join(fewer)}", len(found)
                if len(fewer) == len(asked):
                    return f"did you mean `{command}`?"
                return f"`{command}` finds {count}"
        return "`rhflow models list` shows them all"

    def _tries(self, asked: list[str], vocabulary: Vocabulary) -> Iterator[list[str]]:
        """Yield searches that are near: the wrong words corrected, then each word left out."""
        known = {part for each in self._all_names() for part in re.split(r"[^a-z]+", each) if len(part) > 2}
        known |= {each for each in vocabulary.phrases if " " not in each}
        right = {each for each in asked if self.find(vocabulary.read([each]))}
        corrected = [each if each in right else nearest(each, sorted(known)) for each in asked]
        if right != set(asked) and all(corrected):
            yield [str(each) for each in corrected]
        if len(asked) > 1:
            rest = [each for each in asked if each in right]
            if len(rest) < len(asked) and rest:
                yield rest
            yield from (asked[:at] + asked[at + 1 :] for at in reversed(range(len(asked))))

    def _all_names(self) -> Iterator[str]:
        return (text for each in self.catalog.all() for text in self._texts(each)[0])


def _place(word: str, text: str) -> int:
    """Return how well a word stands in a name: as all of it, as a part, at the beginning of one, or inside."""
    if word == text:
        return _EXACT
    begins = rf"(?<![a-z0-9]){re.escape(word)}"
    if re.search(rf"{begins}(?![a-z0-9])", text):
        return _PART
    return _BEGINNING if re.search(begins, text) else _INSIDE
