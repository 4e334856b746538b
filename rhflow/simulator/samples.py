"""From a job to its result, by what the model gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from rhflow.core.values import Family
from rhflow.simulator.clips import make_clip
from rhflow.simulator.graphs.classes import draw
from rhflow.simulator.graphs.drawing import GraphJob
from rhflow.simulator.job import Job, Made
from rhflow.simulator.pictures import make_pictures
from rhflow.simulator.solids import make_solid
from rhflow.simulator.sounds import make_sound
from rhflow.simulator.texts import make_text

_MAKERS: Mapping[Family, Callable[[Job], Made]] = {
    "image": make_pictures,
    "video": make_clip,
    "audio": make_sound,
    "model3d": make_solid,
    "text": make_text,
    "file": make_text,
}


AnyJob: TypeAlias = Job | GraphJob


def make(job: AnyJob) -> Made:
    """Make what ``job`` asks for, into its folder. The same job always gives the same bytes.

    Raises InputError or UnreadableMediaError for inputs that cannot serve, NodeError for a node that fails,
    StoppedError when the simulator closes.
    """
    if isinstance(job, GraphJob):
        return draw(job)
    return _MAKERS[job.model.output](job)
