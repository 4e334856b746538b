"""The envelopes of the service's replies, and its words for what goes wrong.

Whoever must refuse a request raises ``RefusalError`` with a code of either family; the route knows the envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from rhflow.core.values import Json

Envelope = Literal["flat", "bare", "wrapped", "message", "comfyui"]
"""``comfyui``: replies are ComfyUI's own, and only what concerns the account is said as ``wrapped``."""
Reply: TypeAlias = dict[str, Any]

MESSAGES: Mapping[str, str] = {
    "-1": "ApiKey verification failed",
    "301": "PARAMS_INVALID",
    "380": "WORKFLOW_NOT_EXISTS",
    "401": "ApiKey verification failed: API Key不存在",
    "412": "TOKEN_INVALID",
    "415": "TASK_INSTANCE_MAXED",
    "416": "TASK_CREATE_FAILED_BY_NOT_ENOUGH_WALLET",
    "421": "api queue limit reached, please retry later | API 任务队列已达上限，请稍后重试",
    "423": "TASK_NOT_FOUNED",
    "433": "VALIDATE_PROMPT_FAILED",
    "435": "TASK_USER_EXCLAPI_INSTANCE_NOT_FOUND",
    "436": "TASK_USER_EXCLAPI_REQUIRED",
    "500": "UNKNOWN_ERROR",
    "801": "APIKEY_UNSUPPORTED_FREE_USER",
    "802": "APIKEY_UNAUTHORIZED",
    "803": "APIKEY_INVALID_NODE_INFO",
    "804": "APIKEY_TASK_IS_RUNNING",
    "805": "APIKEY_TASK_STATUS_ERROR",
    "806": "APIKEY_USER_NOT_FOUND",
    "807": "APIKEY_TASK_NOT_FOUND",
    "808": "APIKEY_UPLOAD_FAILED",
    "809": "APIKEY_FILE_SIZE_EXCEEDED",
    "810": "WORKFLOW_NOT_SAVED_OR_NOT_RUNNING",
    "811": "CORPAPIKEY_INVALID",
    "812": "CORPAPIKEY_INSUFFICIENT_FUNDS",
    "813": "APIKEY_TASK_IS_QUEUED",
    "814": "PERSONAL_QUEUE_COUNT_LIMIT",
    "901": "WEBAPP_NOT_EXISTS",
    "1000": "Unknown error, please retry or contact support",
    "1001": "Invalid URL, please check your link",
    "1002": "Invalid API Key, please check your credentials",
    "1003": "Rate limit exceeded, please slow down requests",
    "1004": "Task not found, please check the task ID",
    "1005": "Internal server error, please retry later",
    "1006": "Task execution timed out, please retry",
    "1007": "Invalid parameters, please check your input",
    "1008": "File size limit exceeded",
    "1009": "HTTP method not supported, please check documentation",
    "1010": "Service unavailable, please retry later",
    "1011": "System is currently busy, please retry later",
    "1012": "Service response exception, please contact support or retry later",
    "1013": "File processing failed, please check the URL or retry",
    "1014": "Access Denied: Standard Model API is restricted to Enterprise-Shared API Keys only.",
    "1015": "Generation failed, please try again.",
    "1101": "Node info error",
    "1501": "Content verification failed, please modify your prompt or images",
    "1504": "Model timed out, please retry later",
    "1505": "Photorealistic real people are prohibited, please modify your prompt or image",
}
_WRAPPED_WORDS = {"421": "TASK_QUEUE_MAXED"}


class RefusalError(Exception):
    """A request is refused and created nothing; ``code`` is of either family, ``status`` that of HTTP."""

    def __init__(self, code: str, why: str = "", *, status: int = 200) -> None:
        super().__init__(f"{code}: {why}" if why else code)
        self.code, self.why, self.status = code, why, status

    def reply(self, envelope: Envelope) -> Reply:
        """Return the refusal in the envelope that a route speaks."""
        if envelope in ("flat", "bare"):
            return refusal(self.code, self.why)
        named = _WRAPPED_WORDS.get(self.code) or MESSAGES.get(self.code, "")
        words = ": ".join(each for each in (named, self.why) if each)
        return wrapped_refusal(int(self.code), words, word="message" if envelope == "message" else "msg")


def message_of(code: str) -> str:
    """Return the service's words for a code; of one that nobody has described, none but the number."""
    return MESSAGES.get(code, f"model error {code}")


def refusal(code: str, why: str = "") -> dict[str, Any]:
    """Return the flat envelope of a request that created nothing."""
    message = f"{message_of(code)}: {why}" if why else message_of(code)
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
