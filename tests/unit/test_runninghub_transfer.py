"""Files go out and come in whole, streamed, and results without the key; no network."""

import asyncio
import email
import hashlib
import io
import tracemalloc
from pathlib import Path

import httpx
import pytest

from rhflow.core.errors import RefusedError, StepError, StoreError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.transport.transfer import CHUNK, Downloaded, FileForm

KEY = "0123456789abcdef0123456789abcdef"
SITE = "https://www.runninghub.cn"
URL = "https://results.example/output/clip.mp4?sign=abc"
DATA = bytes(range(256)) * 2500  # more than two chunks
STORED = {
    "code": 0,
    "message": "success",
    "data": {"download_url": "https://h/x", "fileName": "openapi/x", "size": "1"},
}


def hub(handler) -> RunningHub:
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    transport = handler if isinstance(handler, httpx.AsyncBaseTransport) else httpx.MockTransport(handler)
    return RunningHub(Connection(SITE, Secret(KEY)), transport=transport, clock=Clock(sleep=sleep))


def landed(data: bytes) -> Downloaded:
    return Downloaded(len(data), hashlib.sha256(data).hexdigest())


def parts_of(request: httpx.Request):
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    return email.message_from_bytes(head + request.content).get_payload()


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, len(DATA)])
async def test_an_upload_is_one_part_named_file(tmp_path: Path, size):
    file = tmp_path / "in.png"
    file.write_bytes(DATA[:size])
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=STORED)

    async with hub(handler) as client:
        uploaded = await client.upload(file, 'a "fox"\n狐.png', "image/png")
    assert (uploaded.url, uploaded.file_name, uploaded.media_type) == ("https://h/x", "openapi/x", "image/png")
    (request,) = seen
    (part,) = parts_of(request)
    assert part.get_payload(decode=True) == DATA[:size]
    assert part.get_content_type() == "image/png"
    assert 'name="file"; filename="a %22fox%22%0A狐.png"'.encode() in request.content
    assert int(request.headers["content-length"]) == len(request.content)
    assert "transfer-encoding" not in request.headers
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert client.requests == {"upload": 1}


async def test_an_upload_is_repeated_from_the_start(tmp_path: Path):
    file = tmp_path / "in.png"
    file.write_bytes(DATA)
    sizes: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.content))
        if len(sizes) == 1:
            raise httpx.WriteError("reset")
        return httpx.Response(200, json=STORED if len(sizes) == 3 else {"code": 808, "msg": "APIKEY_UPLOAD_FAILED"})

    async with hub(handler) as client:
        await client.upload(file, "a.png", "image/png")
    assert len(sizes) == 3
    assert len(set(sizes)) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"code": 809, "msg": "APIKEY_FILE_SIZE_EXCEEDED"}, StepError),
        (413, {}, StepError),
        (200, {"code": 401, "message": "ApiKey verification failed", "data": None}, RefusedError),
    ],
)
async def test_an_upload_that_is_hopeless_is_not_repeated(tmp_path: Path, status, body, error):
    file = tmp_path / "in.png"
    file.write_bytes(b"x")
    async with hub(lambda request: httpx.Response(status, json=body)) as client:
        with pytest.raises(error, match=r"upload of `a\.png`"):
            await client.upload(file, "a.png", "image/png")
    assert client.requests == {"upload": 1}


async def test_a_file_that_is_not_there_is_not_sent(tmp_path: Path):
    async with hub(lambda request: httpx.Response(200, json=STORED)) as client:
        with pytest.raises(StepError, match="cannot read"):
            await client.upload(tmp_path / "no.png", "a.png", "image/png")
        with pytest.raises(StepError, match="cannot read"):
            await client.upload(tmp_path, "a.png", "image/png")


@pytest.mark.parametrize("change", [b"", b"x", DATA + b"more"])
async def test_a_file_that_changes_while_it_is_sent_is_an_error(tmp_path: Path, change):
    file = tmp_path / "in.png"
    file.write_bytes(DATA)
    form = FileForm.of(file, "a.png", media_type="image/png")
    file.write_bytes(change)
    sent = 0
    with pytest.raises(StepError, match="changes while it is sent"):
        async for chunk in form.stream():
            sent += len(chunk)
    assert sent <= int(form.headers["Content-Length"])


