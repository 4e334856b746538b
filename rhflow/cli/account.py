"""``rhflow account``: what is left, and how busy the account is."""

from __future__ import annotations

from decimal import Decimal

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, SIMULATE, service_of


@click.command("account")
@click.option("--keys", is_flag=True, help="List the keys of the account too, masked.")
@SIMULATE
@JSON
def command(keys: bool, simulate: bool, as_json: bool) -> None:
    """Show what the account has left, and how many tasks it may run at once."""
    from rhflow.app.service.account import account_facts

    facts = account_facts(service_of(simulate), keys=keys)
    if as_json:
        render.document(facts.to_json())
        return
    account, queue = facts.account, facts.queue
    rows = [
        ("site", facts.site),
        ("kind of key", (queue.key_type or account.key_type).lower()),
        ("wallet", str(account.money) if account.money is not None else "none"),
        ("coins", _plain(account.coins) or "none"),
        (
            "tasks",
            f"{queue.running} running, {queue.queued} queued, at most {queue.limit or 'as many as the site lets'}",
        ),
    ]
    click.echo("\n".join(f"{name:12} {text}" for name, text in rows))
    if keys:
        listed = [
            (
                each.masked,
                each.name,
                "on" if each.enabled else "off",
                _plain(each.used),
                _plain(each.quota),
                each.expires,
            )
            for each in facts.keys
        ]
        click.echo("\n" + render.table(("key", "name", "", "used", "quota", "expires"), listed))


def _plain(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"
