"""What a prompt is about: the words of the user in it, without those that say what to do with them."""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = re.compile(
    r"(?:^|[\n.!?]\s*|\b(?:the|this|my)\s+)(?:story|subject|topic|idea|theme|brief|script|premise|logline|product|"
    r"concept|scene|film|title|input|source|prompt|故事|主题|题材|剧本|产品|内容)\s*(?:is)?\s*[:：]\s*"
    r"(?P<text>\S[^\n]*(?:\n(?!\s*\n)[^\n]+)*)",
    re.IGNORECASE,
)
_ABOUT: Final = re.compile(
    r"\b(?:about|between|featuring|depicting|showing|starring|following|titled|poem on|ode to|describes?|describing|"
    r"(?:film|story|portrait|picture|shots?|scenes?|video|image|photo) of|"
    r"(?:ad|advert|advertisement|commercial|trailer|caption|slogan|tagline|titles?|names?|prompts?) for)\s+"
    r"(?P<text>[^.\n{\[;:]+)",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"""["“「]([^"”」\n]*)["”」]""")
_FOR: Final = re.compile(r"\b(?:for|on) (?P<text>(?:an?|the|my|our)\s[^.\n{\[;:]+)", re.IGNORECASE)
_CHINESE_ABOUT: Final = re.compile(r"关于([^，。,.\n]{1,40}?)的|关于([^，。,.\n]{1,40})")
_END: Final = re.compile(
    r",?\s*\b(?:as (?:an? )?(?:json|list|object|array|haiku|poem|strict)|in (?:an? )?json\b|"
    r"in (?:\S+ ){1,3}(?:words|sentences|lines|shots|scenes|parts)\b|"
    r"with (?:the )?(?:fields?|keys?|members?|properties)\b|"
    r"return(?:ing)?\b|reply\b|respond\b|(?:where )?each (?:with|having|of|has|item)\b|nothing but|"
    r"(?:and )?(?:give|answer|output|write|list) (?:me |it |them |only |as )|for (?:a|the) (?:image|video) model|"
    r"(?:split|divided|broken) (?:in|into)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_MADE: Final = re.compile(
    r"^(?:an? |the )?(?:\w+ ){0,2}?(?:film|trailer|ad|advert|advertisement|commercial|story|video|clip|photo|"
    r"picture|image|poem|movie|shot) (?:for|about|of|on|with|showing) (?=\w)",
    re.IGNORECASE,
)
_CODES: Final = re.compile(r"(?<!\S)(?=\S*\d)(?=\S*[A-Za-z])[\w-]{8,}(?!\S)")
"""Ids and keys: nobody writes about them, and what is secret in a prompt should not come back in a text."""
_HEAD: Final = re.compile(r"\s(?:in|on|at|with|who|that|which|under|over|near|by|and|from|of)\s|,")
_WORK: Final = frozenset(
    "write describe list give return json please make create generate reply respond answer produce output only "
    "nothing but markdown no code fence format following strict valid object objects array lists shots shot scenes "
    "scene story film movie clip video image picture prompt prompts key keys field fields member members each every "
    "short seconds one two three four five six seven eight nine ten of for with and the a an as in to into from that "
    "this it is are be by on at me you my our your their its who which what when where how all any some about words "
    "word sentence sentences lines line caption poem haiku dialogue title titles name names than more less not do "
    "does will should must can could like exactly paragraph text string number integer type id slug duration camera "
    "json fields field keys".split()
)


def subject_of(prompt: str) -> str:
    """Return what a prompt is about, in its own words, on one line; "" where it says nothing else than what to do."""
    prompt = _without_examples(prompt)
    for pattern in (_LABEL, _ABOUT, _QUOTED, _FOR, _CHINESE_ABOUT):
        for found in pattern.finditer(prompt):
            text = _cut(next((group for group in found.groups() if group), ""))
            if text and (pattern is not _QUOTED or text.count(" ") > 1):
                return text
    spans = re.findall(r"[^.,:;!?\n()\"“”]+", prompt)
    kept = [" ".join(word for word in span.split() if content_of(word)) for span in spans]
    return _cut(max(kept, key=lambda each: len(each.split()), default=""))


def _without_examples(prompt: str) -> str:
    """Return a prompt without what stands in brackets and braces, which shows a shape and no subject."""
    for _ in range(8):
        shorter = re.sub(r"\{[^{}]*\}|\[[^\[\]]*\]", " ", prompt)
        if shorter == prompt:
            break
        prompt = shorter
    return prompt


def noun_of(subject: str) -> str:
    """Return the word that stands for a subject: ``bottle`` for "the Nimbus water bottle on marble"."""
    words = content_of(_HEAD.split(subject, maxsplit=1)[0]) or content_of(subject)
    return words[-1] if words else ""


def content_of(text: str) -> list[str]:
    """Return the words of ``text`` that say what it is about, in lower case."""
    words = re.findall(r"[^\W_][\w'’-]*", text.casefold())
    return [word for word in words if word not in _WORK and not word.isdigit()]


def sentences_of(subject: str) -> list[str]:
    """Return the steps of a story: its sentences, or the subject itself."""
    parts = [part.strip(" ,;") for part in re.split(r"(?<=[.!?])\s+|[。！？；;\n]+", subject)]
    return [part.rstrip(".!?") for part in parts if content_of(part)] or ([subject] if subject else [])


def _cut(text: str) -> str:
    text = _CODES.sub("", text)
    cut = _MADE.sub("", _END.sub("", " ".join(text.split())).strip(" ,.;:-—\"'“”"))
    return cut if content_of(cut) else ""
