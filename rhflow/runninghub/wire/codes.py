"""The service's error codes as data: what each means, of which class it is, and what the user does about it.

One table serves the client, the messages and the tests. The numbers decide, never the wording: ten identifiers begin
with ``APIKEY_`` and only three of them concern the key.

Classes: ``T`` passes by itself, nothing was created; ``A`` ambiguous, a task may exist; ``N`` needs a person (key,
money, plan, content); ``P`` permanent, the request is wrong; ``S`` a state, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Klass = Literal["T", "A", "N", "P", "S"]


@dataclass(frozen=True, slots=True)
class ApiCode:
    """One row: the code as text, the service's name for it, our meaning, its class, and what to type or do now."""

    code: str
    name: str
    meaning: str
    klass: Klass
    advice: str


_KEY = "check that the API key is complete and enabled, and that it belongs to this site (`.cn` and `.ai` differ)"
_AGAIN = "try again in a few minutes; finished steps are not paid again"
_PAID_AGAIN = "run again when you like (a new task is a new payment), or allow it with `retry: {max: 1, on: [failed]}`"
_SLOWER = "nothing to do, rhflow waits; to ask for less at once use `--pool account=1`"
_TOP_UP = "add money to the wallet on the RunningHub site, then run again; finished steps are not paid again"
_TASK_ID = "the task is unknown on this site or its record has been removed; check the site and the task id"
_NODES = "compare the values with the workflow: node ids and field names must exist in it, and none may be null"
_REPORT = "a newer rhflow may know better; if not, report it with the request's endpoint"
_SMALLER = "use a smaller file"
_REWORD = "change the prompt or the input picture; the service does not accept this content"
_SITE_ID = "check the id, and that it belongs to this site (`.cn` and `.ai` share nothing)"

_THREE_DIGITS = (
    ApiCode("0", "success", "done", "S", "nothing to do"),
    ApiCode("1", "operation failed", "there is nothing to act on", "P", "check the id in the request"),
    ApiCode("-1", "key check failed", "the API key is not accepted", "N", _KEY),
    ApiCode("301", "PARAMS_INVALID", "a parameter is missing or wrong", "P",
            "compare the step's `with` with what the model takes"),
    ApiCode("380", "WORKFLOW_NOT_EXISTS", "the workflow does not exist on this site", "P", _SITE_ID),
    ApiCode("401", "key unknown", "the API key is unknown", "N", _KEY),
    ApiCode("412", "TOKEN_INVALID", "the path of the request does not exist", "P", _REPORT),
    ApiCode("415", "TASK_INSTANCE_MAXED", "no dedicated machine is free", "T", _SLOWER),
    ApiCode("416", "TASK_CREATE_FAILED_BY_NOT_ENOUGH_WALLET", "the wallet is empty", "N", _TOP_UP),
    ApiCode("421", "TASK_QUEUE_MAXED", "the account's limit of tasks at once is reached", "T", _SLOWER),
    ApiCode("423", "TASK_NOT_FOUNED", "the task does not exist", "P", _TASK_ID),
    ApiCode("433", "VALIDATE_PROMPT_FAILED", "the workflow is not valid", "P",
            "open the workflow on the RunningHub site, repair the nodes named, and run it there once"),
    ApiCode("435", "TASK_USER_EXCLAPI_INSTANCE_NOT_FOUND", "the account has no machine of this kind", "P",
            "rent a machine of that kind on the RunningHub site, or use another account"),
    ApiCode("436", "TASK_USER_EXCLAPI_REQUIRED", "the plan with dedicated machines has expired", "N",
            "renew the plan on the RunningHub site, or use a key of another kind"),
    ApiCode("500", "UNKNOWN_ERROR", "the service has a fault of its own", "A", _AGAIN),
    ApiCode("801", "APIKEY_UNSUPPORTED_FREE_USER", "a free account may not use the API", "N",
            "get a membership on the RunningHub site, or try the recipe with `--simulate`"),
    ApiCode("802", "APIKEY_UNAUTHORIZED", "the API key is wrong, disabled, or for the other site", "N", _KEY),
    ApiCode("803", "APIKEY_INVALID_NODE_INFO", "the node values do not fit the workflow", "P", _NODES),
    ApiCode("804", "APIKEY_TASK_IS_RUNNING", "the task is running", "S", "nothing to do, rhflow waits"),
    ApiCode("805", "APIKEY_TASK_STATUS_ERROR", "the task failed or was interrupted", "P",
            "read the reason; a corrected run is a new task and a new payment"),
    ApiCode("806", "APIKEY_USER_NOT_FOUND", "the API key belongs to no user", "N", _KEY),
    ApiCode("807", "APIKEY_TASK_NOT_FOUND", "the task does not exist", "P", _TASK_ID),
    ApiCode("808", "APIKEY_UPLOAD_FAILED", "the service could not store the file", "T", _AGAIN),
    ApiCode("809", "APIKEY_FILE_SIZE_EXCEEDED", "the file is too large", "P", _SMALLER),
    ApiCode("810", "WORKFLOW_NOT_SAVED_OR_NOT_RUNNING", "the workflow was never saved and run", "N",
            "open the workflow on the RunningHub site, save it, and run it there once"),
    ApiCode("811", "CORPAPIKEY_INVALID", "the enterprise API key is not valid", "N", _KEY),
    ApiCode("812", "CORPAPIKEY_INSUFFICIENT_FUNDS", "the enterprise balance is empty", "N", _TOP_UP),
    ApiCode("813", "APIKEY_TASK_IS_QUEUED", "the task is queued", "S", "nothing to do, rhflow waits"),
    ApiCode("814", "PERSONAL_QUEUE_COUNT_LIMIT", "the personal queue is full", "T", _SLOWER),
    ApiCode("901", "WEBAPP_NOT_EXISTS", "the AI app does not exist on this site", "P", _SITE_ID),
)  # fmt: skip

