"""A value for a member that a prompt asks for: its example says the type, its name what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rhflow.core.values import Json
from rhflow.simulator.writing.notation import Sample, Slot
from rhflow.simulator.writing.subject import content_of, noun_of, sentences_of

_SHOTS: Final = ("wide shot", "medium shot", "close-up", "over-the-shoulder shot", "low-angle shot", "aerial shot",
                 "tracking shot", "detail shot", "long shot", "extreme wide shot")  # fmt: skip
_MOVES: Final = ("slow push in", "static", "pan left", "slow pull out", "tilt up", "handheld", "pan right", "orbit")
_LIGHTS: Final = ("low golden light", "soft side light", "an even overcast sky", "a single warm lamp",
                  "clear morning light", "blue dusk", "hard noon sun", "moonlight")  # fmt: skip
_MOODS: Final = ("calm", "hopeful", "tense", "tender", "lonely", "playful", "solemn", "warm")
_PLACES: Final = ("a quiet harbour", "a narrow street", "an open field", "a small kitchen", "a hillside path",
                  "a station platform", "an old workshop", "a rooftop")  # fmt: skip
_SOUNDS: Final = ("wind and distant gulls", "slow piano", "steps on gravel", "a low hum", "rain on glass",
                  "soft strings", "birds at dawn", "silence")  # fmt: skip
_ACTS: Final = (
    "coming into view",
    "seen from afar",
    "waiting as the light changes",
    "very close",
    "turning towards us",
    "fading into the distance",
    "caught in a quiet moment",
    "coming to rest",
)
_LINES: Final = ("I knew you would come back.", "Wait. Listen.", "It was never about the weather.",
                 "We still have time.", "Look at it now.", "Nobody told me it was this quiet.",
                 "Then we begin again.", "Stay a little longer.")  # fmt: skip
_SLUGS: Final = ("opening", "arrival", "close-up", "detail", "turn", "pause", "reveal", "climax", "return", "ending")
_HUES: Final = ("#2f6fb5", "#d1382f", "#e8a023", "#1e8c8c", "#6f4aa3", "#3f9a5a", "#7d5437", "#e58fa6")
_COLOURS: Final = ("deep blue", "rust red", "amber", "teal", "violet", "moss green", "umber", "rose")
_PEOPLE: Final = ("Mara", "Jonas", "Ada", "Tomas", "Yun", "Elif", "Ravi", "Noor")
_LONGEST_KEY: Final = 20


@dataclass(slots=True)
class Topic:
    """What is written about: the subject, what is counted (``noun``), the keys that are taken.

    ``turn`` makes takes differ.
    """

    subject: str
    noun: str = ""
    turn: int = 0
    keys: set[str] = field(default_factory=set)

    @property
    def told(self) -> str:
        return self.subject or "the subject"

    @property
    def sentences(self) -> Sequence[str]:
        return sentences_of(self.subject) or ["the subject"]

    def pick(self, options: Sequence[str], index: int) -> str:
        """Return one of ``options``, another for each item as long as there are enough."""
        return options[(self.turn + index) % len(options)]


def fill(sample: Sample, topic: Topic, *, count: int, index: int = 0, name: str = "") -> Json:
    """Return a value like ``sample``; a list of objects in it has ``count`` items, the ``index`` counts them."""
    if isinstance(sample, dict):
        return {each: fill(part, topic, count=count, index=index, name=each) for each, part in sample.items()}
    if isinstance(sample, list):
        part = sample[0] if sample else Slot()
        amount = (
            count if isinstance(part, dict) or not name or (count > 1 and not _is_tags(name)) else max(3, len(sample))
        )
        inner = 2 if name and isinstance(part, dict) else 1
        part_name = name if isinstance(part, dict) else _single(name)
        return [
            fill(part, topic, count=inner, index=index * (part_name != name) + at, name=part_name)
            for at in range(amount)
        ]
    if isinstance(sample, bool):
        return index % 2 == 0 if sample else index % 2 == 1
    if isinstance(sample, int | float):
        return _number(name, index, float(sample), whole=isinstance(sample, int))
    slot = sample if isinstance(sample, Slot) else Slot("hex" if sample.startswith("#") else "string")
    return _slotted(slot, topic, index=index, name=name, like=sample if isinstance(sample, str) else "")


def _slotted(slot: Slot, topic: Topic, *, index: int, name: str, like: str) -> Json:
    parts = _parts(name)
    if slot.choices:
        return slot.choices[index % len(slot.choices)]
    if slot.type == "boolean" or (slot.type == "any" and parts[:1] in (["is"], ["has"], ["needs"])):
        return index % 2 == 0
    if slot.type in ("integer", "number"):
        return _number(name, index, None, whole=slot.type == "integer" or not _FRACTIONS.intersection(parts))
    if slot.type == "list" or (slot.type == "any" and _is_tags(name)):
        return [_text([_single(name)], topic, index + at) for at in range(3)]
    if slot.type == "slug":
        return _key(topic, index)
    if slot.type == "hex":
        return topic.pick(_HUES, index)
    if slot.type == "any" and _NUMBERS.intersection(parts[-1:]) and not like:
        return _number(name, index, None, whole=True)
    if re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)+|[a-z]+\d+", like) and _KEYS.intersection(parts):
        return _key(topic, index)
    return _text(parts, topic, index)


_FRACTIONS: Final = frozenset({"score", "weight", "strength", "confidence", "ratio", "price"})
_KEYS: Final = frozenset({"key", "id", "slug", "code", "handle", "filename"})
_NUMBERS: Final = frozenset(
    "seconds duration length secs index number no nr order position shot_number start end fps year width height seed "
    "count score rating priority weight strength price frames minutes age volume percent step rank s".split()
)
_TAGS: Final = frozenset(
    {"tags", "keywords", "colours", "colors", "hashtags", "moods", "props", "characters", "palette"}
)


def _parts(name: str) -> list[str]:
    """Return the words of a name: ``durationSeconds``, ``duration_seconds``, ``duration-seconds``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+", " ", name).casefold().split()


