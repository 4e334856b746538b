"""The envelopes of the service's replies, and its words for what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rhflow.core.values import Json

MESSAGES: Mapping[str, str] = {
    "421": "api queue limit reached, please retry later | API 任务队列已达上限，请稍后重试",
    "1001": "Invalid URL, please check your link",
    "1002": "Invalid API Key, please check your credentials",
    "1004": "Task not found, please check the task ID",
    "1005": "Internal server error, please retry later",
    "1007": "Invalid parameters, please check your input",
    "1009": "HTTP method not supported, please check documentation",
    "1013": "File processing failed, please check the URL or retry",
    "1015": "Generation failed, please try again.",
}
KEY_UNKNOWN = "ApiKey verification failed: API Key不存在"


def refusal(code: str, why: str = "") -> dict[str, Any]:
    """Return the flat envelope of a request that created nothing."""
    message = f"{MESSAGES[code]}: {why}" if why else MESSAGES[code]
    return flat("", "", code=code, message=message)


def flat(task_id: str, status: str, *, code: str = "", message: str = "", results: Json = None) -> dict[str, Any]:
    """Return the flat envelope of a task."""
    return {
        "taskId": task_id,
        "status": status,
        "errorCode": code,
        "errorMessage": message,
        "results": results,
        "clientId": "",
        "promptTips": "",
    }


def wrapped(data: Json, *, word: str = "msg") -> dict[str, Any]:
    """Return the wrapped envelope of a success; the new upload says ``message`` where others say ``msg``."""
    return {"code": 0, word: "success", "data": data}


def wrapped_refusal(code: int, message: str, *, word: str = "msg") -> dict[str, Any]:
    """Return the wrapped envelope of a failure."""
    return {"code": code, word: message, "data": None}
