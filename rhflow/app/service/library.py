"""Files into the library of an account, each once: what a recipe then names as ``asset://<id>``.

The service makes as many assets of one file as it is asked for, and a lost reply tells nothing. So an addition is noted
before it is sent: the same file is found again, and what may be there is not sent again unless the user says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from rhflow.app.account.account import open_account
from rhflow.app.account.limits import name_of
from rhflow.app.account.questions import Service
from rhflow.app.catalog.in_force import load_catalog
from rhflow.app.recipes.files import LocalFiles, nearby
from rhflow.app.request import Request
from rhflow.app.service.assets import asset_id, group_id, groups_of, known
from rhflow.core import canonical
from rhflow.core.errors import (
    Problem,
    RecipeError,
    RhflowError,
    StepError,
    StepTimeoutError,
    UnknownOutcomeError,
    UsageError,
)
from rhflow.core.values import MEDIA_TYPES, Artifact, family_of
from rhflow.runninghub.operations.assets import Asset, AssetType
from rhflow.steps.context import Tools
from rhflow.store.store import Store

T = TypeVar("T")

TYPES: dict[str, AssetType] = {"image": "Image", "video": "Video", "audio": "Audio"}
GROUP = "rhflow"
"""The group that assets go into when none is named; it is made when there is none."""
_READY_WITHIN: dict[str, float] = {"Image": 180.0, "Audio": 180.0, "Video": 300.0}
_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be added: a path or a link, and what the user says of it; ``again``: although it may be there."""

    source: str
    name: str | None = None
    type: str | None = None
    group: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """An asset, and whether it was made just now or found."""

    asset: Asset
    new: bool


def add(service: Service, wanted: Wanted, *, wait: bool = True, told: Callable[[Added], None]) -> Added:
    """Add a file to the library, or find it there; ``told`` hears of the asset before it is waited for.

    Raises UsageError for what cannot be added, UnknownOutcomeError when it may have been, StepError when the service
    does not take it.
    """

    async def work(library: _Library) -> Added:
        added = await library.added(wanted)
        if added.asset.ready or not wait:
            return added
        told(added)
        return replace(added, asset=await library.ready(added.asset))

    return _in_library(service, work)


def remove(service: Service, asset: str) -> None:
    """Remove an asset from the library, by its id or its link."""
    _in_library(service, lambda library: library.remove(asset_id(asset)))


def _in_library(service: Service, work: Callable[[_Library], Awaitable[T]]) -> T:
    async def worked() -> T:
        async with _opened(service) as library:
            return await work(library)

    return asyncio.run(worked())


@asynccontextmanager
async def _opened(service: Service) -> AsyncIterator[_Library]:
    request = Request(Path(), service.settings, simulate=service.simulate)
    with Store.open(service.settings.store) as store:
        async with open_account(request, store, load_catalog(service.settings)) as account:
            tools = account.tools
            yield _Library(store, tools, name_of(tools.site, tools.hub.connection.key.reveal()))


@dataclass(frozen=True, slots=True)
class _Material:
    """What an asset is made of; ``content`` is a digest of the file, or of the link where it is one."""

    content: str
    name: str
    type: AssetType
    source: Artifact | str


