"""A solid as a result: a coloured cube in a binary glTF file."""

from __future__ import annotations

import json
import struct

from PIL import Image

from rhflow.simulator.art.brief import COLOURS, words_of
from rhflow.simulator.job import Job, Made
from rhflow.simulator.marks import open_clean

_FACES = (
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)), ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)), ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)), ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
)  # fmt: skip
_FLOAT, _SHORT = 5126, 5123


def make_solid(job: Job) -> Made:
    """Return a cube in the colour that the prompt names, or in the mean colour of the input picture."""
    path = job.folder / "0.glb"
    path.write_bytes(cube(_colour(job), name=job.prompt[:80] or "cube"))
    return Made((path,))


def _colour(job: Job) -> tuple[float, float, float]:
    named = [COLOURS[word] for word in words_of(job.prompt) if word in COLOURS]
    if named:
        red, green, blue = named[0]
    elif pictures := job.files("image"):
        pixel = open_clean(pictures[0]).image.resize((1, 1), Image.Resampling.BOX).tobytes()
        red, green, blue = pixel[0], pixel[1], pixel[2]
    else:
        red, green, blue = (job.seed >> 16) % 156 + 70, (job.seed >> 8) % 156 + 70, job.seed % 156 + 70
    return red / 255, green / 255, blue / 255


def cube(colour: tuple[float, float, float], *, name: str) -> bytes:
    """Return a GLB file with one cube, its edges 1.0 long."""
    places, normals, indices = bytearray(), bytearray(), bytearray()
    for face, (normal, across, up) in enumerate(_FACES):
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            places += struct.pack("<3f", *((n + a * x + b * y) / 2 for n, x, y in zip(normal, across, up, strict=True)))
            normals += struct.pack("<3f", *normal)
        indices += struct.pack("<6H", *(4 * face + corner for corner in (0, 1, 2, 0, 2, 3)))
    data = bytes(places + normals + indices)
    text = json.dumps(_scene(colour, name, (len(places), len(normals), len(indices))), separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(data))
    return head + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data


def _scene(colour: tuple[float, float, float], name: str, lengths: tuple[int, int, int]) -> dict[str, object]:
    places, normals, indices = lengths
    material = {
        "name": "simulated",
        "pbrMetallicRoughness": {"baseColorFactor": [*colour, 1.0], "roughnessFactor": 0.6, "metallicFactor": 0.1},
    }
    return {
        "asset": {"version": "2.0", "generator": "rhflow simulator"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 2, "material": 0}]}],
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
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": places, "target": 34962},
            {"buffer": 0, "byteOffset": places, "byteLength": normals, "target": 34962},
            {"buffer": 0, "byteOffset": places + normals, "byteLength": indices, "target": 34963},
        ],
        "buffers": [{"byteLength": places + normals + indices}],
    }
