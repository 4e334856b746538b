"""``rhflow webhook``: the callback of a task, and delivering it again."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.options import HOST, JSON, SIMULATE, STORE, TASK, port_option, service_of


@click.group("webhook", cls=Group)
def command() -> None:
    """Look at callbacks of the service, and have them delivered again."""


@command.command("show")
@TASK
@SIMULATE
@JSON
def show(task: str, simulate: bool, as_json: bool) -> None:
    """Tell what the callback of a task says and how its delivery went."""
    from rhflow.app.service.account import webhook_event

    event = webhook_event(service_of(simulate), task)
    if as_json:
        render.document(dict(event.raw))
        return
    rows = [
        ("event", event.id),
        ("to", event.url),
        ("delivered", f"{event.status.lower()}, tried {event.retries + 1} times"),
        ("answer", event.response),
        ("first, last", f"{event.created}, {event.updated}"),
        ("says", event.data if isinstance(event.data, str) else json.dumps(event.data, ensure_ascii=False)),
    ]
    click.echo("\n".join(f"{name:12} {text}" for name, text in rows))


@command.command("listen")
@HOST
@port_option(8190)
@STORE
@JSON
def listen_(host: str, port: int, store: Path | None, as_json: bool) -> None:
    """Take callbacks until Ctrl-C, and note which call became which task.

    The service must reach it from outside: put a tunnel or a web server in front, and give runs its public address
    with `--webhook` or RHFLOW_WEBHOOK. Runs on the same store that wait for the task then ask about it at
    once, and the task of a call whose reply was lost is found, by the run itself or by `rhflow resume`.
    """
    from rhflow.app.service.listen import Callback, listen
    from rhflow.settings import read_settings

    def ready(url: str) -> None:
        click.echo(f"listening on {url}", err=as_json)

    def heard(callback: Callback) -> None:
        told = "" if callback.call else "; it names no call of rhflow"
        click.echo(json.dumps(callback.to_json()) if as_json else f"task {callback.task_id}: {callback.status}{told}")

    listen(read_settings(store=store), host, port, ready=ready, heard=heard)


@command.command("resend")
@TASK
@click.option("--to", "url", metavar="URL", help="Deliver there instead.")
@SIMULATE
def resend(task: str, url: str | None, simulate: bool) -> None:
    """Have the callback of a task delivered once more."""
    from rhflow.app.service.account import resend_webhook

    target = resend_webhook(service_of(simulate), task, url)
    click.echo(f"the callback of task {task} is delivered again, to {target}")
