"""``rhflow asset``: the account's library of reference files, which recipes name as ``asset://<id>``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.options import JSON, PAGE, SIMULATE, STORE, YES, service_of

if TYPE_CHECKING:
    from rhflow.app.service.library import Added

_GROUP = click.option("--group", metavar="GROUP", help="Only those of this group, by its name or id.")


@click.group("asset", cls=Group)
def command() -> None:
    """Keep reference files at the service, for the models that take `asset://…`."""


@command.command("list")
@_GROUP
@PAGE
@SIMULATE
@JSON
def list_(group: str | None, page: int, simulate: bool, as_json: bool) -> None:
    """List assets, a page at a time."""
    from rhflow.app.service.assets import asset_json, list_assets

    found = list_assets(service_of(simulate), group, page=page)
    if as_json:
        rows = [asset_json(each) for each in found.items]
        render.document({"assets": rows, "total": found.total, "more": found.more})
        return
    if not found.items:
        render.say("no assets: `rhflow asset add FILE` adds one" if page == 1 else "no assets on this page")
        return
    cells = [(each.link, each.name, each.type.lower(), each.status.lower()) for each in found.items]
    click.echo(render.table(("asset", "name", "type", "status"), cells))
    shown = render.part(len(cells), found.total, "asset", then=page + 1 if found.more else None)
    click.echo(f"\n{shown}; steps take one as it stands in the first column")


@command.command("show")
@click.argument("asset")
@SIMULATE
@JSON
def show(asset: str, simulate: bool, as_json: bool) -> None:
    """Tell how an asset stands, by its id or its link."""
    from rhflow.app.service.assets import asset_json, show_asset

    found = asset_json(show_asset(service_of(simulate), asset))
    if as_json:
        render.document(found)
        return
    click.echo(_line(found))
    if found["preview"]:
        click.echo(f"preview: {found['preview']}")


@command.command("add")
@click.argument("file", metavar="FILE|URL")
@click.option("--name", metavar="NAME", help="What to call it in lists. Default: the name of the file.")
@click.option("--type", "type_", type=click.Choice(["image", "video", "audio"]), help="What a link leads to.")
@click.option("--group", metavar="GROUP", help="The group that it goes into. Default: `rhflow`, made when needed.")
@click.option("--again", is_flag=True, help="Add it although it is there, or may be.")
@click.option("--no-wait", is_flag=True, help="Leave before models can use it.")
@SIMULATE
@STORE
@JSON
def add(
    file: str,
    name: str | None,
    type_: str | None,
    group: str | None,
    again: bool,
    no_wait: bool,
    simulate: bool,
    store: Path | None,
    as_json: bool,
) -> None:
    """Add a picture, a clip or a sound.

    The same file is not added twice.
    """
    from rhflow.app.service.assets import asset_json
    from rhflow.app.service.library import Wanted, add

    def told(added: Added) -> None:
        click.echo(f"{_line(asset_json(added.asset))}; waiting until models can use it", err=True)

    wanted = Wanted(file, name, type_, group, again)
    added = add(service_of(simulate, store), wanted, wait=not no_wait, told=told)
    document = asset_json(added.asset)
    if as_json:
        render.document({**document, "new": added.new})
        return
    click.echo(_line(document))
    if not added.new:
        click.echo("it was in the library already; `--again` adds the file once more")
    click.echo(f"in a recipe: `{document['type']}: {document['link']}`")


@command.command("rename")
@click.argument("asset")
@click.argument("name")
@SIMULATE
def rename(asset: str, name: str, simulate: bool) -> None:
    """Call an asset something else.

    Recipes go on to name it by its id.
    """
    from rhflow.app.service.assets import rename_asset

    rename_asset(service_of(simulate), asset, name)
    click.echo(f"asset {asset} is called {name} now")


@command.command("rm")
@click.argument("asset")
@YES
@SIMULATE
@STORE
def rm(asset: str, yes: bool, simulate: bool, store: Path | None) -> int:
    """Remove an asset.

    Steps that name it fail from then on, unless their results are kept here.
    """
    from rhflow.app.service.assets import asset_json, show_asset
    from rhflow.app.service.library import remove

    service = service_of(simulate, store)
    if not yes:
        click.echo(_line(asset_json(show_asset(service, asset))))
        if not click.confirm("remove?"):
            click.echo("nothing removed")
            return 1
    remove(service, asset)
    click.echo(f"asset {asset} is removed")
    return 0


@command.group("group", cls=Group)
def groups() -> None:
    """Keep assets apart: every asset is in one group."""


@groups.command("list")
@SIMULATE
@JSON
def list_groups(simulate: bool, as_json: bool) -> None:
    """List the groups of the account."""
    from rhflow.app.service import assets

    found = assets.list_groups(service_of(simulate))
    if as_json:
        render.document([{"group": each.id, "name": each.name} for each in found])
        return
    if not found:
        render.say("no groups: `rhflow asset add FILE` makes one")
        return
    click.echo(render.table(("group", "name"), [(each.id, each.name) for each in found]))


@groups.command("show")
@click.argument("group")
@SIMULATE
@JSON
def show_group(group: str, simulate: bool, as_json: bool) -> None:
    """Tell the id and the name of a group, by either."""
    from rhflow.app.service import assets

    found = assets.show_group(service_of(simulate), group)
    if as_json:
        render.document({"group": found.id, "name": found.name})
        return
    click.echo(f"{found.id}: {found.name}")


@groups.command("add")
@click.argument("name")
@SIMULATE
@JSON
def add_group(name: str, simulate: bool, as_json: bool) -> None:
    """Add a group."""
    from rhflow.app.service import assets

    made = assets.add_group(service_of(simulate), name)
    if as_json:
        render.document({"group": made.id, "name": name})
        return
    render.say(f"group {name}: {made.id}; `rhflow asset add FILE --group {name}` adds to it")


@groups.command("rename")
@click.argument("group")
@click.argument("name")
@SIMULATE
def rename_group(group: str, name: str, simulate: bool) -> None:
    """Call a group something else."""
    from rhflow.app.service import assets

    assets.rename_group(service_of(simulate), group, name)
    click.echo(f"group {group} is called {name} now")


@groups.command("rm")
@click.argument("group")
@YES
@SIMULATE
def rm_group(group: str, yes: bool, simulate: bool) -> int:
    """Remove a group; what is in it may go with it."""
    from rhflow.app.service import assets

    if not yes and not click.confirm(f"remove group {group}, and maybe what is in it?"):
        click.echo("nothing removed")
        return 1
    assets.remove_group(service_of(simulate), group)
    click.echo(f"group {group} is removed")
    return 0


def _line(asset: Mapping[str, Any]) -> str:
    told = ", ".join(filter(None, (asset["name"], asset["type"], asset["status"].lower())))
    return f"{asset['link']}: {told}"
