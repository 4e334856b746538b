"""Ask a real editor's server what it makes of the schemas: completion, hover and complaints, in recipes as one types.

    python tools/editor_check.py                     install yaml-language-server into a temporary folder, then ask
    python tools/editor_check.py --server COMMAND    ask one that is installed already

Needs node and npm, so it is not part of the test suite: run it after a change to how the schemas are made. Prints a
line per question and exits 1 when an answer is not what an author needs. Times are printed, not judged; an answer to
an opened file includes the fifth of a second for which the server waits in case more is typed.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SERVER = "yaml-language-server@1.25.0"
SETTINGS = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
PATIENCE = 60
STEP = "rhflow: 1\nsteps:\n  clip:\n    uses: image-to-video\n"


class Server:
    """A language server on standard input and output; what it asks back is answered in passing."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        self._sent = 0
        self._complaints: dict[str, list[str]] = {}
        threading.Thread(target=self._listen, daemon=True).start()
        can = {"completion": {"completionItem": {"snippetSupport": True}}, "hover": {"contentFormat": ["markdown"]}}
        told = {"textDocument": can, "workspace": {"configuration": True}}
        self.ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": told})
        self._send({"method": "initialized", "params": {}})

    def open(self, text: str, *, path: Path | None = None) -> tuple[str, list[str]]:
        """Open a recipe and return its address and what the server has against it."""
        uri = (path or self._folder / f"{self._sent}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._sent += 1
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while uri not in self._complaints:
            self._take(self._inbox.get(timeout=PATIENCE))
        return uri, self._complaints[uri]

    def at(self, what: str, marked: str) -> Any:
        """Open a recipe and ask for ``completion`` or ``hover`` at its ``|``."""
        before, _, after = marked.partition("|")
        uri, _ = self.open(before + after)
        lines = before.split("\n")
        position = {"line": len(lines) - 1, "character": len(lines[-1])}
        return self.ask(f"textDocument/{what}", {"textDocument": {"uri": uri}, "position": position})

    def proposals(self, marked: str) -> dict[str, str]:
        """Return what completion proposes at the ``|``, with its explanation."""
        return {each["label"]: str(each.get("documentation")) for each in self.at("completion", marked)["items"]}

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Send a request and return its answer."""
        self._sent += 1
        number = self._sent
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._inbox.get(timeout=PATIENCE)
            if message.get("id") == number and "method" not in message:
                return message["result"]
            self._take(message)

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            found = message["params"]
            self._complaints[found["uri"]] = [each["message"] for each in found["diagnostics"]]
        elif "method" in message and "id" in message:
            items = message.get("params", {}).get("items", []) if message["method"] == "workspace/configuration" else []
            self._send(
                {"id": message["id"], "result": [SETTINGS if each["section"] == "yaml" else {} for each in items]}
            )

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while header := self._process.stdout.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
                header = self._process.stdout.readline()
            self._inbox.put(json.loads(self._process.stdout.read(length)))


class Questions:
    """Everything that is asked, over one schema."""

    def __init__(self, server: Server, schema: str) -> None:
        self._server = server
        self._head = f"# yaml-language-server: $schema={(ROOT / 'schemas' / schema).as_uri()}\n"
        self.failed = 0

    def proposes(self, what: str, text: str, *, some: Collection[str], none: Collection[str] = ()) -> None:
        """Ask for completion at the ``|``: ``some`` must be proposed, ``none`` of those."""
        found, seconds = _timed(lambda: self._server.proposals(self._head + text))
        first = ", ".join(list(found)[:6])
        self._tell(what, set(some) <= set(found) and not set(none) & set(found), f"{len(found)}: {first} …", seconds)

    def explains(self, what: str, text: str, words: str) -> None:
        """Ask for a hover at the ``|``, which must say ``words``."""
        found, seconds = _timed(lambda: self._server.at("hover", self._head + text))
        said = found["contents"]["value"].split("\n")[0] if found else "nothing"
        self._tell(what, words in said, said, seconds)

    def complains(self, what: str, text: str, *words: str) -> None:
        """Open a recipe: there must be one complaint with each of ``words``, and no other."""
        (_, found), seconds = _timed(lambda: self._server.open(self._head + text))
        held = len(found) == len(words) and all(any(each in said for said in found) for each in words)
        self._tell(what, held, "; ".join(each[:90] for each in found) or "no complaint", seconds)

    def accepts(self, path: Path) -> None:
        """Open a shipped recipe with the schema that it names itself."""
        (_, found), seconds = _timed(lambda: self._server.open(path.read_text(encoding="utf-8"), path=path))
        self._tell(path.name, not found, "; ".join(found) or "no complaint", seconds)

    def _tell(self, what: str, held: bool, said: str, seconds: float) -> None:
        self.failed += not held
        print(f"{'ok  ' if held else 'FAIL'} {seconds * 1000:4.0f} ms  {what}: {said}")


def _timed(ask: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return ask(), time.perf_counter() - began


def ask_full(ask: Questions) -> None:
    """Ask about the schema with the inputs of all models."""
    ask.proposes("uses", "rhflow: 1\nsteps:\n  a:\n    uses: |\n", some={"text-to-image", "upscale", "upload"})
    ask.proposes("keys of a step", "rhflow: 1\nsteps:\n  a:\n    |\n", some={"uses", "model", "with", "foreach"})
    ask.proposes("model", f"{STEP}    model: |\n", some={"kling-v2-6-pro-i2v"}, none={"kling-v2-6-pro-t2v"})
    ask.proposes("with", f"{STEP}    with:\n      |\n", some={"prompt", "duration"}, none={"firstImageUrl", "sound"})
    model = f"{STEP}    model: kling-v2-6-pro-i2v\n"
    ask.proposes("with of a named model", f"{model}    with:\n      |\n", some={"with_audio"}, none={"sound"})
    ask.proposes("a listed value", f"{STEP}    with:\n      duration: |\n", some={"5", "10"}, none={"7"})
    upscale = STEP.replace("image-to-video", "upscale")
    video = f"{upscale}    with:\n      video: a.mp4\n"
    ask.proposes("the medium decides", f"{video}      |\n", some={"resolution"}, none={"scale"})
    ask.explains("hover on an input", f"{STEP}    with:\n      dur|ation: 5\n", "Length in seconds")
    ask.explains("hover on a model", f"{STEP}    model: kling-v2-6|-pro-i2v\n", "CNY")
    ask.explains("hover on a kind", STEP.replace("image-to", "image|-to"), "clip that begins with a picture")
    ask.complains("a wrong key", f"{STEP}    with:\n      imag: a.png\n", "imag is not allowed")
    ask.complains("a wrong value", f"{STEP}    with:\n      duration: 7\n", "Valid values: 5, 10")
    ask.complains("out of range", f"{STEP}    with:\n      guidance: 3\n", "maximum of 1")
    ask.complains("a wrong kind", "rhflow: 1\nsteps:\n  a:\n    uses: image-to-vide\n", "Value must be")
    ask.complains("the wrong medium's input", f"{video}      scale: 2x\n", "scale is not allowed")
    good = "      image: ${{ params.a }}\n      duration: '10'\n      guidance: ${{ 0.1 * 3 }}\n"
    ask.complains("other names, spellings, expressions", f"{STEP}    with:\n{good}")
    ask.complains("a model by its title", f"{STEP}    model: Some New Model\n    with: {{anything: 1}}\n")
    ask.complains("a model from defaults", f"defaults:\n  image-to-video: {{model: x}}\n{STEP}    with: {{any: 1}}\n")
    many = "".join(
        f"  s{at}:\n    uses: image-to-video\n    with: {{image: a.png, duration: 5}}\n" for at in range(500)
    )
    ask.complains("500 steps", f"{STEP}{many}")


def ask_light(ask: Questions) -> None:
    """Ask about the schema with kinds and models only."""
    ask.proposes("light: uses", "rhflow: 1\nsteps:\n  a:\n    uses: |\n", some={"text-to-image", "upscale"})
    ask.proposes("light: model", f"{STEP}    model: |\n", some={"kling-v2-6-pro-i2v", "vidu-q2-t2v"})
    ask.complains("light: a wrong kind", "rhflow: 1\nsteps:\n  a:\n    uses: image-to-vide\n", "Value must be")
    ask.complains("light: any input", f"{STEP}    with: {{anything: 1}}\n")


def install(folder: Path) -> list[str]:
    """Install the server into a folder and return the command that starts it."""
    quiet = ["--silent", "--no-fund", "--no-audit", "--prefix", str(folder)]
    subprocess.run(["npm", "install", *quiet, SERVER], check=True, stdout=subprocess.DEVNULL)
    return [str(folder / "node_modules" / ".bin" / "yaml-language-server"), "--stdio"]


def main() -> int:
    """Ask everything; return the exit code."""
    parser = argparse.ArgumentParser(description="Check the editor schemas with yaml-language-server.")
    parser.add_argument("--server", help="the command of an installed server; `--stdio` is added")
    named = parser.parse_args().server
    with tempfile.TemporaryDirectory() as folder:
        server = Server([named, "--stdio"] if named else install(Path(folder)), Path(folder))
        try:
            full, light = (
                Questions(server, "pipeline.full.schema.json"),
                Questions(server, "pipeline.light.schema.json"),
            )
            ask_full(full)
            ask_light(light)
            for path in sorted((ROOT / "pipelines").glob("*.yaml")):
                full.accepts(path)
        finally:
            server.close()
    failed = full.failed + light.failed
    print(f"{failed} of the answers are wrong" if failed else "all answers are right")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