class Counting(httpx.AsyncBaseTransport):
    """Reads an upload without keeping it, or gives a large download without having it."""

    def __init__(self, size: int = 0) -> None:
        self.size = size
        self.received = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, content=self._produce())
        async for chunk in request.stream:  # type: ignore[union-attr]
            self.received += len(chunk)
        return httpx.Response(200, json=STORED)

    async def _produce(self):
        for _ in range(self.size // CHUNK):
            yield bytes(CHUNK)


async def test_large_files_take_no_memory(tmp_path: Path):
    size = 64 * CHUNK
    file = tmp_path / "in.mp4"
    with file.open("wb") as out:
        out.truncate(size)
    transport = Counting(size)
    async with hub(transport) as client:
        tracemalloc.start()
        await client.upload(file, "in.mp4", "video/mp4")
        found = await client.download(URL, tmp_path / "out.mp4")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert transport.received > size
    assert found.size == size
    assert peak < size / 4


async def test_a_result_host_never_sees_the_key(tmp_path: Path):
    hosts: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        assert "authorization" not in request.headers
        assert KEY not in str(request.headers) + str(request.url)
        assert request.headers["accept-encoding"] == "identity"
        if request.url.host == "results.example":
            return httpx.Response(302, headers={"location": f"{SITE}/moved.mp4"})
        return httpx.Response(200, content=DATA)

    async with hub(handler) as client:
        assert await client.download(URL, tmp_path / "out") == landed(DATA)
    assert hosts == ["results.example", "www.runninghub.cn"]
    assert (tmp_path / "out").read_bytes() == DATA
    assert client.requests == {"download": 1}


class Host:
    """A result host that breaks off after so many bytes, request after request."""

    def __init__(self, *breaks: int | None, headers=None, ranges=True, data=DATA) -> None:
        self.breaks = list(breaks)
        self.headers = headers or {}
        self.ranges = ranges
        self.data = data
        self.asked: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        span = request.headers.get("range")
        self.asked.append(span)
        start = int(span[6:-1]) if span and self.ranges else 0
        rest = self.data[start:]
        headers = self.headers | {"content-length": str(len(rest))}
        if start:
            headers["content-range"] = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        until = self.breaks.pop(0) if self.breaks else None
        return httpx.Response(206 if start else 200, headers=headers, content=self._body(rest, until))

    async def _body(self, rest: bytes, until: int | None):
        yield rest if until is None else rest[: abs(until)]
        if until is not None and until < 0:
            raise httpx.ReadError("reset")


CUT = 2 * CHUNK


@pytest.mark.parametrize("cut", [CUT, -CUT, 10, -10, -CUT - 7], ids=["short", "reset", "few", "few reset", "odd"])
async def test_a_broken_download_goes_on_where_it_broke(tmp_path: Path, cut):
    host = Host(cut, headers={"etag": '"v1"'})
    async with hub(host) as client:
        assert await client.download(URL, tmp_path / "out") == landed(DATA)
    done = len(DATA[: abs(cut)])
    assert host.asked == [None, f"bytes={done}-"]
    assert (tmp_path / "out").read_bytes() == DATA
    assert client.requests == {"download": 2}


@pytest.mark.parametrize(
    "host",
    [
        Host(CUT),
        Host(CUT, headers={"etag": 'W/"v1"'}),
        Host(CUT, headers={"etag": '"v1"'}, ranges=False),
    ],
    ids=["no mark", "weak mark", "no ranges"],
)
async def test_a_broken_download_starts_anew_when_it_cannot_go_on(tmp_path: Path, host):
    async with hub(host) as client:
        assert await client.download(URL, tmp_path / "out") == landed(DATA)
    assert (tmp_path / "out").read_bytes() == DATA


async def test_a_file_that_changed_on_the_host_is_not_glued_together():
    old, new = Host(CUT, headers={"last-modified": "Mon"}), Host(data=DATA[::-1])
    answers = [old, lambda request: httpx.Response(200, content=DATA[::-1]), new]
    sink = io.BytesIO()
    async with hub(lambda request: answers.pop(0)(request)) as client:
        assert await client.download(URL, sink) == landed(DATA[::-1])
    assert sink.getvalue() == DATA[::-1]


@pytest.mark.parametrize(
    "second",
    [
        httpx.Response(416),
        httpx.Response(206, content=DATA[5:], headers={"content-range": f"bytes 5-{len(DATA) - 1}/{len(DATA)}"}),
        httpx.Response(206, content=b""),
    ],
    ids=["416", "wrong span", "no span"],
)
async def test_a_range_that_does_not_fit_starts_anew(second):
    answers = [Host(CUT, headers={"etag": '"v1"'}), lambda request: second, Host()]
    sink = io.BytesIO(b"before ")
    sink.seek(0, io.SEEK_END)
    async with hub(lambda request: answers.pop(0)(request)) as client:
        assert await client.download(URL, sink) == landed(DATA)
    assert sink.getvalue() == b"before " + DATA


async def test_a_download_that_never_ends_well_ends(tmp_path: Path):
    async with hub(Host(*[100] * 50)) as client:
        with pytest.raises(StepError, match="no answer to the download of") as caught:
            await client.download(URL, tmp_path / "out")
    assert client.requests["download"] == 6
    assert not (tmp_path / "out").exists()
    assert "sign=abc" not in str(caught.value)


async def test_slow_progress_is_progress():
    steps = len(DATA) // CHUNK + 1
    host = Host(*[CHUNK] * steps, headers={"etag": '"v1"'})
    async with hub(host) as client:
        assert await client.download(URL, io.BytesIO()) == landed(DATA)
    assert len(host.asked) == steps


async def test_a_busy_host_is_asked_again():
    answers = [lambda r: httpx.Response(503), lambda r: httpx.Response(429), Host()]
    async with hub(lambda request: answers.pop(0)(request)) as client:
        assert await client.download(URL, io.BytesIO()) == landed(DATA)


@pytest.mark.parametrize(("status", "code"), [(403, "result-gone"), (404, "result-gone"), (400, "result-unreachable")])
async def test_a_link_that_has_aged_out(status, code):
    async with hub(lambda request: httpx.Response(status)) as client:
        with pytest.raises(StepError) as caught:
            await client.download(URL, io.BytesIO())
    assert caught.value.problems[0].code == code
    assert client.requests == {"download": 1}


@pytest.mark.parametrize("url", ["ftp://h/a", "https://[", "no url", "http://h:99999/"])
async def test_an_address_that_is_none(url):
    async with hub(lambda request: httpx.Response(200)) as client:
        with pytest.raises(StepError, match="is not the address of a result"):
            await client.download(url, io.BytesIO())


class FullDisk(io.BytesIO):
    def write(self, data) -> int:
        raise OSError(28, "No space left on device")


async def test_trouble_with_the_disk_is_not_trouble_on_the_way(tmp_path: Path):
    async with hub(Host()) as client:
        with pytest.raises(StoreError, match="No space left"):
            await client.download(URL, FullDisk())
        with pytest.raises(StoreError, match="cannot keep a result"):
            await client.download(URL, tmp_path / "no" / "such" / "folder")
    assert client.requests == {"download": 1}


async def test_at_most_eight_transfers_at_once():
    now = most = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await asyncio.sleep(0)
        now -= 1
        return httpx.Response(200, content=b"x")

    async with hub(handler) as client:
        await asyncio.gather(*(client.download(f"https://h/{number}", io.BytesIO()) for number in range(40)))
    assert most == 8


async def test_a_cancelled_download_leaves_nothing(tmp_path: Path):
    started = asyncio.Event()

    async def body():
        yield DATA
        started.set()
        await asyncio.Event().wait()

    async with hub(lambda request: httpx.Response(200, content=body())) as client:
        task = asyncio.create_task(client.download(URL, tmp_path / "out"))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not (tmp_path / "out").exists()
