"""AI apps: workflows with a form, published on the site. What there is, and what each one takes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rhflow.runninghub.operations.pages import LONGEST_PAGE, Page, page_of
from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.wire.envelope import object_in, objects_in, parsed, wrapped
from rhflow.runninghub.wire.members import first, text_of

Sort = Literal["RECOMMEND", "HOTTEST", "NEWEST"]


@dataclass(frozen=True, slots=True)
class Choice:
    """A listed value of an input: ``value`` is sent, ``name`` is what the form shows."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class AppInput:
    """One input of an app's form: the node and field behind it, its type, the value of the call example.

    ``type`` is ``STRING``, ``IMAGE``, ``AUDIO``, ``VIDEO``, ``LIST``, ``INT``, ``FLOAT``, ``BOOLEAN`` or ``SWITCH``.
    ``told`` is the item of the call example as it came.
    """

    node: str
    field: str
    type: str
    value: str
    label: str
    label_en: str = ""
    node_name: str = ""
    choices: tuple[Choice, ...] = ()
    told: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name that no other input has: ``node.field``."""
        return f"{self.node}.{self.field}"


@dataclass(frozen=True, slots=True)
class AppDemo:
    """An app's call example: what it is called and what it takes. ``locked``: it wants a password."""

    name: str
    inputs: tuple[AppInput, ...]
    locked: bool = False
    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class App:
    """An app in a list; ``id`` is empty where the service does not tell it."""

    id: str
    title: str
    description: str
    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Style:
    """A style of a quick create module: its id and name, and the words that call it up."""

    id: str
    name: str
    trigger: str
    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)


class Apps(Session):
    """Questions about AI apps and quick create modules."""

    async def app_demo(self, app_id: str) -> AppDemo:
        """Return what an app takes. The list of inputs is empty for an app that was never run on the site."""
        what, params = f"the AI app `{app_id}`", {"webappId": app_id}
        path = "/api/webapp/apiCallDemo"
        return await self.ask(Question("app", what, path, wrapped(_demo), key="query", params=params))

    async def app_list(self, sort: Sort = "RECOMMEND", *, page: int = 1, size: int = 20, days: int = 7) -> Page[App]:
        """Return a page of the site's apps; ``days`` is what ``HOTTEST`` looks back over, ``size`` at most 50."""
        size = min(size, LONGEST_PAGE)
        payload: dict[str, Any] = {"current": page, "size": size, "sort": sort}
        payload |= {"days": days} if sort == "HOTTEST" else {}
        read = wrapped(lambda data: page_of(data, _app, page, size))
        return await self.ask(Question("app", "the list of AI apps", "/openapi/v2/aiapp/list", read, payload))

    async def styles(self, app_id: str, type: int = 2) -> list[Style]:
        """Return the styles of a quick create module; ``type`` is as its call example has it."""
        what, payload = f"the styles of `{app_id}`", {"type": type, "webappId": app_id}
        read = wrapped(lambda data: [_style(each) for each in objects_in(data, "list of styles")])
        return await self.ask(Question("app", what, "/api/fast/creation/model/params", read, payload))


def _demo(data: Any) -> AppDemo:
    found = object_in(data, "call example")
    inputs = tuple(_input(each) for each in objects_in(found.get("nodeInfoList") or [], "list of inputs"))
    return AppDemo(text_of(found.get("webappName")), inputs, found.get("accessEncrypted") is True, raw=found)


def _input(item: Mapping[str, Any]) -> AppInput:
    return AppInput(
        node=text_of(item.get("nodeId")),
        field=text_of(item.get("fieldName")),
        type=text_of(item.get("fieldType")).upper(),
        value=text_of(item.get("fieldValue")),
        label=text_of(item.get("description")),
        label_en=text_of(item.get("descriptionEn")),
        node_name=text_of(item.get("nodeName")),
        choices=tuple(_choices(item.get("fieldData"))),
        told=item,
    )


def _choices(field_data: Any) -> list[Choice]:
    """Return the listed values, if it is a list of them.

    Other inputs have a ComfyUI input spec here, whose first member is a type or a list of texts.
    """
    try:
        found = parsed(field_data) if isinstance(field_data, str) else field_data
    except (ValueError, RecursionError):
        return []
    if not isinstance(found, list):
        return []
    if found and isinstance(found[0], list):
        uploads = len(found) > 1 and isinstance(found[1], dict) and any(name.endswith("_upload") for name in found[1])
        return [] if uploads else [Choice(text_of(each), text_of(each)) for each in found[0] if text_of(each)]
    listed = [each for each in found if isinstance(each, dict) and text_of(each.get("index"))]
    return [Choice(text_of(each["index"]), text_of(first(each, "name", "description", "index"))) for each in listed]


def _app(record: Mapping[str, Any]) -> App:
    """Return an app of a list: its id stands only inside the example of a call."""
    found = re.search(r"/run/ai-app/(\d+)", text_of(record.get("invokeExample")))
    return App(found[1] if found else "", text_of(record.get("title")), text_of(record.get("description")), raw=record)


def _style(record: Mapping[str, Any]) -> Style:
    return Style(
        text_of(record.get("id")), text_of(record.get("modelName")), text_of(record.get("modelTrigger")), record
    )
