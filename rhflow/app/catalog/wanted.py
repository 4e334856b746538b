"""Which models are wanted: conditions from options or from words, and the words that stand for them.

People search by what they want to have ("talking head", "10 s", "4k", "cheap", "音乐") and not by what the catalogue
calls it. The table below says what such words mean as kinds and abilities; every other word is looked for in names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rhflow.app.catalog.abilities import Abilities, Shape
from rhflow.core.cost import Estimate
from rhflow.core.inputs.describe import usual_cost, usual_price
from rhflow.core.kinds import Model


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which models are wanted; a condition that is empty holds for all.

    ``kinds`` are kinds of step or tasks of the catalogue, of which one is enough. ``max_price`` is in CNY, for a call
    of ``seconds`` and ``resolution`` with everything else at its default. ``every`` adds those that are of no use to a
    recipe.
    """

    kinds: tuple[str, ...] = ()
    output: str | None = None
    vendor: str | None = None
    max_price: Decimal | None = None
    seconds: int | None = None
    resolution: str | None = None
    ratio: str | None = None
    shape: Shape | None = None
    audio: bool = False
    first_and_last: bool = False
    every: bool = False

    def holds(self, model: Model, tasks: frozenset[str]) -> bool:
        """Whether a model is wanted, apart from ``every``; ``tasks`` are those that its kinds stand for."""
        can = Abilities(model)
        return (
            (not self.kinds or not tasks.isdisjoint(model.tasks))
            and self.output in (None, model.output)
            and self.vendor in (None, model.vendor)
            and (self.seconds is None or self.seconds in can.seconds)
            and (self.resolution is None or self.resolution in can.resolutions)
            and (self.ratio is None or self.ratio in can.ratios)
            and (self.shape is None or self.shape in can.shapes)
            and (not self.audio or can.audio)
            and (not self.first_and_last or can.first_and_last)
            and (self.max_price is None or self._affordable(model))
        )

    def meant_as(self, other: Wanted) -> Wanted:
        """Return the same with the kinds, length and resolution of ``other`` where it names none itself."""
        return replace(
            self,
            kinds=self.kinds or other.kinds,
            seconds=self.seconds or other.seconds,
            resolution=self.resolution or other.resolution,
        )

    def _affordable(self, model: Model) -> bool:
        high = self.cost(model).high
        return high is not None and self.max_price is not None and high <= self.max_price

    def cost(self, model: Model) -> Estimate:
        """Return the list price of a call as it is wanted."""
        return usual_cost(model, Abilities(model).given(seconds=self.seconds, resolution=self.resolution))

    def price(self, model: Model) -> str:
        """Return the same in words."""
        return usual_price(model, Abilities(model).given(seconds=self.seconds, resolution=self.resolution))


