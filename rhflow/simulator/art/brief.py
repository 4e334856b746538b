"""What a prompt asks for, as far as a few hundred words can tell: a place, an hour, subjects, a colour, a manner."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rhflow.media.image import Colour
from rhflow.simulator.art import vocabulary as words_for
from rhflow.simulator.art.vocabulary import COLOURS, HOURS, OUTDOORS, PEOPLE, PLACES, SUBJECTS

_WORD = re.compile(r"[a-z]+")
_COUNTED = re.compile(r"[a-z]+|\d+")
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A subject: how many of it, its colour where one is said, of people also age (old, child) and hat."""

    name: str
    count: int = 1
    accent: Colour | None = None
    age: str = ""
    hat: str = ""


@dataclass(frozen=True, slots=True)
class Brief:
    """What to paint: a place, the hour there, up to three subjects, the colour of a field's flowers, the manner.

    ``scale`` is how large the subjects are, 1.0 where nobody says how far they are.
    """

    place: str
    hour: str
    figures: tuple[Figure, ...]
    accent: Colour | None
    bloom: Colour | None
    manner: str
    seed: int
    scale: float = 1.0

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.figures)


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a prompt."""
    return _WORD.findall(text.casefold())


def read_brief(prompt: str, *, seed: int) -> Brief:
    """Return what ``prompt`` asks for; what it leaves open is chosen by the prompt itself, so takes stay alike."""
    words = _COUNTED.findall(prompt.casefold())
    figures = tuple(
        _figure(prompt, words, name) for name in _subjects(_first(_matches(prompt, words, SUBJECTS)), words)
    )
    taste = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big")
    place = _place(words, _most(_matches(prompt, words, PLACES)), [each.name for each in figures])
    if place == "studio":
        figures = figures or (Figure("bottle"),)
    if place in ("studio", "marble") and figures and figures[0].name in PEOPLE:
        place = "table" if any(each.name in words_for.ON_TABLES - {"cat", "dog"} for each in figures) else "backdrop"
    hours = _most(_matches(prompt, words, HOURS))
    bloom = next((words_for.BLOOMS[word] for word in words if word in words_for.BLOOMS), None)
    hour = hours[0] if hours else ("day", "dawn", "sunset", "day", "autumn")[taste // 7 % 5]
    accent = figures[0].accent if figures else next((COLOURS[word] for word in words if word in COLOURS), None)
    manner = next(iter(_listed(prompt, words, words_for.MANNERS)), "")
    scale = next((words_for.FRAMINGS[word] for word in words if word in words_for.FRAMINGS), 1.0)
    return Brief(place, hour, figures, accent, bloom, manner, seed, scale)


def _listed(prompt: str, words: Sequence[str], table: Mapping[str, str]) -> list[str]:
    """Return the entries that the prompt names, in the order of the table."""
    named = {name for _, _, name in _matches(prompt, words, table)}
    return [name for name in table if name in named]


def _subjects(named: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """Return up to three subjects; of people the word that says who says more than "portrait".

    A portrait of a robot is one of nobody else.
    """
    people = [name for name in named if name in PEOPLE]
    posing = any(name in words_for.POSING for name in named) and not words_for.SOMEBODY & frozenset(words)
    kept = [name for name in named if name != "portrait" or (people == ["portrait"] and not posing)]
    return tuple(kept[:3])


def _figure(prompt: str, words: Sequence[str], name: str) -> Figure:
    """Return a subject with what the words around it say of it."""
    said = SUBJECTS[name]
    if name in PEOPLE:
        said = " ".join(SUBJECTS[each] for each in PEOPLE) if name == "portrait" else f"{said} {SUBJECTS['portrait']}"
    listed = frozenset(said.split())
    places = [index for index, word in enumerate(words) if word in listed or word.rstrip("s") in listed]
    own = frozenset(SUBJECTS[name].split())
    mine = [index for index in places if words[index] in own or words[index].rstrip("s") in own]
    before = _before(words, mine[:1])
    count = next((words_for.COUNTS[word] for word in reversed(before) if word in words_for.COUNTS), 0)
    count = count or _counted_signs(prompt, listed) or _plural(words, mine, SUBJECTS[name])
    accent = _accent(words, places)
    if name not in PEOPLE:
        return Figure(name, count, accent)
    ages = _listed(prompt, _before(words, places), words_for.AGES)
    hats = _listed(prompt, words, words_for.HATS)
    return Figure(name, count, accent, (ages or [""])[0], (hats or [""])[0])


def _before(words: Sequence[str], places: Sequence[int]) -> list[str]:
    """Return the words at ``places`` and the few before each."""
    return [words[index] for place in places for index in range(max(0, place - _NEAR), place + 1)]


def _accent(words: Sequence[str], places: Sequence[int]) -> Colour | None:
    """Return the colour that is said of a subject: the one before it that has no other subject to go with."""
    nouns = {word for said in SUBJECTS.values() for word in said.split()}
    subjects = [index for index, word in enumerate(words) if word in nouns or word.removesuffix("s") in nouns]
    for index, word in enumerate(words):
        if word in COLOURS:
            after = [place for place in subjects if 0 < place - index <= _NEAR]
            before = [place for place in subjects if 0 < index - place <= _NEAR]
            if (after[:1] or before[-1:] or [-1])[0] in places:
                return COLOURS[word]
    return None


def _counted_signs(prompt: str, listed: frozenset[str]) -> int:
    """Return a count written in Chinese before the subject, or 0."""
    for sign in listed:
        at = -1 if sign.isascii() else prompt.find(sign)
        for character in prompt[max(0, at - 3) : at] if at > 0 else "":
            if character in words_for.SIGNS:
                return words_for.SIGNS[character]
    return 0


def _plural(words: Sequence[str], places: Sequence[int], said: str) -> int:
    """Return 3 for a plural without a number, else 1."""
    singular = {"sushi", "noodles", "headphones", "sneakers", "shoes", "glasses", "birds", "gulls", "flowers", "tulips"}
    plural = {"men", "women", "people", "children", "ladies", "fishermen"}
    for word in (words[place] for place in places):
        stem = word.removesuffix("s")
        if word in plural or (word != stem and stem in said.split() and word not in singular):
            return 3
    return 1


def _place(words: Sequence[str], ranked: Sequence[str], subjects: Sequence[str]) -> str:
    """Return the place. Words that can only mean a room win, then the outdoors, then where the subject is at home."""
    indoors = [place for place in ranked if place not in OUTDOORS and place != "space"]
    outdoors = [place for place in ranked if place not in indoors]
    said = frozenset(words)
    if said & words_for.STREETS:
        return "street"
    for place, signs in (("marble", words_for.MARBLE), ("room", words_for.ROOMS), ("table", words_for.TABLES)):
        outside = place == "table" and outdoors and subjects and subjects[0] in PEOPLE
        if said & signs and not outside and not (place == "marble" and said & {"plinth", "pedestal"}):
            return place
    if indoors and (said & words_for.ROOM_WORDS or not outdoors):
        if not subjects:
            return indoors[0]
        if subjects[0] in words_for.FURNITURE:
            return "room"
        return "table" if subjects[0] in words_for.ON_TABLES and not said & words_for.STUDIO_WORDS else "studio"
    if outdoors:
        return outdoors[0]
    return _home(subjects)


def _home(subjects: Sequence[str]) -> str:
    """Return where a subject is at home; what nobody has drawn yet is no scene at all."""
    homes = {"tree": "hills", "house": "hills", "bird": "sea", "flower": "table", "bicycle": "street"}
    if not subjects:
        return "abstract"
    return "studio" if subjects[0] in PEOPLE else homes.get(subjects[0], "studio")


def _matches(prompt: str, words: Sequence[str], table: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Return for each entry of ``table`` that the prompt names: how often, where first, and the entry."""
    found: list[tuple[int, int, str]] = []
    for name, text in table.items():
        listed = frozenset(text.split())
        hits = [index for index, word in enumerate(words) if word in listed or word.rstrip("s") in listed]
        signs = [prompt.index(sign) for sign in listed if not sign.isascii() and sign in prompt]
        if hits or signs:
            found.append((len({words[index] for index in hits}) + len(signs), min([*hits, *signs]), name))
    return found


def _most(found: Sequence[tuple[int, int, str]]) -> list[str]:
    """Return the entries, those named by the most words first."""
    return [name for _, _, name in sorted(found, key=lambda each: (-each[0], each[1]))]


def _first(found: Sequence[tuple[int, int, str]]) -> list[str]:
    """Return the entries in the order of their mention."""
    return [name for _, _, name in sorted(found, key=lambda each: each[1])]
