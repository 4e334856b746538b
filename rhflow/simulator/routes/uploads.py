"""Files: the two uploads, the three steps of a LoRA, and what is served to everybody."""

from __future__ import annotations

import re
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from rhflow.core.values import Json
from rhflow.simulator.files import PREFIX, StoredFile
from rhflow.simulator.replies import RefusalError, Reply, wrapped
from rhflow.simulator.routes.operation import Operation, Visit
from rhflow.simulator.simulator import Simulator

LORAS = "/models/"
_OLD_LIMIT = 30 * 1024 * 1024
_PUT_WITHIN = 3600.0
"""Real seconds for which the place for a LoRA is open: a file goes up at its own pace, whatever the simulated time."""
_MD5 = re.compile(r"[0-9a-f]{32}")


async def upload(visit: Visit) -> Reply:
    """Take a file for models (by link) and for the loaders of graphs (by name)."""
    file, _ = await _part(visit)
    name = visit.simulator.take_in(file, "openapi/")
    family = file.info.media_type.partition("/")[0]
    data: dict[str, Json] = {
        "type": family if family in ("image", "video", "audio") else "file",
        "download_url": f"{visit.base}{PREFIX}input/{name}",
        "fileName": name,
        "size": str(file.size),
    }
    return wrapped(data, word="message")


async def upload_old(visit: Visit) -> Reply:
    """Take a file for the loaders of graphs; a key in the form counts like one in the header."""
    file, fields = await _part(visit)
    key = visit.account.key or str(fields.get("apiKey", "")).strip()
    if not key or visit.simulator.accounts.of(key, visit.account.site).bad is not None:
        raise visit.operation.key_refused("806")
    if file.size > _OLD_LIMIT:
        raise RefusalError("809")
    name = visit.simulator.take_in(file, "api/")
    return wrapped({"fileName": name, "fileType": str(fields.get("fileType") or "input")})


async def _part(visit: Visit) -> tuple[StoredFile, dict[str, Any]]:
    """Return the file of a multipart form, and its other parts. Raises RefusalError."""
    missing = RefusalError("301", "a part named `file` is required")
    try:
        async with visit.request.form() as form:
            if not isinstance(part := form.get("file"), UploadFile):
                raise missing
            file = await run_in_threadpool(visit.simulator.files.take, part.file, part.filename or "file")
            return file, {name: value for name, value in form.items() if isinstance(value, str)}
    except HTTPException:  # Starlette's word for a body that is no multipart form
        raise missing from None


async def lora_url(visit: Visit) -> Reply:
    """Tell where a LoRA is to be put; for known content there is nothing to put, and no address."""
    visit.text("loraName")
    md5 = visit.text("md5Hex")
    if _MD5.fullmatch(md5) is None:
        raise RefusalError("301", "`md5Hex` must be 32 hexadecimal digits in lower case")
    name = f"api-lora-{visit.account.site}/{md5}.safetensors"
    if name in visit.simulator.library.loras:
        return wrapped({"fileName": name})
    until = visit.simulator.clock() + _PUT_WITHIN * visit.simulator.config.speed
    signature = visit.simulator.library.sign(name, until)
    return wrapped({"fileName": name, "url": f"{visit.base}{LORAS}{quote(name)}?q-sign={signature}"})


def storage(simulator: Simulator) -> list[Route]:
    """Return the routes of the storage behind the service, which knows no keys and no envelopes."""

    async def put(request: Request) -> Response:
        name = request.path_params["name"]
        signature = request.query_params.get("q-sign", "")
        if not simulator.library.may_put(name, signature, simulator.clock()):
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, media_type="application/xml")
        with SpooledTemporaryFile(max_size=1 << 20) as body:
            async for chunk in request.stream():
                body.write(chunk)
            body.seek(0)
            file = await run_in_threadpool(simulator.files.take, cast("BinaryIO", body), "model.safetensors")
        simulator.library.loras[name] = file.digest
        return Response(status_code=200)

    async def get(request: Request) -> Response:
        file = simulator.served(request.path_params["name"])
        if file is None:
            return Response("no such file", status_code=404, media_type="text/plain")
        if request.method == "GET":
            simulator.counts["downloads"] += 1
        return FileResponse(file.path, media_type=file.info.media_type)

    return [Route(f"{LORAS}{{name:path}}", put, methods=["PUT"]), Route(f"{PREFIX}{{name:path}}", get, methods=["GET"])]


OPERATIONS = (
    Operation("upload", "POST", "/openapi/v2/media/upload/binary", upload, "message", "bearer"),
    Operation("upload-old", "POST", "/task/openapi/upload", upload_old, key="form"),
    Operation("lora-url", "POST", "/api/openapi/getLoraUploadUrl", lora_url),
)