_KINDS: Mapping[str, tuple[str, ...]] = {
    "text-to-speech": (
        "tts", "speech", "speaking", "narration", "narrator", "voice over", "voiceover", "read aloud", "dubbing",
        "语音", "配音", "语音合成", "旁白",
    ),
    "text-to-music": ("music", "song", "soundtrack", "score", "音乐", "歌曲", "配乐"),
    "voice-clone": ("clone voice", "clone a voice", "声音克隆"),
    "lip-sync": (
        "lip sync", "lipsync", "talking", "talking head", "talking face", "talking avatar", "avatar", "digital human",
        "对口型", "数字人", "口型",
    ),
    "start-end-to-video": (
        "first last frame", "first last", "first to last frame", "first frame last frame", "start end frame",
        "start end", "last frame", "keyframe", "keyframes", "首尾帧", "尾帧",
    ),
    "reference-to-video": (
        "reference", "references", "same character", "consistent character", "character consistency", "参考生视频",
    ),
    "image-to-video": ("animate", "animate image", "图生视频"),
    "text-to-video": ("文生视频",),
    "text-to-image": ("文生图", "illustration", "poster", "storyboard"),
    "image-to-image": (
        "inpaint", "inpainting", "outpaint", "outpainting", "retouch", "erase", "remove background", "edit image",
        "image edit", "image editing", "图生图", "改图", "修图",
    ),
    "video-edit": ("edit video", "video editing", "restyle video", "视频编辑"),
    "video-extend": ("extend", "extend video", "longer", "continue", "continuation", "延长"),
    "video-effects": ("effect", "effects", "restyle", "restyling", "特效"),
    "motion-control": ("dance", "mocap", "motion capture", "motion transfer", "动作迁移"),
    "interpolate-video": ("slow motion", "slowmo", "slow mo", "fps", "frame rate", "smooth", "interpolate", "插帧"),
    "upscale": ("upscaling", "upscaler", "enhance", "sharpen", "super resolution", "restore", "放大", "超分", "高清"),
    "image-to-text": ("describe", "describe image", "caption", "vision", "识图"),
    "video-to-text": ("describe video", "transcribe"),
    "text-to-text": ("llm", "chat", "write", "script", "lyrics", "文本"),
}  # fmt: skip
_WISHES: Mapping[Wanted, tuple[str, ...]] = {
    Wanted(output="image"): ("image", "图片", "图像", "图"),
    Wanted(output="video"): ("video", "视频"),
    Wanted(output="model3d"): ("3d", "mesh", "模型"),
    Wanted(audio=True): ("sound", "audio", "声音", "有声", "音频"),
    Wanted(kinds=("text-to-speech", "voice-clone")): ("voice", "人声"),
    Wanted(kinds=("image-to-image", "video-edit")): ("edit", "editing", "编辑"),
    Wanted(shape="tall"): ("portrait", "vertical", "tall", "upright", "竖屏"),
    Wanted(shape="wide"): ("landscape", "horizontal", "wide", "widescreen", "横屏"),
    Wanted(shape="square"): ("square", "方形"),
    Wanted(resolution="1080p"): ("hd", "full hd"),
    Wanted(resolution="4k"): ("uhd",),
}
_CHEAP = frozenset({"cheap", "cheapest", "inexpensive", "lowest price", "便宜"})
_SAME = {
    **dict.fromkeys(("picture", "pictures", "photo", "photos", "still", "stills", "pic", "images"), "image"),
    **dict.fromkeys(("clip", "clips", "film", "films", "movie", "movies", "footage", "videos"), "video"),
}
_SMALL = frozenset("a an the and or with for of in on by my me i that this which model models".split())
_JOINTS = frozenset({"to", "from", "into"})
_LONGEST = 4
_UNITS = r"(?:s|sec|secs|second|seconds|秒)"


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase of a search; ``means`` is None for one that is looked for in names."""

    text: str
    means: Wanted | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a search ask for; ``cheap``: the least price first."""

    terms: tuple[Term, ...]
    cheap: bool = False

    @property
    def together(self) -> Wanted:
        """What they say of kinds, length and resolution."""
        found = Wanted()
        for each in self.terms:
            found = found if each.means is None else found.meant_as(each.means)
        return found


class Vocabulary:
    """Every phrase that stands for a condition; the names of kinds and tasks are among them."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self._means: dict[str, Wanted] = {}
        for kind, phrases in _KINDS.items():
            self._means |= dict.fromkeys(phrases, Wanted(kinds=(kind,)))
        for wanted, phrases in _WISHES.items():
            self._means |= dict.fromkeys(phrases, wanted)
        for kind in kinds:
            self._means |= dict.fromkeys((kind, kind.replace("-", " ")), Wanted(kinds=(kind,)))

    @property
    def phrases(self) -> Collection[str]:
        """Every phrase that is known."""
        return self._means.keys()

    def read(self, words: Sequence[str]) -> Words:
        """Return what words ask for: the longest phrases that are known first, the rest word by word."""
        text = " ".join(words).casefold()
        text = re.sub(rf"\b(\d+)\s*{_UNITS}(?!\w)", r"\1s", text)
        tokens = [_SAME.get(each, each) for each in re.split(r"[\s,;+/]+", text) if each and each not in _SMALL]
        tokens = _turned(tokens)
        terms: list[Term] = []
        at = 0
        while at < len(tokens):
            length = next(
                (n for n in range(_LONGEST, 1, -1) if self._meaning(" ".join(tokens[at : at + n])) is not None), 1
            )
            phrase = " ".join(tokens[at : at + length])
            terms.append(Term(phrase, self._meaning(phrase)))
            at += length
        wanted = [each for each in terms if each.text not in _CHEAP and each.text not in _JOINTS]
        return Words(tuple(wanted), cheap=any(each.text in _CHEAP for each in terms))

    def _meaning(self, phrase: str) -> Wanted | None:
        if (known := self._means.get(phrase)) is not None:
            return known
        if found := re.fullmatch(r"(\d+)s", phrase):
            return Wanted(seconds=int(found[1]))
        if re.fullmatch(r"\d+[pk]", phrase):
            return Wanted(resolution=phrase)
        return Wanted(ratio=phrase) if re.fullmatch(r"\d+:\d+", phrase) else None


def _turned(tokens: list[str]) -> list[str]:
    """Return ``video from image`` as ``image to video``."""
    found = list(tokens)
    for at in range(1, len(found) - 1):
        if found[at] == "from":
            found[at - 1 : at + 2] = [found[at + 1], "to", found[at - 1]]
    return found
