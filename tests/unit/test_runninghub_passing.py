"""Which failures of a task may pass by themselves: only those may be paid for again, where the author allows it."""

from __future__ import annotations

import pytest

from rhflow.core.errors import RefusedError, StepError, TransientError
from rhflow.runninghub.wire.codes import CODES
from rhflow.runninghub.wire.errors import ApiError, failed_task


@pytest.mark.parametrize("code", [code for code, row in CODES.items() if row.klass != "S"])
def test_a_failed_task_may_pass_only_where_its_reason_may(code: str) -> None:
    error = failed_task("task-1", "FAILED", error=ApiError(code, "words"), reason=None)
    expected = {"T": TransientError, "A": TransientError, "P": StepError, "N": RefusedError}[CODES[code].klass]
    assert type(error) is expected


def test_without_a_reason_it_may_pass() -> None:
    assert type(failed_task("task-1", "FAILED", error=None, reason=None)) is TransientError
    assert type(failed_task("task-1", "FAILED", error=ApiError("9999", "?"), reason=None)) is TransientError


def test_what_somebody_cancelled_does_not_come_back_by_itself() -> None:
    assert type(failed_task("task-1", "CANCEL", error=None, reason=None)) is StepError
