"""A service that takes a given time for every task and does nothing: what is measured is rhflow.

Run as ``python stub.py PORT SECONDS``; it speaks just enough of the API and answers with a text.
"""

from __future__ import annotations

import itertools
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
_ids = itertools.count(2_000_000_000_000_000_000)
_due: dict[str, float] = {}


async def query(request: Request) -> JSONResponse:
    task = (await request.json())["taskId"]
    done = time.monotonic() >= _due[task]
    results = [{"url": None, "text": f"text {task}", "outputType": "txt"}] if done else None
    state = {"taskId": task, "status": "SUCCESS" if done else "RUNNING", "errorCode": "", "errorMessage": ""}
    return JSONResponse({**state, "results": results, "usage": {"thirdPartyConsumeMoney": "0.02"}})


async def submit(request: Request) -> JSONResponse:
    task = str(next(_ids))
    _due[task] = time.monotonic() + SECONDS
    return JSONResponse({"taskId": task, "status": "RUNNING", "errorCode": "", "errorMessage": "", "results": None})


app = Starlette(
    routes=[
        Route("/openapi/v2/query", query, methods=["POST"]),
        Route("/openapi/v2/{endpoint:path}", submit, methods=["POST"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", lifespan="off")
