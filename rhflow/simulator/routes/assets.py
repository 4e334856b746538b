"""The library of an account: reference assets in groups, and the public files that loaders can name."""

from __future__ import annotations

from collections.abc import Sequence

from rhflow.core.values import Json
from rhflow.simulator.assets import Asset, Group
from rhflow.simulator.replies import RefusalError, Reply, wrapped
from rhflow.simulator.routes.apps import count_in, page
from rhflow.simulator.routes.operation import Handler, Operation, Visit

_TYPES = ("Image", "Video", "Audio")


async def create(visit: Visit) -> Reply:
    """Add an asset; it is ready a little later."""
    kind = visit.text("assetType")
    if kind not in _TYPES:
        raise RefusalError("301", f"`assetType` must be one of {', '.join(_TYPES)}")
    group = _group(visit)
    asset = visit.simulator.library.assets.add(
        visit.account, Asset("", group.id, visit.text("url"), kind, visit.text("name"), visit.simulator.clock())
    )
    return wrapped({"assetId": asset.id, "status": asset.status(visit.simulator.clock())})


async def query(visit: Visit) -> Reply:
    """Tell the state of an asset."""
    return wrapped(_asset(visit).told(visit.simulator.clock()))


async def list_assets(visit: Visit) -> Reply:
    """List assets, of one group, state or name where asked for."""
    now = visit.simulator.clock()
    found = [asset.told(now) for asset in visit.simulator.library.assets.of(visit.account)]
    wanted = {name: str(value) for name in ("groupId", "status", "name") if (value := visit.body.get(name))}
    return wrapped(_items(visit, [each for each in found if all(each[name] == wanted[name] for name in wanted)]))


async def update(visit: Visit) -> Reply:
    """Give an asset another name."""
    _asset(visit).name = visit.text("name")
    return wrapped(None)


async def delete(visit: Visit) -> Reply:
    """Remove an asset."""
    visit.simulator.library.assets.remove(visit.account, _asset(visit).id)
    return wrapped(None)


async def create_group(visit: Visit) -> Reply:
    """Add a group."""
    return wrapped({"groupId": visit.simulator.library.assets.add_group(visit.account, visit.text("name")).id})


async def query_group(visit: Visit) -> Reply:
    """Tell the name of a group."""
    return wrapped(_group(visit).told())


async def list_groups(visit: Visit) -> Reply:
    """List groups."""
    groups = [group.told() for group in visit.simulator.library.assets.groups_of(visit.account)]
    name = visit.body.get("name")
    return wrapped(_items(visit, [each for each in groups if not name or each["name"] == name]))


async def update_group(visit: Visit) -> Reply:
    """Give a group another name."""
    _group(visit).name = visit.text("name")
    return wrapped(None)


async def delete_group(visit: Visit) -> Reply:
    """Remove a group with its assets."""
    visit.simulator.library.assets.remove_group(visit.account, _group(visit).id)
    return wrapped(None)


async def resource_list(visit: Visit) -> Reply:
    """List public model files of a kind, as the loaders of graphs name them."""
    records = visit.simulator.library.resources(visit.text("resourceType"), str(visit.body.get("resourceName") or ""))
    return wrapped(page(records, visit.body))


def _asset(visit: Visit) -> Asset:
    asset = visit.simulator.library.assets.find(visit.account, visit.text("assetId"))
    if asset is None:
        raise RefusalError("301", "there is no such asset")
    return asset


def _group(visit: Visit) -> Group:
    group = visit.simulator.library.assets.group(visit.account, visit.text("groupId"))
    if group is None:
        raise RefusalError("301", "there is no such group")
    return group


def _items(visit: Visit, found: Sequence[dict[str, Json]]) -> dict[str, Json]:
    number, size = count_in(visit.body, "pageNumber", 1), count_in(visit.body, "pageSize", 10)
    return {"items": list(found[(number - 1) * size : number * size]), "totalCount": str(len(found))}


_HANDLERS: dict[str, Handler] = {
    "create": create,
    "query": query,
    "list": list_assets,
    "update": update,
    "delete": delete,
    "groups/create": create_group,
    "groups/query": query_group,
    "groups/list": list_groups,
    "groups/update": update_group,
    "groups/delete": delete_group,
}
OPERATIONS = (
    Operation("resource-list", "POST", "/openapi/v2/resource/list", resource_list, key="bearer"),
    *(
        Operation(f"assets-{path.replace('/', '-')}", "POST", f"/openapi/v2/assets/{path}", handler, key="bearer")
        for path, handler in _HANDLERS.items()
    ),
)
