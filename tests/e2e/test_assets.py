"""The library of an account as a user keeps it: nothing is added twice unseen, and recipes name what is there."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rhflow.app.account.limits import name_of
from rhflow.store.store import Store
from tests.e2e.case import Case, Inside, Simulator


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Give a folder with a picture, and an account of its own."""
    Image.new("RGB", (320, 320), "teal").save(tmp_path / "hero.png")
    return Inside(tmp_path, {"RUNNINGHUB_API_KEY": str(tmp_path)})


@pytest.fixture
def site(simulator: Simulator, case: Case) -> Simulator:
    """Have commands ask a simulator that stays."""
    case.env["RUNNINGHUB_BASE_URL"] = simulator.url
    return simulator


def links(case: Case) -> list[str]:
    return [each["link"] for each in case.run("asset", "list", "--json").exit(0).document["assets"]]


def test_a_file_is_added_once_and_found_again_by_content(case: Case, site: Simulator, tmp_path: Path) -> None:
    case.run("asset", "list").exit(0).says("no assets", "rhflow asset add FILE")
    first = case.run("asset", "add", "hero.png", "--json").exit(0).document
    assert (first["new"], first["ready"], first["name"], first["type"]) == (True, True, "hero", "image")
    (tmp_path / "copy.png").write_bytes((tmp_path / "hero.png").read_bytes())
    case.run("asset", "add", "copy.png").exit(0).says(first["link"], "already", "--again", f"`image: {first['link']}`")
    assert links(case) == [first["link"]]
    again = case.run("asset", "add", "hero.png", "--again", "--name", "second", "--no-wait", "--json").exit(0).document
    assert links(case) == [first["link"], again["link"]]


def test_a_recipe_names_an_asset_and_is_kept_by_its_id(case: Case, site: Simulator, tmp_path: Path) -> None:
    link = case.run("asset", "add", "hero.png", "--json").exit(0).document["link"]
    (tmp_path / "r.yaml").write_text(
        "rhflow: 1\nparams: {hero: {type: image}}\nsteps:\n  s: {uses: image-to-image, with: {prompt: night, "
        "image: '${{ params.hero }}'}}\n",
        encoding="utf-8",
    )
    case.run("run", "r.yaml", "-p", f"hero={link}").exit(0).says("files: ")
    case.run("plan", "r.yaml", "-p", f"hero={link}").exit(0).says("nothing to run")
    case.run("plan", "r.yaml", "-p", "hero=asset://another").exit(0).says("1 step to run")


def test_what_only_works_on_files_says_so_of_an_asset(case: Case, site: Simulator, tmp_path: Path) -> None:
    for kind, given in (("resize", "image: 'asset://a-1', width: 64"), ("upload", "file: 'asset://a-1'")):
        recipe = f"rhflow: 1\nsteps:\n  s: {{uses: {kind}, with: {{{given}}}}}\n"
        (tmp_path / "r.yaml").write_text(recipe, encoding="utf-8")
        assert case.run("run", "r.yaml").says("asset://a-1", "hint: ", "file").code in (1, 3)


def test_assets_are_looked_at_renamed_and_removed_by_id_or_link(case: Case, site: Simulator) -> None:
    link = case.run("asset", "add", "hero.png", "--json").exit(0).document["link"]
    asset = link.removeprefix("asset://")
    case.run("asset", "rename", asset, "heroine").exit(0)
    case.run("asset", "show", link).exit(0).says(f"{link}: heroine, image, active", "preview: http")
    case.run("asset", "rm", link, "-y").exit(0)
    for wrong in (("show", asset), ("rename", asset, "x"), ("rm", asset, "-y")):
        case.run("asset", *wrong).exit(1).says("error[api-301]", asset, "rhflow asset list")
    assert case.run("asset", "add", "hero.png", "--json").exit(0).document["new"], "what was removed is not found again"


def test_an_asset_that_went_elsewhere_is_not_added_again_unseen(case: Case, site: Simulator) -> None:
    case.run("asset", "add", "hero.png").exit(0)
    case.run("asset", "group", "rm", "rhflow", "-y").exit(0)
    case.run("asset", "add", "hero.png").exit(1).says("error[api-301]", "--again")
    case.run("asset", "add", "hero.png", "--again").exit(0)


