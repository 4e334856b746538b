"""Every code of the service has a name, a class and advice; the messages made of them are a golden file."""

from pathlib import Path

import pytest

from rhflow.core.errors import RefusedError, StepError
from rhflow.runninghub.wire.codes import CODES, HTTP_CODES, UNLISTED, ApiCode, find_code
from rhflow.runninghub.wire.errors import ApiError, failed_task, service_error, tidy

GOLDEN = Path(__file__).parents[1] / "golden" / "api_errors.txt"

KLASSES = {
    "S": "0 804 813",
    "T": "415 421 808 814 1003 1011 1520",
    "A": "500 1000 1005 1006 1010 1012 1015 1504 1516 1517 1519",
    "N": "-1 401 416 436 801 802 806 810 811 812 1002 1014 1501 1505",
    "P": "1 301 380 412 423 433 435 803 805 807 809 901 1001 1004 1007 1008 1009 1013 1101",
}
ROWS = [*CODES.values(), *HTTP_CODES.values(), UNLISTED]


def rendered() -> str:
    return "\n".join(_block(row) for row in ROWS)


def _block(row: ApiCode) -> str:
    error = ApiError(row.code if row.code in CODES else "", "", _status(row))
    problem = service_error(error, "`vendor/model`").problems[0]
    failed = failed_task("123", "FAILED", error=error, reason=None).problems[0]
    exit_code = service_error(error, "it").exit_code
    return (
        f"{problem.code}  {row.name}  (class {row.klass}, exit {exit_code})\n"
        f"  {problem.message}\n  {failed.message}\n  hint: {problem.hint}\n"
    )


def _status(row: ApiCode) -> int:
    if not row.code.startswith("http-"):
        return 200
    return {"3xx": 302, "4xx": 418, "5xx": 503}.get(row.code[5:]) or int(row.code[5:])


def test_messages_are_as_agreed(request):
    if request.config.getoption("--update-golden", default=False):
        GOLDEN.write_text(rendered(), encoding="utf-8")
    assert rendered() == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("klass", KLASSES)
def test_every_code_has_its_class(klass):
    assert {code for code, row in CODES.items() if row.klass == klass} == set(KLASSES[klass].split())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_every_row_is_whole(row):
    assert row.name
    for prose in (row.meaning, row.advice):
        assert len(prose) > 3
        assert not prose.endswith(".")
        assert prose[0].islower() or not prose[0].isalpha() or prose.startswith(("API", "AI"))


def test_no_two_rows_have_one_code():
    assert len({row.code for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", CODES.values(), ids=lambda row: row.code)
def test_the_family_follows_the_class(row):
    wanted = RefusedError if row.klass == "N" else StepError
    assert type(service_error(ApiError(row.code, ""), "it")) is wanted


@pytest.mark.parametrize(
    ("code", "message", "status", "found"),
    [
        ("803", "APIKEY_UNAUTHORIZED", 200, "803"),  # the number decides
        ("", "TASK_QUEUE_MAXED", 200, "421"),
        ("TASK_QUEUE_MAXED", "", 200, "421"),
        ("", "api queue limit reached, please retry later | 队列已满", 200, "421"),
        ("", "Task not found, please check the task ID", 200, "1004"),
        ("", "ApiKey verification failed", 401, "802"),
        ("4711", "System is currently busy, please retry later", 200, "unlisted"),  # words do not explain a number
        ("4711", "", 400, "http-4xx"),
        ("", "", 429, "http-429"),
        ("", "", 418, "http-4xx"),
        ("", "", 599, "http-5xx"),
        ("", "", 301, "http-3xx"),
        ("", "", 101, "http-5xx"),
        ("", "hm", 200, "unlisted"),
    ],
)
def test_codes_are_looked_up_as_numbers_before_words(code, message, status, found):
    assert find_code(code, message, http_status=status).code == found


def test_the_service_keeps_its_own_words():
    error = service_error(ApiError("301", "bad\x1b[31m\nprompt | 参数错误", 400), "`vendor/model`")
    assert error.problems[0].fields == {"code": "301", "service": "bad [31m prompt | 参数错误", "http": "400"}


def test_a_code_that_is_not_listed_is_named():
    for status, problem in ((200, "api-unlisted"), (400, "api-http-4xx")):
        error = service_error(ApiError("4711", "neu", status), "`vendor/model`").problems[0]
        assert error.code == problem
        assert error.message.endswith("(code `4711`)")


def test_foreign_text_is_cut():
    assert len(tidy("x " * 5000)) == 500
    assert tidy("a\u202eb\ud800") == "a b"


if __name__ == "__main__":
    GOLDEN.write_text(rendered(), encoding="utf-8")
