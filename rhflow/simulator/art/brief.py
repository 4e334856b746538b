"""What a prompt asks for, as far as a few hundred words can tell: a place, an hour, subjects, a colour."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rhflow.media.image import Colour
from rhflow.simulator.art.colour import rgb

_WORD = re.compile(r"[a-z]+")

PLACES: Mapping[str, str] = {
    "sea": "sea ocean beach coast coastline shore shoreline seaside harbour harbor bay wave surf island water "
    "lighthouse boat ship sailboat yacht sailing 海 海边 灯塔 船",
    "mountains": "mountain mountains alps peak summit cliff glacier valley lake fjord himalaya volcano 山 雪山 湖",
    "hills": "hill hills meadow countryside farm village garden park spring vineyard farmhouse cottage house tree "
    "balloon 草地 田野 村",
    "field": "field flowers lavender wheat poppies tulips sunflower sunflowers wildflowers 花田",
    "forest": "forest woods woodland jungle pine pines redwood fog deer fox 森林 树林",
    "desert": "desert dune dunes sahara mesa canyon cactus camel sand mars 沙漠",
    "city": "city skyline street downtown urban skyscraper skyscrapers tokyo york cyberpunk metropolis rooftop "
    "apartment buildings traffic 城市 街道 东京",
    "space": "space galaxy planet planets nebula cosmos cosmic orbit astronaut stars universe "
    "spaceship rocket 太空 星系 宇宙",
    "road": "road highway car automobile driving race racing truck roadster 公路 汽车",
    "table": "table desk kitchen cafe coffee tea teapot cup mug breakfast bread cat kitten dog puppy window room "
    "interior sofa bedroom vase book 茶 咖啡 猫 桌",
    "studio": "studio product packshot bottle perfume cosmetic cream sneaker shoe watch phone smartphone headphones "
    "portrait headshot model face woman man girl boy lady person fashion robot packaging box plinth pedestal marble "
    "advertisement isolated bouquet 产品 瓶 肖像 女孩 男孩 香水",
}
HOURS: Mapping[str, str] = {
    "neon": "neon cyberpunk synthwave vaporwave blade futuristic retrowave 霓虹 赛博",
    "noir": "noir monochrome grayscale greyscale 黑白",
    "night": "night midnight moonlight moonlit moon moody dark stars starry 夜 月",
    "sunset": "sunset dusk golden evening twilight sundown 日落 黄昏 夕阳",
    "dawn": "dawn sunrise morning mist misty foggy fog haze 清晨 日出 雾",
    "winter": "winter snow snowy ice icy frozen arctic christmas 冬 雪",
    "autumn": "autumn fall october harvest 秋",
    "overcast": "storm stormy rain rainy overcast cloudy grey gray gloomy thunder 雨 阴",
    "pastel": "pastel dreamy kawaii whimsical 粉彩",
    "day": "day noon daylight sunny summer bright blue clear",
}
SUBJECTS: Mapping[str, str] = {
    "lighthouse": "lighthouse beacon 灯塔",
    "boat": "boat sailboat ship yacht sailing 船",
    "bottle": "bottle perfume cosmetic cosmetics serum lotion whisky wine 瓶 香水",
    "teapot": "teapot kettle 茶壶",
    "cup": "cup mug coffee tea latte espresso cappuccino 茶 咖啡",
    "cat": "cat kitten 猫",
    "dog": "dog puppy 狗",
    "balloon": "balloon balloons 热气球",
    "car": "car automobile roadster racing driving taxi 汽车",
    "house": "house cottage cabin farmhouse barn hut home 房子",
    "flower": "flower flowers tulip tulips rose roses bouquet poppies sunflower sunflowers vase 花",
    "rocket": "rocket spaceship starship 火箭",
    "robot": "robot android mecha 机器人",
    "phone": "phone smartphone iphone 手机",
    "box": "box packaging package gift parcel 盒",
    "shoe": "sneaker sneakers shoe shoes trainer 鞋",
    "woman": "woman women girl lady queen actress bride mother dress 女孩 女人",
    "man": "man men boy king actor father beard 男孩 男人",
    "portrait": "portrait headshot face person model fashion astronaut coat jacket 肖像",
    "tree": "tree oak willow 树",
    "bird": "bird birds gull gulls seagull seagulls eagle 鸟",
}
COLOURS: Mapping[str, Colour] = {
    "red": rgb("d1382f"), "crimson": rgb("b3202e"), "orange": rgb("ea7b2c"), "amber": rgb("e8a023"),
    "yellow": rgb("f2c230"), "gold": rgb("d9a441"), "golden": rgb("d9a441"), "green": rgb("3f9a5a"),
    "emerald": rgb("1f8a63"), "mint": rgb("8fd0b2"), "teal": rgb("1e8c8c"), "turquoise": rgb("35b5ae"),
    "blue": rgb("2f6fb5"), "navy": rgb("22386b"), "purple": rgb("6f4aa3"), "violet": rgb("8560c0"),
    "lavender": rgb("a99ad6"), "pink": rgb("e58fa6"), "magenta": rgb("c53a8c"), "brown": rgb("7d5437"),
    "black": rgb("26262b"), "white": rgb("f2f0ea"), "ivory": rgb("efe6d2"), "silver": rgb("b8bec4"),
    "copper": rgb("b8693d"), "cream": rgb("f0e2c6"),
}  # fmt: skip
BLOOMS: Mapping[str, Colour] = {
    "lavender": rgb("7f63b8"), "poppies": rgb("d8392c"), "poppy": rgb("d8392c"), "sunflowers": rgb("f0b323"),
    "sunflower": rgb("f0b323"), "wheat": rgb("dcb35c"), "tulips": rgb("e0506e"), "daisies": rgb("f4f0e4"),
}  # fmt: skip

PEOPLE = frozenset({"portrait", "woman", "man"})
OUTDOORS = frozenset({"sea", "mountains", "hills", "field", "forest", "desert", "city", "road"})
_STUDIO_WORDS = frozenset(
    {"studio", "product", "packshot", "plinth", "pedestal", "isolated", "advertisement", "marble"}
)
_ROOM_WORDS = _STUDIO_WORDS | {"table", "desk", "kitchen", "cafe", "window", "room", "interior", "bedroom", "sofa"}
_ON_TABLES = frozenset({"cup", "teapot", "cat", "dog", "flower", "box"})


@dataclass(frozen=True, slots=True)
class Brief:
    """What to paint: a place, the hour there, up to two subjects, the colours of the first and of a field's flowers."""

    place: str
    hour: str
    subjects: tuple[str, ...]
    accent: Colour | None
    bloom: Colour | None
    seed: int


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a prompt."""
    return _WORD.findall(text.casefold())


def read_brief(prompt: str, *, seed: int) -> Brief:
    """Return what ``prompt`` asks for; what it leaves open is chosen by the prompt itself, so takes stay alike."""
    words = words_of(prompt)
    subjects = _subjects(_first(_matches(prompt, words, SUBJECTS)))
    taste = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "big")
    place = _place(words, _most(_matches(prompt, words, PLACES)), subjects, taste=taste)
    if place == "studio":
        subjects = subjects or ("bottle",)
        place = "backdrop" if subjects[0] in PEOPLE else place
    hours = _most(_matches(prompt, words, HOURS))
    bloom = next((BLOOMS[word] for word in words if word in BLOOMS), None)
    hour = hours[0] if hours else ("day", "dawn", "sunset", "day", "autumn")[taste // 7 % 5]
    return Brief(place, hour, subjects, _accent(words, subjects), bloom, seed)


def _subjects(named: Sequence[str]) -> tuple[str, ...]:
    """Return up to two subjects; of people one is enough, and the word that says who says more than "portrait"."""
    people = sorted((name for name in named if name in PEOPLE), key=lambda name: name == "portrait")
    kept = [name for name in named if name not in PEOPLE]
    if people:
        kept.insert(min(named.index(name) for name in people), people[0])
    return tuple(kept[:2])


def _accent(words: Sequence[str], subjects: Sequence[str]) -> Colour | None:
    """Return the colour that is said of the first subject; without a subject, the first colour there is."""
    named = SUBJECTS[subjects[0]].split() if subjects else []
    if subjects and subjects[0] in PEOPLE:
        named = [word for name in PEOPLE for word in SUBJECTS[name].split()]
    places = [index for index, word in enumerate(words) if word in named or word.rstrip("s") in named]
    for index, word in enumerate(words):
        if word in COLOURS and (not subjects or any(-3 <= place - index <= 3 for place in places)):
            return COLOURS[word]
    return None


def _place(words: Sequence[str], ranked: Sequence[str], subjects: Sequence[str], *, taste: int) -> str:
    """Return the place. Words that can only mean a room win, then the outdoors, then where the subject is at home."""
    indoors = [place for place in ranked if place not in OUTDOORS and place != "space"]
    outdoors = [place for place in ranked if place not in indoors]
    if indoors and (not _ROOM_WORDS.isdisjoint(words) or not outdoors):
        if not subjects:
            return indoors[0]
        return "table" if subjects[0] in _ON_TABLES and _STUDIO_WORDS.isdisjoint(words) else "studio"
    if outdoors:
        return outdoors[0]
    return ("hills", "sea", "mountains", "desert", "forest")[taste % 5]


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