def test_two_that_add_the_same_file_at_once_do_not_both_send_it(case: Case, site: Simulator, tmp_path: Path) -> None:
    content = hashlib.sha256((tmp_path / "hero.png").read_bytes()).hexdigest()
    with Store.open(tmp_path / "store") as store:
        assert store.locks.try_acquire(f"asset {name_of(site.url, str(tmp_path))} {content}")
        case.run("asset", "add", "hero.png").exit(2).says("another rhflow is adding `hero`")
    case.run("asset", "add", "hero.png").exit(0)


def test_groups(case: Case, site: Simulator) -> None:
    case.run("asset", "group", "list").exit(0).says("no groups")
    case.run("asset", "add", "hero.png", "--group", "heroes").exit(2).says(
        "no group `heroes`", "rhflow asset group add heroes"
    )
    made = case.run("asset", "group", "add", "heroes", "--json").exit(0).document["group"]
    case.run("asset", "group", "add", "heroes").exit(2).says("already", made)
    case.run("asset", "group", "show", "group-of-nobody").exit(1).says("error[api-301]", "rhflow asset group list")
    case.run("asset", "add", "hero.png", "--group", "heros").exit(2).says("did you mean `heroes`")
    case.run("asset", "add", "hero.png", "--group", "heroes").exit(0)
    case.run("asset", "list", "--group", made).exit(0).says("hero", "1 of 1 asset")
    case.run("asset", "group", "rename", "heroes", "villains").exit(0)
    assert case.run("asset", "group", "show", made, "--json").exit(0).document == {"group": made, "name": "villains"}
    case.run("asset", "add", "hero.png", "--again", "--group", "group-of-nobody").exit(1).says("error[api-301]")
    case.run("asset", "add", "hero.png").exit(0).says("already")


def test_what_cannot_be_added_is_told_before_anything_is_sent(case: Case, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("words", encoding="utf-8")
    for given, told in (
        (["her.png"], "did you mean `hero.png`"),
        (["words.txt"], "text/plain"),
        (["hero.png", "--type", "video"], "image/png"),
        (["https://x.test/a"], "--type image"),
    ):
        case.run("asset", "add", *given, "--simulate").exit(2).says(told)


def test_without_a_key_nothing_is_asked(case: Case) -> None:
    del case.env["RUNNINGHUB_API_KEY"]
    for command in ("asset list", "asset add hero.png", "asset rm a-1 -y", "asset group list", "workflow resources"):
        case.run(*command.split()).exit(4).says("error[no-key]", "RUNNINGHUB_API_KEY", "--simulate")


# --- a reply that never comes ----------------------------------------------------------------------------------------


@pytest.fixture
def broken_site(case: Case) -> Iterator[list[str]]:
    """Serve a site that breaks whenever an asset is created; give the paths that were asked for."""
    asked: list[str] = []
    data: dict[str, Any] = {
        "/openapi/v2/media/upload/binary": {"download_url": "http://files.test/hero.png", "fileName": "hero.png"},
        "/openapi/v2/assets/groups/list": {"items": [{"groupId": "g-1", "name": "rhflow"}], "totalCount": "1"},
    }

    class Site(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append(self.path)
            body = json.dumps({"code": 0, "msg": "success", "message": "success", "data": data.get(self.path)}).encode()
            self.send_response(200 if self.path in data else 502)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        case.env["RUNNINGHUB_BASE_URL"] = f"http://127.0.0.1:{server.server_port}"
        yield asked
        server.shutdown()
        thread.join()


def test_an_addition_without_a_reply_is_not_sent_again_by_itself(case: Case, broken_site: list[str]) -> None:
    case.run("asset", "add", "hero.png").exit(5).says("error[creation-unknown]", "may have been made all the same")
    case.run("asset", "add", "hero.png").exit(5).says("error[asset-unknown]", "rhflow asset list", "--again")
    assert broken_site.count("/openapi/v2/assets/create") == 1
    case.run("asset", "add", "hero.png", "--again").exit(5)
    assert broken_site.count("/openapi/v2/assets/create") == 2
