"""Prices as they are shown and as scripts read them: expected ones, and those that the service names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rhflow.cli import render
from rhflow.core.errors import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rhflow.app.runs.quotes import Quote
    from rhflow.app.service.prices import Priced
    from rhflow.core.cost import Estimate, Total
    from rhflow.core.plan.plan import Plan
    from rhflow.core.recipe.document import Pipeline

QUOTE = click.option("--quote", is_flag=True, help="Ask the service too what each call would cost, which is free.")
UPLOAD = click.option("--upload", is_flag=True, help="With --quote: upload the files that it needs to be asked.")


def require_quote(*, quote: bool, upload: bool) -> None:
    """Raise UsageError for files that are to be uploaded for nothing."""
    if upload and not quote:
        raise UsageError(Problem("bad-option", "`--upload` goes with `--quote`", hint="add `--quote`"))


def price_words(price: Estimate, paid: bool = True) -> str:
    """Return a price, with from how many calls it was learnt."""
    if not paid:
        return "free"
    return f"{price} ({render.plural(price.learnt, 'run')})" if price.learnt else str(price)


def quotes_text(quotes: Mapping[str, Quote]) -> str:
    """Return what the service says that calls cost, beside what is expected, by what they are for."""
    from rhflow.core.cost import total

    if not quotes:
        return "nothing to ask the service: no paid call is to be made"
    lines = [render.table(("step", "expected", "quoted", ""), [_quoted(*each) for each in quotes.items()]), ""]
    answered = [each for each in quotes.values() if each.price is not None]
    if not answered:
        return "\n".join([*lines, "the service has quoted none of them"])
    which = "" if len(quotes) == 1 else f" for {len(answered):,} of {render.plural(len(quotes), 'call')}"
    lines.append(f"quoted: {sum_of(answered)}{which}")
    if differing := sum(each.differs for each in answered):
        also = f", expected for {'it' if len(answered) == 1 else 'them'}: {total(each.expected for each in answered)}"
        lines[-1] += f"{also}; {differing:,} differ{'s' * (differing == 1)}"
    return "\n".join(lines)


def _quoted(node: str, quote: Quote) -> tuple[str, str, str, str]:
    note = quote.why or ("free this time" if quote.free else "differs" if quote.differs else "")
    return node, price_words(quote.expected), "" if quote.price is None else str(quote.price), note


def sum_of(quotes: Iterable[Quote]) -> Total:
    """Return what the service names in all."""
    from rhflow.core.cost import Estimate, total

    prices = (each.price for each in quotes if each.price is not None)
    return total(Estimate(each.amount, each.amount, each.currency) for each in prices)


def priced_text(priced: Priced) -> str:
    """Return what one call of a model costs."""
    facts = [("price", _basis_words(priced))]
    quote, given = priced.quote, priced.given
    if priced.asked:
        *_, named, note = _quoted("", quote)
        facts.append(("quoted", ", ".join(filter(None, (named, note)))))
    facts += [("with", ", ".join(f"{name}: {value}" for name, value in given.items()))] if given else []
    facts += [("without", ", ".join(priced.missing))] if priced.missing else []
    return "\n".join([click.style(priced.model.id, bold=True), *(f"  {name:8}  {text}" for name, text in facts)])


def _basis_words(priced: Priced) -> str:
    expected, listed = priced.quote.expected, priced.model.price
    if expected.basis == "learnt":
        return f"{expected}, as the last {render.plural(expected.learnt, 'call')} with these settings cost"
    if listed is None:
        return "unknown: it is on no list, and no call with these settings was made yet"
    return f"{expected} (list of {listed.as_of})" if listed.as_of else str(expected)


def priced_document(priced: Priced) -> dict[str, Any]:
    """Return what one call of a model costs as scripts read it."""
    expected = priced.quote.expected
    told = {"model": priced.model.id, "with": priced.given, "without": list(priced.missing), **bounds(expected)}
    told["learnt_from"] = expected.learnt
    return told | ({"quote": quote_document(priced.quote)} if priced.asked else {})


def bounds(price: Estimate) -> dict[str, Any]:
    """Return the bounds of a price as scripts read them."""
    high = None if price.high is None else float(price.high)
    told = {"at_least": float(price.low), "at_most": high, "currency": price.currency or None, "basis": price.basis}
    return told | ({"also": [bounds(each) for each in price.also]} if price.also else {})


def total_document(cost: Total) -> dict[str, Any]:
    """Return a total as scripts read it: at the top where it is of one currency, and in any case one by one."""
    from rhflow.core.cost import UNKNOWN, Estimate

    sums = [bounds(each) for each in cost.sums]
    whole = bounds(Estimate() if cost.known else UNKNOWN) if not sums else sums[0]
    if len(sums) > 1:
        whole = dict.fromkeys(whole)
    return whole | {"basis": cost.basis, "sums": sums}


def quote_document(quote: Quote) -> dict[str, Any]:
    """Return what the service says of a call as scripts read it."""
    return {
        "price": None if quote.price is None else float(quote.price.amount),
        "currency": None if quote.price is None else quote.price.currency,
        "free": quote.free,
        "text": quote.text or None,
        "differs": quote.differs,
        "why": quote.why,
    }


_ANSWERS = {
    "fits": "the plan fits",
    "may-exceed": "the plan may exceed it, so `rhflow run` refuses",
    "exceeds": "the plan exceeds it, so `rhflow run` refuses",
    "unknown": "whether that is enough is not known, so `rhflow run` refuses",
}


def budget_lines(pipeline: Pipeline, plan: Plan) -> list[str]:
    """Return what the budget says of a plan, as a run will judge it; nothing where there is no budget."""
    from rhflow.core.plan.budget import judge, limits_in_words

    allowed = limits_in_words(pipeline.budget)
    if not allowed:
        return []
    verdict = judge(pipeline, plan)
    lines = [f"budget: {allowed}; {_ANSWERS[verdict.answer]}"]
    for each in verdict.problems:
        lines += [f"  {each.message}", *([f"  hint: {each.hint}"] if each.hint else [])]
    return lines


def budget_document(pipeline: Pipeline, plan: Plan) -> dict[str, Any] | None:
    """Return what the budget says of a plan as scripts read it; None where there is no budget."""
    from rhflow.core.plan.budget import judge, limits_in_words

    budget = pipeline.budget
    if not limits_in_words(budget):
        return None
    verdict = judge(pipeline, plan)
    return {
        "max_cost": {each.currency: float(each.amount) for each in budget.max_cost},
        "max_tasks": budget.max_tasks,
        "answer": verdict.answer,
        "why": [each.message for each in verdict.problems],
    }
