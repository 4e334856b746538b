"""From the facts about one model to its row in the catalogue file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tools.catalog.aliases import ITEMS, alias_by_field, implied, spread

Facts = Mapping[str, Any]
Row = dict[str, Any]

# What the price list holds where it has no price: nothing, the smallest amount it can hold (models whose price
# depends on tokens), or the largest. None of them is what a call costs.
NOTHING, SMALLEST, LARGEST = Decimal(0), Decimal("0.01"), Decimal(9999)


def money(number: float) -> str:
    """Return an amount as plain text, as the facts file spells it but for trailing zeros."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_row(price: Facts | None) -> Row | None:
    """Return the price, None where the list has none; the smallest amount per call is a floor."""
    if price is None:
        return None
    row: Row = {"unit": price["unit"]}
    rules = [rule for rule in price.get("rules", ()) if Decimal(str(rule["price"])) != NOTHING]
    fixed = Decimal(str(price.get("fixed", 0)))
    if rules:
        row["rules"] = [{"when": rule["when"], "price": money(rule["price"])} for rule in rules]
    elif "from" in price:
        row["lowest"] = money(price["from"])
    elif fixed in (NOTHING, LARGEST):
        return None
    elif fixed == SMALLEST and price["unit"] == "call":
        row["lowest"] = money(price["fixed"])
    else:
        row["fixed"] = money(price["fixed"])
    if price.get("floor"):
        row["floor"] = True
    if price["currency"] != "CNY":
        row["currency"] = price["currency"]
    return row | {"as_of": price["as_of"]}


def field_row(param: Facts, alias: str | None) -> Row:
    """Return one input, without members at their default."""
    row: Row = {"name": param["name"], "type": param["type"]}
    if alias is not None:
        row["alias"] = alias
    if param["required"]:
        row["required"] = True
    if alias is not None and param["name"] in ITEMS:
        row["item"] = dict(ITEMS[param["name"]])
    for name in ("default", "enum", "min", "max", "step", "max_length", "max_items", "max_mb", "formats"):
        if name in param:
            row[{"min": "minimum", "max": "maximum"}.get(name, name)] = param[name]
    return row


def model_row(facts: Facts) -> Row:
    """Return the row of one model; ``successor`` is filled in once all rows are there."""
    aliases = alias_by_field(facts["params"], facts["task"])
    callable_ = facts["confidence"] != "low" and facts.get("params_known", True)
    if not callable_ and "note" not in facts:
        raise SystemExit(f"facts.json: {facts['id']} cannot be called and has no note saying why")
    row: Row = {"id": facts["id"], "title": facts["title"], "endpoint": facts["endpoint"]}
    _copy(facts, row, "names", "former_endpoints")
    row |= {
        "tasks": [facts["task"], *facts.get("also_tasks", ())],
        "output": {"3d": "model3d"}.get(facts["output"], facts["output"]),
        "status": facts["status"],
    }
    if not callable_:
        row["callable"] = False
    _copy(facts, row, "note", "vendor", "family", "channel", "confidence", "features", "any_of")
    if over := spread(facts["params"]):
        row["spread"] = over
    if rules := implied(facts["params"]):
        row["implied"] = rules
    if (price := price_row(facts["price"])) is not None:
        row["price"] = price
    return row | {"fields": [field_row(param, aliases.get(param["name"])) for param in facts["params"]]}


def _copy(facts: Facts, row: Row, *names: str) -> None:
    row |= {name: facts[name] for name in names if facts.get(name) is not None}


def add_successors(rows: Sequence[Row]) -> None:
    """Give each model that is withdrawn or cannot be called the one to use instead.

    Among active, callable models of the same vendor, family and first task: one of the same sales channel before any
    other, then the one whose id has the most words in common and the fewest of its own, then by id.
    """
    for row in rows:
        if row["status"] == "active" and row.get("callable", True):
            continue
        words = _words(row)
        heirs = [each for each in rows if _may_follow(each, row)]
        heirs.sort(key=lambda each: (each.get("channel") != row.get("channel"), len(words ^ _words(each)), each["id"]))
        if heirs:
            row["successor"] = heirs[0]["id"]


def _may_follow(heir: Row, row: Row) -> bool:
    same = all(heir[name] == row[name] for name in ("vendor", "family"))
    return same and heir["tasks"][0] == row["tasks"][0] and heir["status"] == "active" and heir.get("callable", True)


def _words(row: Row) -> set[str]:
    return set(re.split(r"[-.]", row["id"]))
