"""What JSON a prompt asks for: members, how many, what they lie in; from an example, a schema, or plain words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rhflow.simulator.writing.notation import TYPES, Sample, Slot, find_sample

_MOST: Final = 500
_USUAL: Final = 3
_NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split(),
        start=1,
    )
} | {"couple": 2, "pair": 2, "several": 4, "few": 3, "dozen": 12, "thirty": 30, "forty": 40, "fifty": 50}
_CHINESE: Final = "一二三四五六七八九"
_COUNT: Final = re.compile(
    rf"(?<![\w.:])(?P<count>\d{{1,3}}|\b(?:{'|'.join(_NUMBERS)}))(?![.\d])(?:[ -]+\d+[ -]?[a-z]+)?"
    r"(?=(?P<rest>(?:[ -]+[^\W\d][\w']*){1,4}))"
)
_CHINESE_COUNT: Final = re.compile(r"(\d{1,3}|[一二两三四五六七八九十]{1,3})\s*[个個条條段幕张張句首篇组組]")
_SEVERAL: Final = frozenset({"list", "array", "lists", "arrays", "objects", "each", "every"})
_UNITS: Final = frozenset(
    "second seconds sec secs s minute minutes min hour hours word words sentence sentences character characters chars "
    "percent px pixel pixels fps frame frames k mm cm m km year years token tokens paragraph paragraphs act acts "
    "or of per and to by at in each long is are was point points key keys field fields member members propertie "
    "properties column columns".split()
)
_SINGULAR: Final = frozenset({"news", "is", "has", "was", "this", "its", "as", "us", "glass", "dress"})
_NAMED: Final = re.compile(r"""["'`“](\w{1,40})["'`”]\s*(\([^)]{0,80}\))?""")
_OUTER: Final = re.compile(
    r"""["'`“](\w{1,40})["'`”]\s+(?:array|list)\b"""
    r"""|\b(?:array|list|under|member|key|field)\s+(?:the\s+key\s+|called\s+|named\s+|key\s+)?["'`“](\w{1,40})["'`”]"""
    r"""|\b(?:list|array)\s+(?:called|named)\s+(\w{1,40})|\bunder\s+(?:the\s+key\s+)?(\w{1,40})\b"""
)
_BEFORE_FIELDS: Final = re.compile(
    r"\b(?:(?:each|every|objects?|items?|entries|elements?|records?|json(?:\s+list|\s+array|\s+object)?)\b"
    r"[^.;\n{}\[\]]{0,40}?(?:\b(?:with|having|has|have|containing|contains|includes?|including)|:)"
    r"|(?:fields?|keys?|members?|properties|columns?|attributes)(?:\s+(?:named|called|are))?\s*:?)"
    r"(?=\s)(?:\s+(?:the|these|following|exactly|its|only|fields?|keys?|members?|properties|columns?|attributes|"
    r"named|called|two|three|four|five|six)\b:?)*",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(r"\s*(?:,\s*(?:and|or|plus)\b|[,;，、/&]|\b(?:and|plus)\b)\s*", re.IGNORECASE)
_FIELD: Final = re.compile(
    r"(?:(?:an?|the|its|their|one|short)\s+)*(?P<name>[a-z_]\w*(?:\s+[a-z_]\w*){0,2}?)"
    r"(?P<hint>:.*|\s+(?:as|in|of|for|that|which|to|describing|from|with|between)\b.*)?\s*(?P<note>\([^)]*\))?",
    re.IGNORECASE,
)
_NO_FIELDS: Final = frozenset(
    "list array json object objects items shots scenes nothing but no markdown only text return write give make each "
    "other else".split()
)
_IN_BRACKETS: Final = re.compile(
    r"\(\s*([a-z_]\w*(?:\s*[,/]\s*[a-z_]\w*)+)\s*\)|\b([a-z_]\w*(?:/[a-z_]\w*){2,})\b", re.I
)
_IN_A_ROW: Final = re.compile(r"\b[a-z_]\w*(?:(?:\s*[,，、]\s*(?:and\s+)?|\s+and\s+)[a-z_]\w*)+", re.IGNORECASE)
_USUAL_FIELDS: Final = frozenset(
    "key id slug name title prompt scene shot description seconds duration length camera motion movement action "
    "dialogue line text caption style mood location place sound music index number narration voiceover lighting".split()
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked for: ``sample`` is one object, list or text; ``count`` is for the list in it that matters most."""

    sample: Sample
    count: int


def read_shape(prompt: str) -> Shape:
    """Return the shape that a prompt wants its JSON to have; a list of three texts where it says nothing."""
    words = set(re.findall(r"[a-z]+", prompt.casefold()))
    count = read_count(prompt)
    sample = find_sample(prompt)
    outer = None
    if sample is None:
        outer = _outer(prompt)
        sample = dict(_fields(prompt, outer)) or Slot("string")
    elif isinstance(sample, list):
        return Shape(sample[:1], count or (len(sample) if len(sample) > 1 else _USUAL))
    elif isinstance(sample, dict) and (longest := _longest(sample)):
        return Shape(sample, count or (longest if longest > 1 else _USUAL))
    if outer is not None:
        return Shape({outer: [sample]}, count or _USUAL)
    several = "[]" in prompt or not words.isdisjoint(_SEVERAL)
    if not several and isinstance(sample, dict) and ("object" in words or not count):
        return Shape(sample, 1)
    return Shape([sample], count or _USUAL)


def _longest(sample: dict[str, Sample]) -> int:
    """Return how many items the example has in its list of objects, or in the list that is all it has; 0 without."""
    lists = [each for each in sample.values() if isinstance(each, list)]
    matter = [each for each in lists if len(sample) == 1 or any(isinstance(item, dict) for item in each)]
    return max(map(len, matter), default=0)


def read_count(text: str) -> int | None:
    """Return how many things are asked for, in digits or words; lengths, sizes and ages are no counts."""
    return None if (found := _counted(text)) is None else found[0]


def counted_noun(text: str) -> str:
    """Return what is counted: ``title`` of "three titles"; "" where nothing is."""
    return "" if (found := _counted(text)) is None else found[1]


def _counted(text: str) -> tuple[int, str] | None:
    for found in _COUNT.finditer(text.casefold()):
        after = re.findall(r"[^\W\d][\w']*", found["rest"])
        if after[0] in _UNITS:
            continue
        word = found["count"]
        number = _NUMBERS[word] if word in _NUMBERS else int(word)
        plural = next((each for each in after if len(each) > 2 and each.endswith("s") and each not in _SINGULAR), "")
        if number and (plural or word == "1"):
            return min(number, _MOST), plural.removesuffix("s")
    if (chinese := _CHINESE_COUNT.search(text)) is not None and (number := _chinese(chinese[1])):
        return min(_MOST, number), ""
    return None


def _chinese(text: str) -> int:
    if text.isdigit():
        return int(text)
    text = text.replace("两", "二")
    tens, ten, ones = text.rpartition("十")
    digit = _CHINESE.find(ones[-1:]) + 1 if ones else 0
    return (10 * (_CHINESE.find(tens) + 1 if tens else 1) if ten else 0) + digit


def _outer(prompt: str) -> str | None:
    """Return the name of the list that the items lie in, where an object around them is asked for."""
    if re.search(r"\bobject\b|\bunder\b", prompt, re.IGNORECASE) is None:
        return None
    found = _OUTER.search(prompt)
    return None if found is None else next(name for name in found.groups() if name)


def _fields(prompt: str, outer: str | None) -> Iterator[tuple[str, Sample]]:
    """Yield the members that an item shall have, by what says so most clearly."""
    quoted = {found[1]: _noted(found[2] or "") for found in _NAMED.finditer(prompt) if found[1] != outer}
    if quoted:
        yield from quoted.items()
        return
    for found in _IN_BRACKETS.finditer(prompt):
        names = re.split(r"\s*[,/]\s*", found[1] or found[2])
        if _USUAL_FIELDS & {name.casefold() for name in names}:
            yield from ((name, Slot()) for name in names)
            return
    listed = max((_listed(prompt[found.end() :]) for found in _BEFORE_FIELDS.finditer(prompt)), key=len, default={})
    if outer in listed:
        del listed[outer]
    if listed:
        yield from listed.items()
        return
    for found in _IN_A_ROW.finditer(prompt):
        names = re.split(r"\s*[,，、]\s*(?:and\s+)?|\s+and\s+", found[0])
        if len(_USUAL_FIELDS & {name.casefold() for name in names}) > 1:
            yield from ((name, Slot()) for name in names)
            return


def _listed(text: str) -> dict[str, Sample]:
    """Return the members that a sentence lists from its beginning on: ``key, prompt (a sentence) and seconds``."""
    sentence = re.split(r"\.(?:\s|$)|\n", text, maxsplit=1)[0]
    notes = re.findall(r"\([^)]*\)", sentence)
    parts = _SEPARATOR.split(re.sub(r"\([^)]*\)", "()", sentence))
    fields: dict[str, Sample] = {}
    for part in parts:
        note = notes.pop(0) if "()" in part and notes else ""
        found = _FIELD.fullmatch(part.strip())
        if found is None or _NO_FIELDS & set(found["name"].casefold().split()):
            break
        fields["_".join(found["name"].split())] = _noted(note or found["hint"] or "")
        if found["hint"] and not found["hint"].strip().startswith(("as ", "in ", ":")):
            break
    return fields


def _noted(note: str) -> Sample:
    """Return what a remark about a member says of its type: ``(a whole number)``, ``(one word)``, ``as a list``."""
    words = re.findall(r"[a-z-]+", note.casefold())
    if "one" in words and ("word" in words or "of" in words):
        options = re.findall(r"[\w-]+", note.casefold().partition(" of ")[2])
        options = [each for each in options if each not in ("or", "and")]
        return Slot(choices=tuple(options)) if options else Slot("slug")
    if "true" in words and "false" in words:
        return Slot("boolean")
    known = next((TYPES[word] for word in words if word in TYPES), "any")
    return [Slot("any")] if known == "list" else Slot(known)
