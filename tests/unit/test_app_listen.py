"""What the listener makes of whatever is sent to it, and the address at which a call asks to be told of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from rhflow.app.service.listen import LARGEST, Callback, listener, read_callback
from rhflow.core.errors import UsageError
from rhflow.core.events import Event
from rhflow.runninghub.operations import orders
from rhflow.settings import read_settings
from rhflow.steps.submit import told_of
from rhflow.store.store import Store

ROOT = Path(__file__).parents[2]
ON_RECORD: dict[str, list[Any]] = json.loads((ROOT / "tests/data/api_replies.json").read_text(encoding="utf-8"))
OLDER, NEWER = ON_RECORD["webhook"]


@pytest.mark.parametrize(("sent", "status"), [(OLDER, "success"), (NEWER, "failed"), ({"taskId": "7"}, "ended")])
def test_both_forms_of_a_callback_are_read(sent: dict[str, Any], status: str) -> None:
    assert read_callback(json.dumps(sent).encode(), "c") == Callback(sent["taskId"], status, "c")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"taskId": "../../x"}', b'{"taskId": null}', b"[" * 9999]
)
def test_what_is_no_callback(body: bytes) -> None:
    assert read_callback(body, "") is None


async def test_the_listener_notes_what_names_a_call_and_nothing_too_large(tmp_path: Path) -> None:
    heard: list[Callback] = []
    with Store.open(tmp_path) as store:
        store.journal.record(Event("r1", 10.0, "submit.intent", "draw", {"key": "abc", "endpoint": "e"})).result()
        transport = httpx.ASGITransport(app=listener(store, heard.append))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            for address, body, status in (
                ("/hook?call=abc", OLDER, 200),
                ("/", NEWER, 200),
                ("/hook?call=abc", {"x": "y" * LARGEST}, 413),
                ("/hook?call=abc", [], 400),
            ):
                assert (await http.post(address, json=body)).status_code == status
        assert store.callbacks.tasks_of("abc", since=0.0) == [OLDER["taskId"]]
    assert [each.call for each in heard] == ["abc", ""]


@pytest.mark.parametrize(
    ("webhook", "told"),
    [
        ("https://my.host/hook", "https://my.host/hook?call=0123456789abcdef0123456789abcdef"),
        ("https://my.host/?token=t", "https://my.host/?token=t&call=0123456789abcdef0123456789abcdef"),
    ],
)
def test_a_call_names_itself_in_the_address(webhook: str, told: str) -> None:
    key = "0123456789abcdef" * 4
    assert told_of(orders.model("v/m", {"prompt": "x"}), key, webhook).payload == {"prompt": "x", "webhookUrl": told}
    assert told_of(orders.model("v/m", {}), key, None).payload == {}
    assert "webhookUrl" not in told_of(orders.quick_create("1", "002", ()), key, webhook).payload


def test_an_address_that_cannot_be_called() -> None:
    assert read_settings({"RHFLOW_WEBHOOK": " https://a.b "}).webhook == "https://a.b"
    with pytest.raises(UsageError, match="not an address"):
        read_settings({}, webhook="my.host/hook")