def _single(name: str) -> str:
    return name[:-3] + "y" if name.endswith("ies") else name[:-1] if name.endswith("s") else name


def _is_tags(name: str) -> bool:
    return bool(_TAGS.intersection(_parts(name)[-1:]))


def _number(name: str, index: int, like: float | None, *, whole: bool) -> Json:
    """Return a number that its name allows; near the example where there is one."""
    last = (_parts(name) or [""])[-1]
    if last in ("index", "number", "no", "nr", "order", "position", "id", "key", "shot", "scene", "step", "rank"):
        return index + (0 if like == 0 else 1)
    if last in ("start", "end"):
        return 4 * (index + (last == "end"))
    usual = {"fps": 24, "year": 2031, "width": 1280, "height": 720, "age": 34, "price": 12}.get(last)
    if usual is not None or last in ("width", "height", "fps"):
        return usual if like is None else (int(like) if whole else like)
    base = 4.0 if like is None else like
    if _FRACTIONS.intersection((last,)) and like is None:
        return round(0.6 + 0.1 * (index % 4), 1)
    step = (0, 1, -1, 2)[index % 4]
    value = base + step if base >= 3 or whole else base * (1 + step / 5)
    return max(1, round(value)) if whole else round(value, 2)


def _key(topic: Topic, index: int) -> str:
    """Return a short key that no other item has: a word of its sentence, then what shots are called."""
    told = topic.sentences[index % len(topic.sentences)]
    likely = [word for word in content_of(told) if 3 <= len(word) <= _LONGEST_KEY or not word.isascii()]
    nouns = [word for word in reversed(likely) if not word.endswith(("s", "ed", "ing", "ly", "'s"))]
    words = [word for word in (*nouns, *likely) if word.replace("-", "").isalnum()]
    own = words if len(topic.sentences) > 1 else [noun_of(told)] if index == 0 and noun_of(told) in words else []
    for slug in (*own, *_SLUGS[index % len(_SLUGS) :], *words):
        if slug not in topic.keys:
            topic.keys.add(slug)
            return slug
    slug, number = _SLUGS[index % len(_SLUGS)], index // len(_SLUGS) + 1
    while f"{slug}-{number}" in topic.keys:
        number += 1
    topic.keys.add(f"{slug}-{number}")
    return f"{slug}-{number}"