_FOUR_DIGITS = (
    ApiCode("1000", "Unknown error", "the service gives no reason", "A", _PAID_AGAIN),
    ApiCode("1001", "Invalid URL", "the path of the request does not exist", "P",
            "look the model up with `rhflow models show MODEL`; it may have been withdrawn"),
    ApiCode("1002", "Invalid API Key", "the API key is not accepted", "N", _KEY),
    ApiCode("1003", "Rate limit exceeded", "too many requests at once", "T", _SLOWER),
    ApiCode("1004", "Task not found", "the task does not exist", "P", _TASK_ID),
    ApiCode("1005", "Internal server error", "the service has a fault of its own", "A", _AGAIN),
    ApiCode("1006", "Task execution timed out", "the task ran too long", "A", _PAID_AGAIN),
    ApiCode("1007", "Invalid parameters", "the model does not accept these values", "P",
            "compare the step's `with` with what the model takes"),
    ApiCode("1008", "File size limit exceeded", "an input file is too large", "P", _SMALLER),
    ApiCode("1009", "HTTP method not supported", "the request has the wrong method", "P", _REPORT),
    ApiCode("1010", "Service unavailable", "the service is not available", "A", _AGAIN),
    ApiCode("1011", "System is currently busy", "the model is busy", "T", _SLOWER),
    ApiCode("1012", "Service response exception", "the service behind the model gave no proper answer", "A", _AGAIN),
    ApiCode("1013", "File processing failed", "an input file cannot be fetched or decoded", "P",
            "run again: local files are uploaded anew; if it stays, see that they open, and that links are public"),
    ApiCode("1014", "Access Denied: Standard Model API", "hosted models need an enterprise-shared API key", "N",
            "use an enterprise-shared key: hosted models are served to no other"),
    ApiCode("1015", "Generation failed", "the model failed", "A", _PAID_AGAIN),
    ApiCode("1101", "Node info error", "the node values cannot be read", "P", _NODES),
    ApiCode("1501", "Content verification failed", "the content is refused by moderation", "N", _REWORD),
    ApiCode("1504", "Model timed out", "the model did not answer in time", "A", _PAID_AGAIN),
    ApiCode("1505", "Photorealistic real people are prohibited", "pictures of real people are refused", "N", _REWORD),
    ApiCode("1516", "model error 1516", "the model's host has a fault of its own", "A", _PAID_AGAIN),
    ApiCode("1517", "model error 1517", "the model's host has a fault of its own", "A", _PAID_AGAIN),
    ApiCode("1519", "model error 1519", "the model's host has a fault of its own", "A", _PAID_AGAIN),
    ApiCode("1520", "model concurrency limit", "the account's limit of model calls at once is reached", "T", _SLOWER),
)  # fmt: skip

_HTTP = (
    ApiCode("http-3xx", "redirect", "the address sends requests elsewhere", "P", "check the site's address"),
    ApiCode("http-401", "Unauthorized", "the API key is not accepted", "N", _KEY),
    ApiCode("http-403", "Forbidden", "access is denied", "N", _KEY),
    ApiCode("http-404", "Not Found", "the path of the request does not exist", "P", "check the site's address"),
    ApiCode("http-408", "Request Timeout", "the request did not arrive in time", "A", _AGAIN),
    ApiCode("http-413", "Content Too Large", "the request is too large", "P", _SMALLER),
    ApiCode("http-429", "Too Many Requests", "too many requests at once", "T", _SLOWER),
    ApiCode("http-4xx", "client error", "the request is not accepted", "P", _REPORT),
    ApiCode("http-5xx", "server error", "the service has a fault of its own", "A", _AGAIN),
)

UNLISTED = ApiCode("unlisted", "unlisted", "the service gives a reason that rhflow does not know", "A", _REPORT)
"""What nobody has described is ambiguous: that costs a look, never a second payment."""

CODES: Mapping[str, ApiCode] = {row.code: row for row in (*_THREE_DIGITS, *_FOUR_DIGITS)}
HTTP_CODES: Mapping[str, ApiCode] = {row.code: row for row in _HTTP}

_OTHER_WORDS = {
    "api queue limit reached": "421",
    "apikey verification failed": "802",
    "apikey not enabled": "802",
    "insufficient_funds": "812",
}
_WORDS: Mapping[str, str] = _OTHER_WORDS | {
    row.name.casefold(): row.code for row in CODES.values() if row.code not in ("0", "1", "-1", "401")
}


def find_code(code: str, message: str = "", *, http_status: int = 200) -> ApiCode:
    """Return the row for a failure: by number, else by the service's words, else by HTTP status, else ``UNLISTED``.

    A number that is not listed is never explained by the words beside it: they may read like a code that is safe to
    send again.
    """
    if (row := CODES.get(code)) is not None:
        return row
    said = "" if code.lstrip("-").isdigit() else f"{code} {message}".casefold()
    found = [word for word in _WORDS if word in said]
    if found:
        return CODES[_WORDS[max(found, key=len)]]
    return _by_status(http_status)


def _by_status(status: int) -> ApiCode:
    if 200 <= status < 300:
        return UNLISTED
    exact = HTTP_CODES.get(f"http-{status}")
    return exact or HTTP_CODES.get(f"http-{status // 100}xx", HTTP_CODES["http-5xx"])
