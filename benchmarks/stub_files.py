"""A host of large files, and a place to upload them, that keeps nothing: what is measured is rhflow.

Run as ``python stub_files.py PORT FILE``: it serves FILE and swallows uploads.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

FILE = Path(sys.argv[2])


async def upload(request: Request) -> JSONResponse:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    link = f"{request.base_url}uploaded.mp4"
    data = {"type": "video", "download_url": link, "fileName": "openapi/uploaded.mp4", "size": str(size)}
    return JSONResponse({"code": 0, "message": "success", "data": data})


async def fetch(_: Request) -> FileResponse:
    return FileResponse(FILE)


app = Starlette(
    routes=[
        Route("/openapi/v2/media/upload/binary", upload, methods=["POST"]),
        Route("/result.mp4", fetch, methods=["GET"]),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", lifespan="off")
