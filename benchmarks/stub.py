"""A service that takes a given time for every task and does nothing: what is measured is rhflow.

Run as ``python stub.py PORT SECONDS [SPREAD]``; it speaks just enough of the API and answers with a text. Tasks take
SECONDS, give or take up to SPREAD of them. ``GET /stats`` tells how late the end of a task was noticed on average, as
a share of its duration, and how many queries tasks took at the median.
"""

from __future__ import annotations

import itertools
import random
import statistics
import sys
import time
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
SPREAD = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
_ids = itertools.count(2_000_000_000_000_000_000)
_chance = random.Random(7)


@dataclass
class Task:
    """When it ends, how long it takes, and how it was asked about."""

    due: float
    seconds: float
    queries: int = 0
    noticed: float | None = None


_tasks: dict[str, Task] = {}


async def query(request: Request) -> JSONResponse:
    name = (await request.json())["taskId"]
    task, now = _tasks[name], time.monotonic()
    done = now >= task.due
    task.queries += 1
    if done and task.noticed is None:
        task.noticed = now
    results = [{"url": None, "text": f"text {name}", "outputType": "txt"}] if done else None
    state = {"taskId": name, "status": "SUCCESS" if done else "RUNNING", "errorCode": "", "errorMessage": ""}
    return JSONResponse({**state, "results": results, "usage": {"thirdPartyConsumeMoney": "0.02"}})


async def submit(request: Request) -> JSONResponse:
    name = str(next(_ids))
    seconds = SECONDS * (1 + SPREAD * _chance.uniform(-1, 1))
    _tasks[name] = Task(time.monotonic() + seconds, seconds)
    return JSONResponse({"taskId": name, "status": "RUNNING", "errorCode": "", "errorMessage": "", "results": None})


async def queue_status(_: Request) -> JSONResponse:
    data = {"apiKeyType": "SHARED", "concurrentLimit": 10_000, "runningCount": "0", "queuedCount": "0"}
    return JSONResponse({"code": 0, "msg": "success", "data": {**data, "totalCurrentTasks": "0"}})


async def stats(_: Request) -> JSONResponse:
    noticed = [task for task in _tasks.values() if task.noticed is not None]
    late = statistics.mean(((task.noticed or 0) - task.due) / task.seconds for task in noticed)
    return JSONResponse({"late": late, "queries": statistics.median(task.queries for task in noticed)})


app = Starlette(
    routes=[
        Route("/stats", stats, methods=["GET"]),
        Route("/openapi/v2/queue/status", queue_status, methods=["GET"]),
        Route("/openapi/v2/query", query, methods=["POST"]),
        Route("/openapi/v2/{endpoint:path}", submit, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", lifespan="off")
