"""``rhflow plan``: what a run would do, why, and what it would cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.options import JSON, make_request, recipe_options, selection_options

if TYPE_CHECKING:
    from rhflow.core.plan.plan import Decision, Plan


_MOST_AGAIN = 12


@click.command("plan")
@recipe_options
@selection_options
@JSON
def command(recipe: Path, as_json: bool, **options: Any) -> None:
    """Show what would run, what is reused and why, and the price before paying it."""
    from rhflow.app.runs.run import make_plan

    plan, loaded = make_plan(make_request(recipe, options))
    if loaded.warnings:
        render.problems(loaded.warnings)
    click.echo(json.dumps(_document(plan), indent=2) if as_json else plan_text(plan))


def plan_text(plan: Plan) -> str:
    """Return a plan as a table with what it costs."""
    rows = [(node, *_words(decision)) for node, decision in plan.decisions.items()]
    lines = [render.table(("step", "will", "why", "model", "price"), rows), ""]
    return "\n".join([*lines, summary(plan)])


def summary(plan: Plan) -> str:
    """Return one line: how much runs, how much is reused, what it costs."""
    from rhflow.core.plan.plan import Later, Reuse, Run, Skip, Wait

    reused, skipped = plan.count(Reuse), plan.count(Skip)
    to_run = plan.count(Run) + plan.count(Wait) + plan.count(Later)
    also = f", {skipped:,} skipped" if skipped else ""
    if not to_run:
        return f"nothing to run: {'all ' if not skipped else ''}{render.plural(reused, 'step')} reused{also}"
    more = " or more" if plan.count(Later) else ""
    return f"{render.plural(to_run, 'step')}{more} to run, {reused:,} reused{also}; cost: {plan.cost}"


def made_again(plan: Plan) -> list[str]:
    """Return a line for every step whose result was there and is lost: it is paid for once more."""
    from rhflow.core.plan.plan import Run

    lost = ((node, each) for node, each in plan.decisions.items() if isinstance(each, Run) and each.again)
    lines = [f"{node}: made again ({_price(run.estimate, run.call.kind.paid)}): {run.reasons[0]}" for node, run in lost]
    return lines[:_MOST_AGAIN] + ([f"… and {len(lines) - _MOST_AGAIN:,} more"] if len(lines) > _MOST_AGAIN else [])


def _words(decision: Decision) -> tuple[str, str, str, str]:
    """Return what will happen, why, with which model (and which filled-in defaults), and the price."""
    from rhflow.core.plan.plan import Fail, Later, Reuse, Run, Skip, Wait

    match decision:
        case Reuse(call):
            return "reuse", "same inputs as before", call.subject or "", ""
        case Run(call, reasons, price):
            return "run", ", ".join(reasons), call.subject or "", _price(price, call.kind.paid)
        case Wait(draft, on, price):
            reads = "after " + ", ".join(f"`{each}`" for each in on[:3]) + (" …" if len(on) > 3 else "")
            return "run", reads, draft.subject or "", _price(price, draft.kind.paid)
        case Skip(why):
            return "skip", why, "", ""
        case Fail(problems):
            return "fail", problems[0].message, "", ""
        case Later(on):
            over = ", ".join(f"`{each.removesuffix('[*]')}`" for each in on[:3])
            return "loop", f"over what {over} gives", "", "unknown"
        case _:
            return "", "", "", ""


def _price(price: Any, paid: bool) -> str:
    if not paid:
        return "free"
    return str(price)


def _document(plan: Plan) -> dict[str, Any]:
    from rhflow.core.plan.plan import Reuse, Run, Wait

    nodes = []
    for node, decision in plan.decisions.items():
        will, why, model, _ = _words(decision)
        item: dict[str, Any] = {"id": node, "will": will, "why": why, "model": model or None}
        if isinstance(decision, Run | Reuse):
            item |= {"key": decision.call.key, "inputs": dict(decision.call.ingredients["inputs"])}
        if isinstance(decision, Run | Wait):
            high = decision.estimate.high
            item |= {"at_least": float(decision.estimate.low), "at_most": None if high is None else float(high)}
        nodes.append(item)
    high = plan.cost.high
    cost = {
        "at_least": float(plan.cost.low),
        "at_most": None if high is None else float(high),
        "currency": plan.cost.currency,
    }
    return {"nodes": nodes, "cost": cost}
