"""Recipes of any size, the same for the same seed."""

from __future__ import annotations

import random
from pathlib import Path

WORDS = [
    "harbour",
    "lighthouse",
    "meadow",
    "orchard",
    "glacier",
    "lantern",
    "market",
    "violin",
    "river",
    "balcony",
    "comet",
    "garden",
]


def prompt(rng: random.Random) -> str:
    """Return a few words."""
    return " ".join(rng.choice(WORDS) for _ in range(6))


def independent(count: int, seed: int = 1) -> str:
    """Return a recipe of ``count`` steps that do not depend on each other."""
    rng = random.Random(seed)
    lines = ["rhflow: 1", "name: independent", "params:", "  ratio: '16:9'", "steps:"]
    for at in range(count):
        lines += [
            f"  s{at}:",
            "    uses: text-to-image",
            "    with:",
            f"      prompt: {prompt(rng)} {at}",
            "      aspect_ratio: ${{ params.ratio }}",
        ]
    return "\n".join([*lines, "outputs:", "  first: ${{ steps.s0.image }}", ""])


def chains(count: int, seed: int = 1) -> str:
    """Return ``count`` chains of image-to-image, image-to-video and upscale behind an upload each."""
    rng = random.Random(seed)
    lines = ["rhflow: 1", "name: chains", "steps:"]
    for at in range(count):
        lines += [
            f"  photo{at}: {{uses: upload, with: {{file: photo{at}.png}}}}",
            f"  still{at}:",
            "    uses: image-to-image",
            f"    with: {{images: ['${{{{ steps.photo{at}.image }}}}'], prompt: {prompt(rng)}, aspect_ratio: '1:1'}}",
            f"  clip{at}:",
            "    uses: image-to-video",
            f"    with: {{image: '${{{{ steps.still{at}.image }}}}', prompt: {prompt(rng)}, duration: 5}}",
            f"  final{at}: {{uses: upscale, with: {{video: '${{{{ steps.clip{at}.video }}}}', resolution: 1080p}}}}",
        ]
    return "\n".join([*lines, "outputs:", "  first: ${{ steps.final0.video }}", ""])


def loops(count: int, seed: int = 1) -> str:
    """Return a recipe of a loop over ``count`` written items and another loop over what the first gives."""
    rng = random.Random(seed)
    lines = ["rhflow: 1", "name: loops", "steps:", "  still:", "    uses: text-to-image", "    foreach:"]
    lines += [f"      - {{key: k{at}, scene: {prompt(rng)}}}" for at in range(count)]
    lines += [
        "    with: {prompt: '${{ item.scene }}, at dusk', aspect_ratio: '16:9'}",
        "  clip:",
        "    uses: image-to-video",
        "    foreach: ${{ steps.still.items }}",
        "    with: {image: '${{ item.image }}', prompt: push in, duration: 5}",
        "",
    ]
    return "\n".join(lines)


def write(folder: Path, name: str, text: str) -> Path:
    """Write a recipe and return its path."""
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path