def sentence(topic: Topic, index: int) -> str:
    """Return what is to be seen: a framing, the subject as its story has it by then, a light."""
    told = topic.sentences[index % len(topic.sentences)]
    told = told if len(told) <= 240 else told[:240].rsplit(" ", 1)[0]
    shot, light = topic.pick(_SHOTS, index), topic.pick(_LIGHTS, index)
    if len(topic.sentences) > 1:
        return f"{shot[0].upper()}{shot[1:]}: {told}, {light}"
    return f"{shot[0].upper()}{shot[1:]} of {told}, {topic.pick(_ACTS, index)}, {light}"


def _title(topic: Topic, index: int) -> str:
    noun = noun_of(topic.sentences[index % len(topic.sentences)]) or "story"
    return f"{topic.pick(_SLUGS, index).capitalize()}: the {noun}"


_TEXTS: Final[Mapping[str, Callable[[Topic, int], str]]] = {
    **dict.fromkeys(_KEYS, _key),
    **dict.fromkeys(("title", "name", "heading", "headline", "label"), _title),
    **dict.fromkeys(("camera", "motion", "movement", "move", "moves"), lambda topic, at: topic.pick(_MOVES, at)),
    **dict.fromkeys(("framing", "angle", "size", "type"), lambda topic, at: topic.pick(_SHOTS, at)),
    **dict.fromkeys(("light", "lighting", "time"), lambda topic, at: topic.pick(_LIGHTS, at)),
    **dict.fromkeys(("mood", "tone", "emotion", "feeling", "keyword"), lambda topic, at: topic.pick(_MOODS, at)),
    **dict.fromkeys(("place", "location", "setting", "background"), lambda topic, at: topic.pick(_PLACES, at)),
    **dict.fromkeys(("sound", "music", "audio", "sfx", "ambience"), lambda topic, at: topic.pick(_SOUNDS, at)),
    **dict.fromkeys(("dialogue", "line", "voiceover", "narration", "voice", "speech", "says"),
                    lambda topic, at: topic.pick(_LINES, at)),
    **dict.fromkeys(("character", "person", "speaker", "actor"), lambda topic, at: topic.pick(_PEOPLE, at)),
    **dict.fromkeys(("tag", "topic"),
                    lambda topic, at: topic.pick([*dict.fromkeys(content_of(topic.subject)), *_MOODS], at)),
    **dict.fromkeys(("colour", "color"), lambda topic, at: topic.pick(_COLOURS, at)),
    **dict.fromkeys(("subject", "story", "theme", "product"), lambda topic, at: topic.told),
    **dict.fromkeys(("action", "happens"),
                    lambda topic, at: f"{topic.sentences[at % len(topic.sentences)]}, {topic.pick(_ACTS, at)}"),
    **dict.fromkeys(("style", "look", "genre"), lambda topic, at: "cinematic, natural colours"),
    **dict.fromkeys(("ratio", "aspect"), lambda topic, at: "16:9"),
    **dict.fromkeys(("language", "lang"), lambda topic, at: "en"),
    **dict.fromkeys(("hashtag",), lambda topic, at: f"#{topic.pick(_MOODS, at)}"),
}  # fmt: skip


def _text(parts: Sequence[str], topic: Topic, index: int) -> str:
    """Return a text for a member by the last word of its name that says anything, a sentence without one."""
    for part in reversed(parts or [topic.noun]):
        if (writer := _TEXTS.get(part)) is not None:
            return writer(topic, index)
        if (writer := _TEXTS.get(_single(part))) is not None:
            return writer(topic, index)
    return sentence(topic, index)
