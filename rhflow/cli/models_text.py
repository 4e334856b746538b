"""Models in words: a list that helps to choose, and one in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from rhflow.cli import render

if TYPE_CHECKING:
    from rhflow.app.catalog.models import Entry, ModelGuide
    from rhflow.core.kinds import Model

_WIDTH = 80
_PRICE = 20  # a price that takes more room may push what comes after it aside


def listing(guide: ModelGuide, entries: Sequence[Entry]) -> str:
    """Return models under the kinds of step they serve, in the order in which these come first."""
    groups: dict[str, list[Entry]] = {}
    for each in entries:
        groups.setdefault(each.kind, []).append(each)
    blocks = ["\n".join([_heading(guide, kind), *_rows(found)]) for kind, found in groups.items()]
    count = render.plural(len(entries), "model")
    return "\n\n".join([*blocks, f"{count}; catalogue of {guide.as_of}; `rhflow models show MODEL` tells more"])


def _heading(guide: ModelGuide, kind: str) -> str:
    described = guide.described(kind)
    return click.style(kind, bold=True) + (f": {described}" if described else "")


def _rows(entries: Sequence[Entry]) -> list[str]:
    """Return a line for each model: what it costs, and as much of what it takes as there is room for."""
    names = max(len(each.model.id) for each in entries)
    prices = max((len(each.price) for each in entries if len(each.price) <= _PRICE), default=0)
    lines = []
    for each in entries:
        if each.of_no_use:
            lines.append(f"  {each.model.id:{names}}  {each.mark}")
            continue
        line = f"  {each.model.id:{names}}  {each.price:{prices}}"
        lines.append(_filled(line, [*(["default"] if each.mark else []), *each.takes]))
    return lines


def _filled(line: str, parts: Iterable[str]) -> str:
    between = "  "
    for part in parts:
        if len(line) + len(between) + len(part) > _WIDTH:
            break
        line, between = line + between + part, ", "
    return line.rstrip()


def model_text(guide: ModelGuide, model: Model) -> str:
    """Return a model in full."""
    parts = [_head(guide, model), _inputs(model)]
    recipe = guide.example(model)
    if recipe is not None:
        how = f"rhflow models show {model.id} --recipe > try.yaml && rhflow run try.yaml --simulate"
        parts.append(f"to try it: `{how}`\n\n{recipe.rstrip()}")
    return "\n\n".join(parts)


def _head(guide: ModelGuide, model: Model) -> str:
    entry = guide.entry(model)
    price, *rules = _price(entry)
    facts = [
        ("title", model.title),
        ("endpoint", model.endpoint),
        ("vendor", model.vendor),
        ("tasks", ", ".join(model.tasks)),
        ("does", guide.does(model)),
        ("status", _status(entry)),
        ("price", price),
        *(("", each) for each in rules),
    ]
    return "\n".join([click.style(model.id, bold=True), *(f"  {name:8}  {text}" for name, text in facts)])


def _price(entry: Entry) -> list[str]:
    """Return the price at defaults, what is counted, the day of the list, and the rules, a line each."""
    from rhflow.core.inputs.describe import price_lines

    first, *rules = price_lines(entry.model)
    price = entry.model.price
    if price is None:
        return [first]
    whole = first if price.unit == "call" and not rules else f"{entry.price} at defaults; {first}"
    return [whole + (f" (list of {price.as_of})" if price.as_of else ""), *rules]


def _status(entry: Entry) -> str:
    model = entry.model
    if not model.callable:
        instead = f"; use {model.successor}" if model.successor else ""
        return f"cannot be called: {model.note or 'too little is known of it'}{instead}"
    return ", ".join(filter(None, (model.status if model.status == "active" else "", entry.mark)))


def _inputs(model: Model) -> str:
    from rhflow.app.catalog.models import inputs_of, stand_ins

    if not model.fields:
        return "its inputs are not known"
    rows = []
    for each in inputs_of(model):
        default = "required" if each.required else "" if each.default is None else f"default {each.default}"
        takes = "; ".join(filter(None, (each.values, each.limits)))
        rows.append((each.name, each.own, each.type, default, takes))
    lines = [render.table(("input", "service's name", "type", "", "takes"), rows)]
    for group in model.any_of:
        names = [model.by_name[name].alias or name for name in group]
        lines.append("needs " + " or ".join(f"`{name}`" for name in names))
    for rule in model.implied:
        first, then = (model.by_name[name].alias or name for name in (rule.field, rule.then))
        with_value = f"{first}: {rule.value}" if rule.value else first
        lines.append(f"`{with_value}` {'needs' if rule.only else 'sets'} `{then}: {rule.becomes}`")
    for meant, others in stand_ins(model).items():
        lines.append(" and ".join(f"`{name}`" for name in others) + f" stand{'s' * (len(others) == 1)} for `{meant}`")
    return "\n".join(lines)
