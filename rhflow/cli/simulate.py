"""``rhflow simulate``: the service on this machine, for free."""

from __future__ import annotations

from pathlib import Path

import click

LOOPBACK = "127.0.0.1"


@click.command("simulate")
@click.option("--port", type=click.IntRange(0, 65535), default=8189, show_default=True, help="0 picks a free one.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Anything else opens it to the network.")
@click.option(
    "--speed", type=click.FloatRange(min=0.01), default=20.0, show_default=True, help="Simulated seconds per second."
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="Tasks at once; more are refused."
)
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="Let things go wrong by this plan.")
def command(port: int, host: str, speed: float, limit: int, faults: Path | None) -> None:
    """Serve a simulator of the RunningHub API until Ctrl-C."""
    from rhflow.app.simulator.serve import configure, serve

    config = configure(speed=speed, limit=limit, faults=faults)
    serve(host, port, config=config, ready=lambda url: click.echo(_greeting(url)))


def _greeting(url: str) -> str:
    return f"simulating RunningHub on {url}\nuse it with: RUNNINGHUB_BASE_URL={url} rhflow run RECIPE"
