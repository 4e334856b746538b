"""AI apps and workflows by both interfaces: run, list, example of a call, quick create."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhflow.core.values import Json
from rhflow.simulator.graphs.orders import Wish, order_graph
from rhflow.simulator.replies import RefusalError, Reply, flat, wrapped
from rhflow.simulator.routes.operation import Operation, Visit
from rhflow.simulator.routes.tasks import begun
from rhflow.simulator.tasks import Task


async def run_app(visit: Visit) -> Reply:
    """Begin an app by the newer interface."""
    app_id = visit.request.path_params["webappId"]
    with visit.simulator.counted(f"run/ai-app/{app_id}"):
        wish = Wish.of(visit.body, base=visit.base, newer=True)
        task = order_graph(visit.simulator, visit.account, wish.of_app(visit.simulator.library, app_id))
    return _begun(visit, task)


async def run_workflow(visit: Visit) -> Reply:
    """Begin a saved workflow by the newer interface."""
    workflow_id = visit.request.path_params["workflowId"]
    with visit.simulator.counted(f"run/workflow/{workflow_id}"):
        wish = Wish.of(visit.body, base=visit.base, newer=True)
        task = order_graph(visit.simulator, visit.account, wish.of_workflow(visit.simulator.library, workflow_id))
    return _begun(visit, task)


def _begun(visit: Visit, task: Task) -> Reply:
    told = {"clientId": task.ticket.client_id, "promptTips": task.ticket.tips}
    return flat(task.id, task.status(visit.simulator.clock())) | told


async def run_app_v1(visit: Visit) -> Reply:
    """Begin an app by the older interface."""
    with visit.simulator.counted("task/openapi/ai-app/run"):
        app_id = visit.text("webappId")
        wish = Wish.of(visit.body, base=visit.base)
        task = order_graph(visit.simulator, visit.account, wish.of_app(visit.simulator.library, app_id))
    return begun(visit, task)


async def quick_create(visit: Visit) -> Reply:
    """Begin an app that is a module of quick create."""
    with visit.simulator.counted("task/openapi/quick-ai-app/run"):
        app_id, code = visit.text("webappId"), visit.text("quickCreateCode")
        if (app := visit.simulator.library.app(app_id)) is not None and app.quick_create != code:
            raise RefusalError("301", f"`{code}` is not the code of this module")
        wish = Wish.of(visit.body, base=visit.base)
        task = order_graph(visit.simulator, visit.account, wish.of_app(visit.simulator.library, app_id))
    return begun(visit, task)


async def demo(visit: Visit) -> Reply:
    """Give an example of a call: the inputs of an app with what they take."""
    if (app := visit.simulator.library.app(visit.text("webappId"))) is None:
        raise RefusalError("901")
    return wrapped(app.demo(visit.base, visit.simulator.library))


async def app_list(visit: Visit) -> Reply:
    """List apps, page by page."""
    apps = visit.simulator.library.apps()
    return wrapped(page([app.record(visit.base) for app in apps], visit.body))


async def style_params(visit: Visit) -> Reply:
    """List the styles of an app of quick create."""
    app_id = visit.text("webappId")
    if not isinstance(kind := visit.body.get("type"), int):
        raise RefusalError("301", "`type` is required, as a number")
    return wrapped(visit.simulator.library.styles(app_id, kind, visit.base))


def page(records: Sequence[Json], body: Mapping[str, Json]) -> dict[str, Json]:
    """Return one page of ``records`` as the service's lists have it."""
    current, size = count_in(body, "current", 1), min(50, count_in(body, "size", 10))
    pages = -(-len(records) // size)
    shown = list(records[(current - 1) * size : current * size])
    counts: dict[str, Json] = {"current": str(current), "size": str(size), "total": str(len(records))}
    return {"records": shown, **counts, "pages": str(pages), "hasNext": current < pages}


def count_in(body: Mapping[str, Json], name: str, default: int) -> int:
    """Return a member that counts something. Raises RefusalError."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise RefusalError("301", f"`{name}` must be a positive number")
    return value


OPERATIONS = (
    Operation("run-app", "POST", "/openapi/v2/run/ai-app/{webappId}", run_app, "flat", "bearer"),
    Operation("run-workflow", "POST", "/openapi/v2/run/workflow/{workflowId}", run_workflow, "flat", "bearer"),
    Operation("run-app-v1", "POST", "/task/openapi/ai-app/run", run_app_v1),
    Operation("quick-create", "POST", "/task/openapi/quick-ai-app/run", quick_create),
    Operation("app-demo", "GET", "/api/webapp/apiCallDemo", demo, key="query"),
    Operation("app-list", "POST", "/openapi/v2/aiapp/list", app_list, key="header"),
    Operation("style-params", "POST", "/api/fast/creation/model/params", style_params, key="none"),
)
