"""The library of reference files that some video models take as ``asset://<id>``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from rhflow.runninghub.operations.pages import Page, page_of
from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.wire.envelope import object_in, unreadable, wrapped
from rhflow.runninghub.wire.members import first, text_of

T = TypeVar("T")

AssetType = Literal["Image", "Video", "Audio"]
_READY = frozenset({"ACTIVE", "AVAILABLE", "READY", "SUCCESS", "SUCCEEDED", "COMPLETED", "DONE"})
_FAILED = frozenset({"FAILED", "ERROR", "CANCEL", "CANCELED", "CANCELLED"})
LINK = "asset://"


@dataclass(frozen=True, slots=True)
class Asset:
    """A reference file; models take its ``link`` once it is ``ready``."""

    id: str
    status: str
    type: str = ""
    name: str = ""
    preview: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def ready(self) -> bool:
        """Whether models can use it."""
        return self.status.upper() in _READY

    @property
    def failed(self) -> bool:
        """Whether the service gave it up."""
        return self.status.upper() in _FAILED

    @property
    def link(self) -> str:
        """What a model's input takes for it."""
        return f"{LINK}{self.id}"


@dataclass(frozen=True, slots=True)
class AssetGroup:
    """A group of assets."""

    id: str
    name: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Assets(Session):
    """What can be done with reference files. None of it is known to cost anything; a creation is not repeated."""

    async def asset_create(self, group_id: str, url: str, type: AssetType, name: str) -> Asset:
        """Add the file at ``url`` to a group, once. Raises RhflowError, UnknownOutcomeError when it may be there."""
        payload = {"groupId": group_id, "url": url, "assetType": type, "name": name}
        return await self._call("create", f"the asset `{name}`", payload, _asset, once=True)

    async def asset(self, asset_id: str) -> Asset:
        """Return an asset as it is now."""
        return await self._call("query", f"the asset `{asset_id}`", {"assetId": asset_id}, _asset)

    async def assets(self, group_id: str = "", *, page: int = 1, size: int = 50) -> Page[Asset]:
        """Return a page of the assets, of one group or of all."""
        payload: dict[str, Any] = {"pageNumber": page, "pageSize": size} | ({"groupId": group_id} if group_id else {})
        return await self._call("list", "the list of assets", payload, lambda data: page_of(data, _asset, page, size))

    async def asset_rename(self, asset_id: str, name: str) -> None:
        """Give an asset another name."""
        await self._call("update", f"the asset `{asset_id}`", {"assetId": asset_id, "name": name}, lambda _: None)

    async def asset_delete(self, asset_id: str) -> None:
        """Remove an asset."""
        await self._call("delete", f"the asset `{asset_id}`", {"assetId": asset_id}, lambda _: None)

    async def asset_group_create(self, name: str) -> AssetGroup:
        """Add a group, once. Raises RhflowError, UnknownOutcomeError when it may be there."""
        return await self._call("groups/create", f"the group `{name}`", {"name": name}, _group, once=True)

    async def asset_group(self, group_id: str) -> AssetGroup:
        """Return a group."""
        return await self._call("groups/query", f"the group `{group_id}`", {"groupId": group_id}, _group)

    async def asset_groups(self, *, page: int = 1, size: int = 50) -> Page[AssetGroup]:
        """Return a page of the groups."""
        read, payload = (lambda data: page_of(data, _group, page, size)), {"pageNumber": page, "pageSize": size}
        return await self._call("groups/list", "the list of groups", payload, read)

    async def asset_group_rename(self, group_id: str, name: str) -> None:
        """Give a group another name."""
        payload = {"groupId": group_id, "name": name}
        await self._call("groups/update", f"the group `{group_id}`", payload, lambda _: None)

    async def asset_group_delete(self, group_id: str) -> None:
        """Remove a group."""
        await self._call("groups/delete", f"the group `{group_id}`", {"groupId": group_id}, lambda _: None)

    async def _call(
        self, name: str, what: str, payload: Mapping[str, Any], read: Callable[[Any], T], *, once: bool = False
    ) -> T:
        question = Question("asset", what, f"/openapi/v2/assets/{name}", wrapped(read), payload, once=once)
        return await self.ask(question)


def _asset(data: Any) -> Asset:
    found = object_in(data, "asset")
    asset_id = text_of(first(found, "assetId", "id")) or unreadable("it has no asset id")
    preview, kind = text_of(found.get("previewUrl")), text_of(found.get("assetType"))
    return Asset(asset_id, text_of(found.get("status")), kind, text_of(found.get("name")), preview, raw=found)


def _group(data: Any) -> AssetGroup:
    found = object_in(data, "group")
    group_id = text_of(first(found, "groupId", "id")) or unreadable("it has no group id")
    return AssetGroup(group_id, text_of(found.get("name")), raw=found)
