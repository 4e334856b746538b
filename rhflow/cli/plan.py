"""``rhflow plan``: what a run would do, why, and what it would cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.cli.leftovers import UNKNOWN, OnUnknown
from rhflow.cli.options import JSON, make_request, recipe_options, selection_options
from rhflow.cli.prices import (
    QUOTE,
    UPLOAD,
    bounds,
    budget_document,
    budget_lines,
    price_words,
    quote_document,
    quotes_text,
    require_quote,
    sum_of,
    total_document,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rhflow.app.runs.quotes import Quote
    from rhflow.core.plan.plan import Decision, Plan


_MOST_AGAIN = 12


@click.command("plan")
@recipe_options
@selection_options
@QUOTE
@UPLOAD
@UNKNOWN
@JSON
def command(recipe: Path, as_json: bool, quote: bool, upload: bool, unknown: OnUnknown | None, **options: Any) -> None:
    """Show what would run, what is reused and why, and the price before paying it."""
    require_quote(quote=quote, upload=upload)
    request, quotes = replace(make_request(recipe, options), on_unknown=unknown or "fail"), None
    if quote:
        from rhflow.app.runs.quotes import make_quoted_plan

        plan, loaded, quotes = make_quoted_plan(request, upload=upload)
    else:
        from rhflow.app.runs.prepare import make_plan

        plan, loaded = make_plan(request)
    if loaded.warnings:
        render.problems(loaded.warnings)
    if as_json:
        render.document(_document(plan, quotes) | {"budget": budget_document(loaded.pipeline, plan)})
        return
    click.echo("\n".join([plan_text(plan, asks=unknown is None), *budget_lines(loaded.pipeline, plan)]))
    if quotes is not None:
        click.echo("\n" + quotes_text(quotes))


def plan_text(plan: Plan, *, asks: bool = True) -> str:
    """Return a plan as a table with what it costs; ``asks``: a run would ask what to do about calls in doubt."""
    rows = [(node, *_words(decision)) for node, decision in plan.decisions.items()]
    lines = [render.table(("step", "will", "why", "model", "price"), rows), ""]
    from rhflow.cli.taken_up import doubt_lines

    return "\n".join([*lines, summary(plan), *doubt_lines(plan, asks=asks)])


def summary(plan: Plan) -> str:
    """Return one line: how much runs, how much is reused, what it costs."""
    from rhflow.core.plan.plan import InDoubt, Later, Resume, Reuse, Run, Skip, Wait

    reused, skipped = plan.count(Reuse), plan.count(Skip)
    to_run = plan.count(Run) + plan.count(Wait) + plan.count(Later)
    also = f", {skipped:,} skipped" if skipped else ""
    if resumed := plan.count(Resume):
        also = f", {resumed:,} to be fetched ({plan.paid_already} paid already){also}"
    if doubtful := plan.count(InDoubt):
        also = f", {doubtful:,} in doubt{also}"
    if not to_run and (resumed or doubtful):
        return f"nothing new to run: {reused:,} reused{also}"
    if not to_run:
        every = "all " if reused > 1 and not skipped else ""
        return f"nothing to run: {every}{render.plural(reused, 'step')} reused{also}"
    more = " or more" if plan.count(Later) else ""
    cost = plan.cost
    how = " (~ as the last calls cost)" if any(each.learnt for each in cost.sums) and cost.known else ""
    return f"{render.plural(to_run, 'step')}{more} to run, {reused:,} reused{also}; cost: {cost}{how}"


def made_again(plan: Plan) -> list[str]:
    """Return a line for every step whose result was there and is lost: it is paid for once more."""
    from rhflow.core.plan.plan import Run

    lost = ((node, each) for node, each in plan.decisions.items() if isinstance(each, Run) and each.again)
    lines = [
        f"{node}: made again ({price_words(run.estimate, run.call.kind.paid)}): {run.reasons[0]}" for node, run in lost
    ]
    return lines[:_MOST_AGAIN] + ([f"… and {len(lines) - _MOST_AGAIN:,} more"] if len(lines) > _MOST_AGAIN else [])


def _words(decision: Decision) -> tuple[str, str, str, str]:
    """Return what will happen, why, with which model (and which filled-in defaults), and the price."""
    from rhflow.cli.taken_up import doubt_words, resume_words
    from rhflow.core.plan.plan import Fail, Gather, InDoubt, Later, Resume, Reuse, Run, Skip, Wait

    match decision:
        case Reuse(call):
            return "reuse", "same inputs as before", call.subject or "", ""
        case Run(call, reasons, price):
            return "run", ", ".join(reasons), call.subject or "", price_words(price, call.kind.paid)
        case Resume():
            return resume_words(decision)
        case InDoubt():
            return doubt_words(decision)
        case Wait(draft, on, price):
            reads = "after " + ", ".join(f"`{each}`" for each in on[:3]) + (" …" if len(on) > 3 else "")
            return "run", reads, draft.subject or "", price_words(price, draft.kind.paid)
        case Skip(why):
            return "skip", why, "", ""
        case Fail(problems):
            return "fail", problems[0].message, "", ""
        case Later(on):
            over = ", ".join(f"`{each.removesuffix('[*]')}`" for each in on[:3])
            return "loop", f"over what {over} gives", "", "unknown"
        case Gather():
            return "nothing", "0 items", "", ""
        case _:
            return "", "", "", ""


def _document(plan: Plan, quotes: Mapping[str, Quote] | None) -> dict[str, Any]:
    from rhflow.cli.taken_up import open_document
    from rhflow.core.plan.plan import InDoubt, Resume, Reuse, Run, Wait

    nodes = []
    for node, decision in plan.decisions.items():
        will, why, model, _ = _words(decision)
        item: dict[str, Any] = {"id": node, "will": will, "why": why, "model": model or None}
        if isinstance(decision, Run | Reuse):
            item |= {"key": decision.call.key, "inputs": dict(decision.call.ingredients["inputs"])}
        if isinstance(decision, Resume | InDoubt):
            item |= open_document(decision)
        if isinstance(decision, Run | Wait):
            item |= bounds(decision.estimate) | {"learnt_from": decision.estimate.learnt}
        if quotes is not None and (quote := quotes.get(node)) is not None:
            item["quote"] = quote_document(quote)
        nodes.append(item)
    document: dict[str, Any] = {"nodes": nodes, "cost": total_document(plan.cost)}
    if plan.paid_already.sums or plan.count(Resume):
        document["paid_already"] = total_document(plan.paid_already)
    if quotes is not None:
        document["quoted"] = {each.currency: float(each.low) for each in sum_of(quotes.values()).sums}
    return document
