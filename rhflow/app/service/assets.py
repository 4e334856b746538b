"""The library of an account, looked at and tidied: reference files under ids, and groups of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from rhflow.app.account.questions import Service
from rhflow.core.errors import Problem, RhflowError, UsageError, did_you_mean
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations.assets import LINK, Asset, AssetGroup
from rhflow.runninghub.operations.pages import Page

T = TypeVar("T")

_FOREIGN = "group-"
"""What ids of groups begin with: one can be used that is not on the account's own list."""


_WRONG = "api-301"


def asset_id(text: str) -> str:
    """Return an asset's id, also from its link."""
    return text.removeprefix(LINK)


def asset_json(each: Asset) -> dict[str, Any]:
    """Return an asset for programs."""
    told = {"asset": each.id, "link": each.link, "name": each.name, "type": each.type.lower(), "status": each.status}
    return {**told, "ready": each.ready, "preview": each.preview or None}


def list_assets(service: Service, group: str | None, *, page: int) -> Page[Asset]:
    """Return a page of the account's assets, of one group or of all. Raises UsageError for an unknown group."""

    async def ask(hub: RunningHub) -> Page[Asset]:
        return await hub.assets(await group_id(hub, group) if group else "", page=page)

    return service.ask(ask)


def show_asset(service: Service, asset: str) -> Asset:
    """Return an asset as it is now."""
    return service.ask(lambda hub: known(hub.asset(asset_id(asset))))


def rename_asset(service: Service, asset: str, name: str) -> None:
    """Give an asset another name; its id stays."""
    service.ask(lambda hub: known(hub.asset_rename(asset_id(asset), name)))


def list_groups(service: Service) -> list[AssetGroup]:
    """Return all groups of the account."""
    return service.ask(groups_of)


def add_group(service: Service, name: str) -> AssetGroup:
    """Add a group. Raises UsageError when there is one of that name."""

    async def ask(hub: RunningHub) -> AssetGroup:
        for each in await groups_of(hub):
            if each.name == name:
                hint = f"`rhflow asset add FILE --group {name}` adds to it"
                raise UsageError(Problem("exists", f"there is a group `{name}` already: `{each.id}`", hint=hint))
        return await hub.asset_group_create(name)

    return service.ask(ask)


def show_group(service: Service, group: str) -> AssetGroup:
    """Return a group by its name or id. Raises UsageError."""
    return _of_group(service, group, lambda hub, found: hub.asset_group(found))


def rename_group(service: Service, group: str, name: str) -> None:
    """Give a group another name. Raises UsageError."""
    _of_group(service, group, lambda hub, found: hub.asset_group_rename(found, name))


def remove_group(service: Service, group: str) -> None:
    """Remove a group. Raises UsageError."""
    _of_group(service, group, lambda hub, found: hub.asset_group_delete(found))


def _of_group(service: Service, group: str, do: Callable[[RunningHub, str], Awaitable[T]]) -> T:
    async def ask(hub: RunningHub) -> T:
        return await known(do(hub, await group_id(hub, group)), "`rhflow asset group list` lists them")

    return service.ask(ask)


async def known(answer: Awaitable[T], hint: str = "`rhflow asset list` lists them") -> T:
    """Return an answer about one asset; the service says of an unknown id no more than that it is wrong."""
    try:
        return await answer
    except RhflowError as error:
        hinted = [replace(each, hint=hint) if each.code == _WRONG else each for each in error.problems]
        raise error.with_problems(hinted) from error


async def groups_of(hub: RunningHub) -> list[AssetGroup]:
    """Return all groups of the account, page after page."""
    found: list[AssetGroup] = []
    while True:
        page = await hub.asset_groups(page=len(found) // 50 + 1, size=50)
        found += page.items
        if not page.more or not page.items:
            return found


async def group_id(hub: RunningHub, group: str) -> str:
    """Return the id of a group that is named by its name or id. Raises UsageError."""
    groups = await groups_of(hub)
    by_id = [each.id for each in groups if each.id == group]
    found = by_id or [each.id for each in groups if each.name == group]
    if len(found) > 1:
        hint = "choose from " + ", ".join(f"`{each}`" for each in found)
        raise UsageError(Problem("group-ambiguous", f"several groups are called `{group}`", hint=hint))
    if not found and not group.startswith(_FOREIGN):
        hint = did_you_mean(group, [each.name for each in groups], limit=0) or f"`rhflow asset group add {group}`"
        raise UsageError(Problem("group-unknown", f"there is no group `{group}` in the library", hint=hint))
    return found[0] if found else group
