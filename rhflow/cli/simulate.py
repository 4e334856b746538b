"""``rhflow simulate``: the service on this machine, for free."""

from __future__ import annotations

from pathlib import Path

import click

from rhflow.cli.options import FAULTS, HOST, SPEED, port_option


@click.command("simulate")
@port_option(8189)
@HOST
@SPEED
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Tasks at once; more are refused."
)
@FAULTS
def command(port: int, host: str, speed: float, limit: int, faults: Path | None) -> None:
    """Serve a simulator of the RunningHub API until Ctrl-C."""
    from rhflow.app.simulator.serve import configure, serve

    config = configure(speed=speed, limit=limit, faults=faults)
    serve(host, port, config=config, ready=lambda url: click.echo(_greeting(url)))


def _greeting(url: str) -> str:
    return f"simulating RunningHub on {url}\nuse it with: RUNNINGHUB_BASE_URL={url} rhflow run RECIPE"
