"""A solid as a result: a cube in a binary glTF file, each face in the colour of the picture that shows that side."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from rhflow.simulator.art.brief import words_of
from rhflow.simulator.art.vocabulary import COLOURS
from rhflow.simulator.job import Job, Made
from rhflow.simulator.marks import open_clean

_FACES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)), ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)), ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)), ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
)  # fmt: skip
_FLOAT, _SHORT = 5126, 5123
# Which faces a picture shows, by the name of its field; places in _FACES
_VIEWS: Mapping[str, tuple[int, ...]] = {
    "rightImageUrl": (0,), "leftImageUrl": (1,), "topImageUrl": (2,), "bottomImageUrl": (3,), "frontImageUrl": (4,),
    "imageUrl": (4,), "backImageUrl": (5,), "leftFrontImageUrl": (1, 4), "rightFrontImageUrl": (0, 4),
    "textureImageUrl": (0, 1, 2, 3, 4, 5),
}  # fmt: skip
Colour: TypeAlias = tuple[float, float, float]


def make_solid(job: Job) -> Made:
    """Return a cube in the colour that the prompt names, or of the input picture; views colour their own faces."""
    path = job.folder / "0.glb"
    path.write_bytes(cube(_colours(job), name=job.prompt[:80] or "cube"))
    return Made((path,))


def _colours(job: Job) -> list[Colour]:
    """Return the colour of each face."""
    colours = [_colour(job)] * len(_FACES)
    for name, files in job.media.items():
        for face in _VIEWS.get(name, ()) if files and job.model.field_named(name) else ():
            red, green, blue = ((old + new) / 2 for old, new in zip(colours[face], _mean(files[0]), strict=True))
            colours[face] = red, green, blue
    return colours


def _colour(job: Job) -> Colour:
    named = [COLOURS[word] for word in words_of(job.prompt) if word in COLOURS]
    if named:
        red, green, blue = named[0]
    elif pictures := job.files("image"):
        return _mean(pictures[0])
    else:
        red, green, blue = (job.seed >> 16) % 156 + 70, (job.seed >> 8) % 156 + 70, job.seed % 156 + 70
    return red / 255, green / 255, blue / 255


def _mean(picture: Path) -> Colour:
    red, green, blue = open_clean(picture).image.resize((1, 1), Image.Resampling.BOX).tobytes()[:3]
    return red / 255, green / 255, blue / 255


def cube(colours: Sequence[Colour], *, name: str) -> bytes:
    """Return a GLB file with one cube, its edges 1.0 long; one colour for each face."""
    places, normals, indices, tints = bytearray(), bytearray(), bytearray(), bytearray()
    for face, (normal, across, up) in enumerate(_FACES):
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            places += struct.pack("<3f", *((n + a * x + b * y) / 2 for n, x, y in zip(normal, across, up, strict=True)))
            normals += struct.pack("<3f", *normal)
            tints += struct.pack("<3f", *colours[face])
        indices += struct.pack("<6H", *(4 * face + corner for corner in (0, 1, 2, 0, 2, 3)))
    plain = len(set(colours)) == 1
    parts = (places, normals, indices) if plain else (places, normals, indices, tints)
    data = b"".join(parts)
    scene = _scene(colours[0] if plain else (1.0, 1.0, 1.0), name, [len(part) for part in parts])
    text = json.dumps(scene, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(data))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data


def _scene(colour: Colour, name: str, lengths: Sequence[int]) -> dict[str, object]:
    """Return the description of a buffer with places, normals, indices and, where there are four, colours."""
    attributes = {"POSITION": 0, "NORMAL": 1} | ({"COLOR_0": 3} if len(lengths) > 3 else {})
    tinted = [{"bufferView": 3, "componentType": _FLOAT, "count": 24, "type": "VEC3"}] if len(lengths) > 3 else []
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    material = {
        "name": "simulated",
        "pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0], "roughnessFactor": 0.6, "metallicFactor": 0.1},
    }
    return {
        "asset": {"version": "2.0", "generator": "rhflow simulator"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name}],
        "meshes": [{"primitives": [{"attributes": attributes, "indices": 2, "material": 0}]}],
        "materials": [material],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": _FLOAT,
                "count": 24,
                "type": "VEC3",
                "min": [-0.5] * 3,
                "max": [0.5] * 3,
            },
            {"bufferView": 1, "componentType": _FLOAT, "count": 24, "type": "VEC3"},
            {"bufferView": 2, "componentType": _SHORT, "count": 36, "type": "SCALAR"},
            *tinted,
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": length, "target": 34963 if at == 2 else 34962}
            for at, (start, length) in enumerate(zip(starts, lengths, strict=True))
        ],
        "buffers": [{"byteLength": sum(lengths)}],
    }
