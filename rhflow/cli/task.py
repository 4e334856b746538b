"""``rhflow task``: one task at the service, by its id, whoever sent it."""

from __future__ import annotations

import click

from rhflow.cli import render
from rhflow.cli.groups import Group
from rhflow.cli.options import JSON, SIMULATE, TASK, service_of


@click.group("task", cls=Group)
def command() -> None:
    """Look at one task at the service, or stop it."""


@command.command("show")
@TASK
@SIMULATE
@JSON
def show(task: str, simulate: bool, as_json: bool) -> None:
    """Tell how a task stands, what it gave, and what it cost."""
    from rhflow.app.service.account import task_json, task_state

    state = task_state(service_of(simulate), task)
    if as_json:
        render.document(task_json(state))
        return
    usage, failure = state.usage, state.failure()
    cost = f", {usage.cost}" if usage is not None and usage.cost is not None else ""
    click.echo(f"task {task}: {state.status.lower()}{cost}")
    rows = [(each.node_id or "", each.output_type, each.url or each.text or "") for each in state.results]
    if rows:
        click.echo(render.table(("node", "type", "result"), rows))
    if failure is not None:
        render.problems(failure.problems)


@command.command("cancel")
@TASK
@SIMULATE
def cancel(task: str, simulate: bool) -> None:
    """Ask the service to stop a task, queued or running."""
    from rhflow.app.service.account import cancel_task

    cancel_task(service_of(simulate), task)
    click.echo(f"task {task} is cancelled; whether it is charged for what it did, the service does not say")
