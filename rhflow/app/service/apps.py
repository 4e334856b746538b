"""The site's AI apps: lists of them, and what each one takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rhflow.app.account.questions import Service
from rhflow.runninghub.operations.apps import App, AppDemo, AppInput, Sort, Style
from rhflow.runninghub.operations.pages import Page

SORTS: dict[str, Sort] = {"recommended": "RECOMMEND", "hottest": "HOTTEST", "newest": "NEWEST"}


def list_apps(service: Service, sort: str, *, page: int, days: int) -> Page[App]:
    """Return a page of the site's apps."""
    return service.ask(lambda hub: hub.app_list(SORTS[sort], page=page, days=days))


def show_app(service: Service, app: str) -> AppDemo:
    """Return what an app takes."""
    return service.ask(lambda hub: hub.app_demo(app))


def list_styles(service: Service, app: str, type: int) -> Sequence[Style]:
    """Return the styles of a quick create module."""
    return service.ask(lambda hub: hub.styles(app, type))


def input_row(each: AppInput) -> tuple[str, str, str, str, str]:
    """Return an input for people: its name, its label, its type, the value of the example, and its choices."""
    label = " / ".join(dict.fromkeys(filter(None, (each.label_en, each.label))))
    return each.name, label, each.type.lower(), each.value, ", ".join(choice.name for choice in each.choices)


def input_json(each: AppInput) -> dict[str, Any]:
    """Return an input for programs."""
    return {
        "name": each.name,
        "label": each.label_en or each.label,
        "type": each.type,
        "value": each.value,
        "choices": [{"value": choice.value, "name": choice.name} for choice in each.choices],
    }


def recipe(app: str, form: AppDemo) -> str:
    """Return a recipe that runs an app; the files that it takes become parameters."""
    files = {each.type.lower(): each for each in reversed(form.inputs) if each.type in ("IMAGE", "VIDEO", "AUDIO")}
    lines = ["rhflow: 1"]
    if files:
        lines += ["params:", *(f"  {family}: {{type: {family}}}" for family in files)]
    lines += ["steps:", "  try:", "    uses: app", "    with:", f'      app: "{app}"', "      inputs:"]
    for each in form.inputs:
        family = each.type.lower()
        if family in files:
            value = f"${{{{ params.{family} }}}}" if files[family] is each else None
        else:
            value = json.dumps(each.value, ensure_ascii=False)
        if value is not None:
            lines.append(f"        {each.name}: {value}")
    return "\n".join(lines) + "\n"
