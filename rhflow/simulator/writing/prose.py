"""Plain texts about a subject: a poem, a dialogue, a story, a caption, a list of titles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from rhflow.simulator.writing.shape import read_count
from rhflow.simulator.writing.subject import content_of, noun_of, sentences_of
from rhflow.simulator.writing.values import Topic, sentence

_MARK: Final = "(simulated)"


def write_prose(prompt: str, topic: Topic) -> str:
    """Return a short text of the kind that ``prompt`` asks for, marked as simulated."""
    words = set(re.findall(r"[a-z]+", prompt.casefold()))
    for signs, writer in _KINDS.items():
        if words & set(signs.split()) or any(not sign.isascii() and sign in prompt for sign in signs.split()):
            text = writer(topic, read_count(prompt) or 1)
            break
    else:
        text = _description(topic, read_count(prompt) or 1)
    return f"{text}\n\n{_MARK}" if "\n\n" in text else f"{text} {_MARK}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _word(topic: Topic) -> str:
    return noun_of(topic.subject) or "light"


def _haiku(topic: Topic, count: int) -> str:
    first = " ".join(content_of(topic.subject)[:3]) or "early light"
    return f"{_upper(first)} —\nthe light stays a while longer,\nthen the page is turned."


def _poem(topic: Topic, count: int) -> str:
    word = _word(topic)
    return (
        f"I think of {topic.told},\nof all that the {word} once knew,\n"
        f"of a lamp that was left in a window\nand the morning that slowly came through.\n\n"
        f"The {word} asks for nothing,\nthe tide takes its time to return,\n"
        f"and we who were only passing\nsit down, and are quiet, and learn."
    )


def _dialogue(topic: Topic, count: int) -> str:
    return (
        f"A: Have you thought about {topic.told}?\n\nB: Every day since we came here.\n\n"
        f"A: And what would you do, if the {_word(topic)} were yours?\n\n"
        "B: Leave it as it is. (pause) No. I would stay a little longer.\n\nA: Then stay."
    )


def _story(topic: Topic, count: int) -> str:
    told = [_upper(each) + "." for each in sentences_of(topic.subject)] or ["It began on a quiet morning."]
    begins = told if len(told) > 1 else [f"This is the story of {topic.told}."]
    return (
        f"{' '.join(begins)} The day begins like any other, with low light and nobody about.\n\n"
        f"Then something small changes. The {_word(topic)} is not where it was, and what was far is near.\n\n"
        "By evening nothing has been said aloud, and everything is different. The light goes out last."
    )


def _caption(topic: Topic, count: int) -> str:
    return "\n".join(
        f"{_upper(topic.sentences[at % len(topic.sentences)])}, {_light(topic, at)}." for at in range(count)
    )


def _light(topic: Topic, at: int) -> str:
    return sentence(topic, at).rpartition(", ")[2]


def _slogan(topic: Topic, count: int) -> str:
    word = _upper(_word(topic))
    ways = (f"{word}, the way it should be.", f"Come back to {word.casefold()}.", f"{word}. Nothing more.",
            f"Made for {word.casefold()}, made to stay.", f"There is {word.casefold()} in everything.")  # fmt: skip
    return "\n".join(topic.pick(ways, at) for at in range(count))


def _title(topic: Topic, count: int) -> str:
    word = _upper(_word(topic))
    ways = (f"The Last {word}", f"{word} at Dusk", f"What the {word} Knew", f"A Quiet {word}", f"{word}, Again",
            f"Before the {word}", f"Letters to the {word}", f"The {word} and the Sea")  # fmt: skip
    return "\n".join(topic.pick(ways, at) for at in range(count))


def _description(topic: Topic, count: int) -> str:
    return "\n".join(f"{sentence(topic, at)}." for at in range(max(1, count)))


_KINDS: Final[Mapping[str, Callable[[Topic, int], str]]] = {
    "prompt prompts describe description 提示词": _description,
    "haiku 俳句": _haiku,
    "poem poems verse verses sonnet lyrics song rhyme ballad 诗 歌词": _poem,
    "dialogue dialog conversation script screenplay 对话 剧本": _dialogue,
    "slogan slogans tagline taglines claim motto 口号 标语": _slogan,
    "title titles name names headline headlines 标题": _title,
    "caption captions alt subtitle subtitles 字幕": _caption,
    "story tale narrative fable plot paragraph narration voiceover essay letter 故事": _story,
}
