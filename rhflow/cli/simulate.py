"""``rhflow simulate``: the service on this machine, for free."""

from __future__ import annotations

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
def command(port: int, host: str, speed: float, limit: int) -> None:
    """Serve a simulator of the RunningHub API until Ctrl-C."""
    from rhflow.app.simulate import serve

    serve(host, port, speed=speed, limit=limit, ready=lambda url: click.echo(_greeting(url)))


def _greeting(url: str) -> str:
    return f"simulating RunningHub on {url}\nuse it with: RUNNINGHUB_BASE_URL={url} rhflow run RECIPE"