@dataclass(frozen=True, slots=True)
class _Library:
    """The library of one account, with what this machine has added to it."""

    store: Store
    tools: Tools
    account: str

    async def added(self, wanted: Wanted) -> Added:
        """Return the asset of what is wanted, made unless it is there."""
        material = _material(wanted, self.store)
        with self._alone(material):
            if not wanted.again and (found := await self._found(material)) is not None:
                return Added(found, new=False)
            return Added(await self._made(material, wanted.group), new=True)

    async def ready(self, asset: Asset) -> Asset:
        """Wait until models can use an asset. Raises StepError, StepTimeoutError after some minutes."""
        clock, last = self.tools.clock, asset
        patience = _READY_WITHIN.get(asset.type, max(_READY_WITHIN.values()))
        until = clock.now() + clock.patience(patience)
        while not last.ready:
            if last.failed:
                hint = f"`rhflow asset rm {asset.id}` removes it; see that the file opens, and add it again"
                raise StepError(Problem("asset-failed", f"the service cannot use `{asset.link}`", hint=hint))
            if clock.now() > until:
                hint = f"`rhflow asset show {asset.id}` tells when it is ready"
                message = f"`{asset.link}` is not ready after {patience:.0f} seconds"
                raise StepTimeoutError(Problem("asset-not-ready", message, hint=hint))
            await clock.sleep(_BETWEEN_LOOKS * clock.scale)
            last = await self.tools.hub.asset(asset.id)
        return replace(last, type=last.type or asset.type, name=last.name or asset.name)

    async def remove(self, asset: str) -> None:
        """Remove an asset, and what is known of it."""
        await known(self.tools.hub.asset_delete(asset))
        await asyncio.wrap_future(self.store.additions.forget(self.account, asset))

    @contextmanager
    def _alone(self, material: _Material) -> Iterator[None]:
        """Keep others on this machine from adding the same file meanwhile."""
        name = f"asset {self.account} {material.content}"
        if not self.store.locks.try_acquire(name):
            message = f"another rhflow is adding `{material.name}` right now"
            raise UsageError(Problem("being-added", message, hint="wait for it, then `rhflow asset list`"))
        try:
            yield
        finally:
            self.store.locks.release(name)

    async def _found(self, material: _Material) -> Asset | None:
        """Return the asset that this became earlier, None when it is to be added. Raises RhflowError in doubt."""
        earlier = self.store.additions.find(self.account, material.content)
        if earlier is None:
            return None
        if earlier.asset is None:
            message = f"`{earlier.name}` was sent earlier, and no reply tells whether it is in the library"
            hint = "`rhflow asset list` shows what is there; if it is not, add it with `--again`"
            raise UnknownOutcomeError(Problem("asset-unknown", message, hint=hint))
        hint = "add the file with `--again` if the asset is not in `rhflow asset list` any more"
        found = await known(self.tools.hub.asset(earlier.asset), hint)
        return None if found.failed else replace(found, name=found.name or earlier.name)

    async def _made(self, material: _Material, group: str | None) -> Asset:
        hub, additions, of = self.tools.hub, self.store.additions, (self.account, material.content)
        source = material.source
        link = source if isinstance(source, str) else await self.tools.vault.link(source)
        folder, before = await self._folder(group), additions.find(*of)
        if not self.tools.forgetful:
            await asyncio.wrap_future(additions.intend(*of, material.name, at=time.time()))
        try:
            made = await hub.asset_create(folder, link, material.type, material.name)
        except UnknownOutcomeError:
            raise  # the note stays: it may be there
        except RhflowError:
            await asyncio.wrap_future(additions.undo(*of, before))
            raise
        await asyncio.wrap_future(additions.keep(*of, made.id))
        return replace(made, type=made.type or material.type, name=made.name or material.name)

    async def _folder(self, group: str | None) -> str:
        """Return the id of the group to add to."""
        hub = self.tools.hub
        if group is not None:
            return await group_id(hub, group)
        found = [each.id for each in await groups_of(hub) if each.name == GROUP]
        return found[0] if found else (await hub.asset_group_create(GROUP)).id


def _material(wanted: Wanted, store: Store) -> _Material:
    """Return what is to be added with its type and name. Raises UsageError."""
    source = wanted.source
    if source.startswith(("http://", "https://")):
        path = unquote(urlsplit(source).path)
        stem, _, extension = path.rpartition("/")[2].rpartition(".")
        family = wanted.type or family_of(MEDIA_TYPES.get(extension.casefold(), ""))
        if family not in TYPES:
            hint = "add `--type image`, `--type video` or `--type audio`"
            raise UsageError(Problem("no-type", "the link does not tell what it leads to", hint=hint))
        name = wanted.name or stem or extension or family
        return _Material(canonical.digest("link", source), name, TYPES[family], source)
    file = _file(source, store)
    if file.family not in TYPES:
        hint = "the library takes pictures, clips and sound"
        raise UsageError(Problem("wrong-media", f"`{source}` is {file.media_type}", hint=hint))
    if wanted.type not in (None, file.family):
        raise UsageError(Problem("wrong-media", f"`{source}` is {file.media_type}", hint="leave `--type` out"))
    return _Material(file.digest, wanted.name or Path(file.name).stem, TYPES[file.family], file)


def _file(text: str, store: Store) -> Artifact:
    try:
        return LocalFiles(store, Path())(text)
    except RecipeError as error:
        raise UsageError([replace(each, hint=nearby(Path(text))) for each in error.problems]) from error
