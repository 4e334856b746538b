"""Runs workflows with comfykit and prints what came of them. A process of its own: it rearranges all logging."""

from __future__ import annotations

import asyncio
import json
import sys

from comfykit.comfyui.http_executor import HttpExecutor
from comfykit.comfyui.runninghub_client import RunningHubClient
from comfykit.comfyui.runninghub_executor import RunningHubExecutor
from comfykit.comfyui.websocket_executor import WebSocketExecutor

PAINT, MOVE = "1900000000000000101", "1900000000000000104"


async def main(url: str, key: str, picture: str, graph: str) -> None:
    """Move a picture by hand, paint one by the executor, and run a graph as on a ComfyUI of one's own."""
    async with RunningHubClient(api_key=key, base_url=url, retry_count=0) as client:
        changes = [{"nodeId": "52", "fieldName": "image", "fieldValue": await client.upload_file(picture)}]
        for field, value in (("width", 96), ("height", 64), ("length", 17)):
            changes.append({"nodeId": "50", "fieldName": field, "fieldValue": value})
        task_id = (await client.create_task(MOVE, changes))["taskId"]
        while (await client.query_task_status(task_id))["status"] != "SUCCESS":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        moved = await client.query_task_result(task_id)
    async with RunningHubExecutor(base_url=url, api_key=key, retry_count=0) as executor:
        painted = await executor.execute_by_id(PAINT)
    asked = await HttpExecutor(base_url=f"{url}/proxy/{key}").execute_workflow(graph)
    listened = await WebSocketExecutor(base_url=url).execute_workflow(graph)
    ways = {
        way: {"status": each.status, "images": each.images, "why": each.msg}
        for way, each in (("http", asked), ("websocket", listened))
    }
    print(json.dumps({"moved": moved, "status": painted.status, "images": painted.images, **ways}))


asyncio.run(main(*sys.argv[1:]))
