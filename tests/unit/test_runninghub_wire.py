"""Every reply on record is read as what it means, and nothing that a server can send is a surprise."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhflow.core.errors import RefusedError, StepError
from rhflow.core.values import Money
from rhflow.runninghub.operations.account import QueueStatus, read_queue_status
from rhflow.runninghub.operations.files import Uploaded, read_uploaded
from rhflow.runninghub.wire.errors import ApiError, SimulatorError, UnreadableError
from rhflow.runninghub.wire.states import Result, Submitted, TaskState, Usage, read_submitted, read_task_state

ACCEPTED = """{ "taskId": "2013508786110730241", "status": "RUNNING", "errorCode": "",
  "errorMessage": "", "results": null,
  "clientId": "f828b9af25161bc066ef152db7b29ccc",
  "promptTips": "{\\"result\\": true, \\"error\\": null, \\"node_errors\\": {}}" }"""

REFUSED = """{ "taskId": "", "status": "", "errorCode": "812",
  "errorMessage": "CORPAPIKEY_INSUFFICIENT_FUNDS", "results": null,
  "clientId": "", "promptTips": "" }"""

ACCEPTED_OLDER = """{ "code": 0, "msg": "success", "errorMessages": null,
  "data": { "netWssUrl": null, "taskId": 1910246754753896450,
            "clientId": "e825290b08ca2015b8f62f0bbdb5f5f6", "taskStatus": "QUEUED", "promptTips": "{}" } }"""

FINISHED = """{ "taskId": "2052287938007814145", "status": "SUCCESS", "errorCode": "",
  "errorMessage": "",
  "results": [ { "url": "https://h.example/output/c0cfe90a.jpg", "outputType": "jpg", "text": null } ],
  "clientId": "", "promptTips": "", "failedReason": {},
  "usage": { "consumeMoney": null, "consumeCoins": null, "taskCostTime": "0",
             "thirdPartyConsumeMoney": "0.14" },
  "parentTaskId": null,
  "taskUsageList": [ { "taskId": 2052287938007814145, "parentTaskId": null,
      "taskStatus": "SUCCESS", "usage": { "consumeMoney": null, "consumeCoins": null,
      "taskCostTime": "0", "thirdPartyConsumeMoney": "0.14" } } ] }"""

FAILED = """{ "taskId": "2009194900306137089", "status": "FAILED", "errorCode": "1000",
  "errorMessage": "unknown error", "results": null, "clientId": "", "promptTips": "" }"""

OUTPUTS = """{ "code": 0, "msg": "success", "data": [
  { "fileUrl": "https://h.example/output/ComfyUI_00033_.png", "fileType": "png",
    "taskCostTime": "83", "nodeId": "12", "thirdPartyConsumeMoney": null, "consumeMoney": null, "consumeCoins": "17" },
  { "fileUrl": "https://h.example/output/ComfyUI_00034_.png", "fileType": "png",
    "taskCostTime": "83", "nodeId": "12", "thirdPartyConsumeMoney": null, "consumeMoney": null, "consumeCoins": "17" }
] }"""

REASON = {
    "exception_type": "TypeError",
    "exception_message": "missing 2 required\npositional arguments",
    "node_id": "276",
    "node_name": "SONIC_PreData",
    "current_inputs": "{}",
    "current_outputs": "{}",
    "traceback": '["  File \\"execution.py\\", line 1208"]',
}


def state_of(body: str | dict, **more) -> TaskState:
    text = body if isinstance(body, str) else json.dumps(body)
    found = read_task_state(text.encode(), **more)
    assert isinstance(found, TaskState)
    return found


def error_of(body: dict, **more) -> ApiError:
    found = read_task_state(json.dumps(body).encode(), **more)
    assert isinstance(found, ApiError)
    return found


def test_a_submit_is_accepted():
    found = read_submitted(ACCEPTED.encode())
    assert isinstance(found, Submitted)
    assert (found.task_id, found.status, found.results) == ("2013508786110730241", "RUNNING", ())
    assert found.raw["clientId"] == "f828b9af25161bc066ef152db7b29ccc"


def test_an_older_submit_is_accepted_with_a_number_for_an_id():
    found = read_submitted(ACCEPTED_OLDER.encode())
    assert isinstance(found, Submitted)
    assert (found.task_id, found.status) == ("1910246754753896450", "QUEUED")


def test_a_quick_task_is_done_at_submit():
    body = {"task_id": "1", "status": "success", "results": [{"outputUrl": "https://h/a.PNG", "outputType": ".PNG"}]}
    found = read_submitted(json.dumps(body).encode())
    assert found == Submitted("1", "SUCCESS", (Result("https://h/a.PNG", None, "png"),), raw=body)


@pytest.mark.parametrize("status", [200, 400, 429, 502])
def test_a_task_id_means_a_task_whatever_else_the_reply_says(status):
    body = b'{"taskId": "77", "status": "", "errorCode": "421", "errorMessage": "full"}'
    found = read_submitted(body, http_status=status)
    assert isinstance(found, Submitted)
    assert (found.task_id, found.status) == ("77", "CREATE")


def test_a_submit_is_refused():
    assert read_submitted(REFUSED.encode()) == ApiError("812", "CORPAPIKEY_INSUFFICIENT_FUNDS")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ({"code": 421, "msg": "TASK_QUEUE_MAXED", "data": None}, 200, ApiError("421", "TASK_QUEUE_MAXED")),
        ({"code": -1, "msg": "ApiKey verification failed"}, 401, ApiError("-1", "ApiKey verification failed", 401)),
        ({"message": "slow down"}, 429, ApiError("", "slow down", 429)),
        ({"taskId": 0, "errorCode": 1014.0, "errorMessage": "no"}, 200, ApiError("1014", "no")),
        ({"errorCode": "", "errorMessage": "strange"}, 200, ApiError("", "strange")),
        ({"timestamp": 1, "status": 500, "error": "Internal Server Error"}, 500, ApiError("", "", 500)),
    ],
)
def test_failures_of_a_submit_in_every_envelope(body, status, expected):
    assert read_submitted(json.dumps(body).encode(), http_status=status) == expected


def test_an_error_page_is_a_failure_and_not_unreadable():
    assert read_submitted(b"<html>502</html>", http_status=502) == ApiError("", "", 502)


def test_a_task_is_finished():
    found = state_of(FINISHED)
    assert (found.task_id, found.status, found.ended) == ("2052287938007814145", "SUCCESS", True)
    assert found.results == (Result("https://h.example/output/c0cfe90a.jpg", None, "jpg", None),)
    assert found.usage == Usage(None, None, Decimal("0.14"), 0.0)
    assert found.usage.cost == Money(Decimal("0.14"))
    assert (found.error, found.failed_reason, found.failure()) == (None, None, None)
    assert found.raw["taskUsageList"][0]["taskId"] == 2052287938007814145


def test_a_task_is_running():
    found = state_of({"taskId": "1", "status": "RUNNING", "errorCode": "", "errorMessage": "", "results": None})
    assert (found.status, found.ended, found.results, found.usage) == ("RUNNING", False, (), None)


def test_a_task_failed():
    found = state_of(FAILED)
    assert (found.status, found.error) == ("FAILED", ApiError("1000", "unknown error"))
    failure = found.failure()
    assert isinstance(failure, StepError)
    assert failure.problems[0].message == "task `2009194900306137089` failed: the service gives no reason"
    assert failure.problems[0].fields == {"code": "1000", "service": "unknown error"}


@pytest.mark.parametrize("reason", [REASON, json.dumps(REASON)])
def test_a_workflow_failed_at_a_node(reason):
    found = state_of({"taskId": "5", "status": "FAILED", "errorCode": "805", "failedReason": reason})
    failure = found.failure()
    assert failure is not None
    assert failure.problems[0].message == (
        "task `5` failed at node `276` (`SONIC_PreData`): TypeError: missing 2 required positional arguments"
    )
    assert failure.problems[0].code == "api-805"


@pytest.mark.parametrize(
    ("reason", "read"),
    [("out of memory", "out of memory"), ({}, None), (None, None), ("", None), ("{broken", "{broken")],
)
def test_the_reason_may_be_an_object_a_text_or_nothing(reason, read):
    assert state_of({"taskId": "5", "status": "FAILED", "failedReason": reason}).failed_reason == read


def test_moderation_is_a_refusal():
    found = state_of({"taskId": "5", "status": "FAILED", "errorCode": "1501", "errorMessage": "Content verification"})
    assert isinstance(found.failure(), RefusedError)


@pytest.mark.parametrize(
    ("spelling", "status"),
    [("CANCEL", "CANCEL"), ("CANCELLED", "CANCEL"), ("canceled", "CANCEL"), ("success", "SUCCESS"),
     (" Running ", "RUNNING"), ("CREATE", "CREATE"), ("queued", "QUEUED")],
)  # fmt: skip
def test_statuses_in_every_spelling(spelling, status):
    assert state_of({"taskId": "1", "status": spelling}).status == status


def test_a_cancelled_task_is_an_error_of_its_own():
    failure = state_of({"taskId": "1", "status": "CANCELLED"}).failure()
    assert failure is not None
    assert failure.problems[0].code == "task-cancelled"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"code": 813, "msg": "APIKEY_TASK_IS_QUEUED", "data": None}, "QUEUED"),
        ({"code": 804, "msg": "APIKEY_TASK_IS_RUNNING", "data": {"netWssUrl": "wss://h"}}, "RUNNING"),
        ({"code": 804, "msg": "APIKEY_TASK_IS_RUNNING", "data": {}}, "RUNNING"),
        ({"code": 0, "msg": "", "data": None}, "RUNNING"),
        ({"code": 0, "msg": "", "data": "QUEUED"}, "QUEUED"),
        ({"code": 0, "msg": "success", "data": []}, "SUCCESS"),
        ({"code": 805, "msg": "APIKEY_TASK_STATUS_ERROR", "data": {"failedReason": REASON}}, "FAILED"),
    ],
)
def test_the_states_of_the_older_query(body, status):
    found = state_of(body, task_id="9")
    assert (found.status, found.task_id, found.results) == (status, "9", ())


def test_the_outputs_of_the_older_query():
    found = state_of(OUTPUTS, task_id="9")
    assert [result.node_id for result in found.results] == ["12", "12"]
    assert found.results[1].url == "https://h.example/output/ComfyUI_00034_.png"
    assert found.usage == Usage(None, Decimal(17), None, 83.0)
    assert found.usage.cost == Money(Decimal(17), "coins")


@pytest.mark.parametrize(
    ("usage", "told"),
    [
        ({"thirdPartyConsumeMoney": "0.14", "consumeCoins": "7"}, "0.14 CNY + 7 coins"),
        ({"consumeMoney": "1", "thirdPartyConsumeMoney": "0.5", "consumeCoins": "7"}, "1.5 CNY + 7 coins"),
        ({"consumeMoney": "0", "consumeCoins": "7"}, "7 coins"),
        ({"consumeMoney": "0.3", "consumeCoins": "0"}, "0.3 CNY"),
        ({"consumeMoney": "0", "consumeCoins": "0"}, "0 CNY"),
        ({"consumeCoins": "0"}, "0 coins"),
        ({"taskCostTime": "3"}, "None"),
    ],
)
def test_a_bill_names_all_that_is_paid(usage, told):
    assert str(state_of({"taskId": "1", "status": "SUCCESS", "usage": usage}).usage.cost) == told


def test_texts_under_every_name():
    items = [{"text": "a", "outputType": "txt"}, {"content": "b"}, {"output": "c", "nodeId": 4}, {"url": None}, "odd"]
    found = state_of({"taskId": "1", "status": "SUCCESS", "results": items})
    assert found.results == (Result(None, "a", "txt"), Result(None, "b"), Result(None, "c", "", "4"))


def test_a_final_status_stands_whatever_the_words():
    body = {"taskId": "1", "status": "SUCCESS", "errorCode": "0", "errorMessage": "success", "results": []}
    assert state_of(body).status == "SUCCESS"
    assert state_of(body | {"errorMessage": "done with warnings"}).error is None


def test_a_running_task_with_a_permanent_reason_has_failed():
    assert state_of({"taskId": "1", "status": "RUNNING", "errorCode": "1007"}).status == "FAILED"
    assert state_of({"taskId": "1", "status": "RUNNING", "errorCode": "805"}).status == "FAILED"
    assert state_of({"taskId": "1", "status": "RUNNING", "errorCode": "804"}).status == "RUNNING"


@pytest.mark.parametrize("code", ["1003", "1005", "811", "9999"])
def test_a_running_task_with_a_passing_reason_is_a_failed_query(code):
    assert error_of({"taskId": "1", "status": "RUNNING", "errorCode": code}) == ApiError(code, "")


def test_a_query_that_failed_is_not_a_task_that_failed():
    assert error_of({"taskId": "", "status": "", "errorCode": "1004", "errorMessage": "Task not found"}).code == "1004"
    assert error_of({"code": 807, "msg": "APIKEY_TASK_NOT_FOUND", "data": None}).row.klass == "P"
    assert error_of({"taskId": "1", "status": "FAILED"}, http_status=503) == ApiError("", "", 503)


def test_a_reply_about_another_task_is_not_read():
    body = json.dumps({"taskId": "2052287938007814145", "status": "SUCCESS"}).encode()
    assert isinstance(read_task_state(body, task_id="2052287938007814145"), TaskState)
    with pytest.raises(UnreadableError, match="about another task"):
        read_task_state(body, task_id="2013508786110730241")


def test_an_id_that_somebody_rounded_is_still_the_one_asked_for():
    found = state_of({"taskId": 2052287938007814100, "status": "RUNNING"}, task_id="2052287938007814145")
    assert found.task_id == "2052287938007814145"


@pytest.mark.parametrize("spelling", ["2052287938007814145", '"2052287938007814145"', "2052287938007814145.0",
                                      "2.052287938007814145e18"])  # fmt: skip
def test_ids_keep_all_their_digits(spelling):
    found = read_submitted(f'{{"taskId": {spelling}}}'.encode())
    assert isinstance(found, Submitted)
    assert found.task_id == "2052287938007814145"


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"consumeMoney": "0.5", "thirdPartyConsumeMoney": "0.14"}, Money(Decimal("0.64"), "USD")),
        ({"consumeCoins": "7", "taskCostTime": "32", "thirdPartyConsumeMoney": None}, Money(Decimal(7), "coins")),
        ({"consumeMoney": "0", "consumeCoins": 7}, Money(Decimal(7), "coins")),
        ({"consumeMoney": 0.1, "consumeCoins": "0"}, Money(Decimal("0.1"), "USD")),
        ({"thirdPartyConsumeMoney": "0"}, Money(Decimal(0), "USD")),
        ({"taskCostTime": "3"}, None),
        ({"consumeMoney": "NaN", "consumeCoins": "much", "taskCostTime": 1}, None),
        ({"consumeMoney": "1e999999999", "taskCostTime": -4}, None),
    ],
)
def test_what_a_task_cost(usage, cost):
    found = state_of({"taskId": "1", "status": "SUCCESS", "usage": usage}, currency="USD")
    assert (found.usage.cost if found.usage else None) == cost


def test_an_upload_is_stored():
    data = {"type": "image", "download_url": "https://h/x.png", "fileName": "openapi/61.png", "size": "3490"}
    body = {"code": 0, "message": "success", "data": data}
    expected = Uploaded("https://h/x.png", "openapi/61.png", 3490, "image/png")
    assert read_uploaded(json.dumps(body).encode(), media_type="image/png") == expected
    assert read_uploaded(json.dumps(body | {"code": 200}).encode(), media_type="image/png") == expected


def test_an_upload_is_refused():
    body = {"code": 401, "message": "ApiKey verification failed: API Key不存在", "data": None}
    found = read_uploaded(json.dumps(body).encode(), media_type="image/png")
    assert found == ApiError("401", "ApiKey verification failed: API Key不存在")


def test_the_queue_status():
    data = {"apiKeyType": "NORMAL", "concurrentLimit": 2, "runningCount": "1", "queuedCount": "3"}
    found = read_queue_status(json.dumps({"code": 0, "msg": "", "data": data}).encode())
    assert found == QueueStatus("NORMAL", 2, 1, 3, 4)
    data |= {"instanceCounts": 5, "totalCurrentTasks": "9"}
    found = read_queue_status(json.dumps({"code": 0, "data": data}).encode())
    assert found == QueueStatus("NORMAL", 2, 1, 3, 9, 5)


GARBAGE = [
    b"", b"null", b"[]", b'"SUCCESS"', b"<html>hello</html>", b"{", b"{}", b'{"data": {}}', b'{"status": "STRANGE"}',
    b"[" * 100_000, b'{"taskId": ' + b"9" * 5000 + b"}", b'{"code": 0, "data": {"taskId": null}}',
]  # fmt: skip


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_is_an_error_with_a_name(body):
    for read in (read_submitted, read_task_state, read_queue_status, lambda body: read_uploaded(body, media_type="")):
        with pytest.raises(UnreadableError) as caught:
            read(body)
        assert caught.value.problems[0].code == "api-unreadable"


def test_bytes_that_are_no_text_do_not_hide_a_task():
    body = (
        b'\xef\xbb\xbf{"taskId": "7", "n": "\xff", "bad": "\\ud800", "seed": NaN, "x": 1e999, "y": 1e99999999999999999}'
    )
    found = read_submitted(body)
    assert isinstance(found, Submitted)
    assert found.task_id == "7"
    assert json.dumps(found.raw, allow_nan=False)


NAMES = st.sampled_from([
    "taskId", "task_id", "status", "taskStatus", "code", "errorCode", "errorMessage", "msg", "message", "data",
    "results", "url", "text", "content", "outputType", "nodeId", "usage", "consumeMoney", "consumeCoins",
    "taskCostTime", "failedReason", "download_url", "fileName", "size", "runningCount", "concurrentLimit",
])  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from(["SUCCESS", "FAILED", "RUNNING", "805", "1000", "0", "{}", "1e400"]),
)  # fmt: skip
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=12
)


READERS = (
    lambda body, status: read_submitted(body, http_status=status),
    lambda body, status: read_task_state(body, http_status=status),
    read_queue_status,
)


@given(st.dictionaries(NAMES, JSON, max_size=8), st.sampled_from([200, 400, 502]))
def test_no_reply_is_a_surprise(body, status):
    sent = json.dumps(body).encode()
    for read in READERS:
        try:
            found = read(sent, status)
        except UnreadableError:
            continue
        if isinstance(found, TaskState):
            failure = found.failure()
            assert (failure is not None) == (found.status in ("FAILED", "CANCEL"))


def test_an_error_keeps_its_class_when_its_problems_get_places():
    for error in (UnreadableError("it is not JSON", http_status=502), SimulatorError("http://localhost")):
        placed = error.with_problems([replace(each, message=f"step `a`: {each.message}") for each in error.problems])
        assert (type(placed), str(placed)) == (type(error), f"step `a`: {error}")
        assert getattr(placed, "http_status", None) == getattr(error, "http_status", None)
