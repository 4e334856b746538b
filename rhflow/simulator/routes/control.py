"""What the simulator tells of itself: not a part of the service."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rhflow.simulator.graphs.check import as_graph
from rhflow.simulator.replies import RefusalError
from rhflow.simulator.routes.operation import read_json
from rhflow.simulator.simulator import Simulator


def control_routes(simulator: Simulator) -> list[Route]:
    """Return the routes below ``/_simulator``: counts, a fresh start, and workflows of one's own."""

    async def stats(_: Request) -> Response:
        return JSONResponse(simulator.stats())

    async def reset(_: Request) -> Response:
        return JSONResponse(simulator.reset())

    async def save(request: Request) -> Response:
        """Keep a graph under an id, as if it had been saved and run on the website."""
        try:
            graph = as_graph(read_json(await request.body()))
        except RefusalError as refused:
            return JSONResponse({"error": refused.why}, status_code=400)
        workflow = simulator.library.save(request.path_params["workflowId"], graph)
        return JSONResponse({"workflowId": workflow.id, "nodes": len(workflow.graph)})

    return [
        Route("/_simulator/stats", stats, methods=["GET"]),
        Route("/_simulator/reset", reset, methods=["POST"]),
        Route("/_simulator/workflows/{workflowId}", save, methods=["PUT"]),
    ]
