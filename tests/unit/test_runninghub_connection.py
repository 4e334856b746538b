"""The key is sent and never shown; a site's address is one."""

import copy
import pickle

import pytest

from rhflow.core.errors import RefusedError, UsageError
from rhflow.runninghub.transport.connection import Connection, Secret

KEY = "0123456789abcdef0123456789abcdef"


def test_a_secret_does_not_show():
    secret = Secret(f" {KEY}\n")
    assert secret.reveal() == KEY
    shown = [repr(secret), str(secret), f"{secret}", repr(Connection("https://h", secret)), repr([secret])]
    assert not [text for text in shown if KEY in text]
    assert secret.hide_in(f'{{"k":"{KEY}"}}'.encode()) == b'{"k":"***"}'


def test_a_secret_is_not_stored():
    for work in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="not stored"):
            work(Secret(KEY))


def test_secrets_compare():
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret("other")
    assert len({Secret(KEY), Secret(KEY)}) == 1


@pytest.mark.parametrize("text", ["", "  \n", "abc def", "abc\x00def", "ключ", "a\nb"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(text):
    with pytest.raises(RefusedError) as caught:
        Secret(text)
    problem = caught.value.problems[0]
    assert problem.hint
    assert not text.strip() or text.strip() not in problem.message


def test_a_short_key_does_not_spoil_replies():
    assert Secret("a").hide_in(b'{"data": 1}') == b'{"data": 1}'


@pytest.mark.parametrize(
    ("site", "currency"),
    [
        ("https://www.runninghub.cn", "CNY"),
        ("https://www.runninghub.ai/", "USD"),
        ("https://runninghub.ai", "USD"),
        ("http://127.0.0.1:8199", "CNY"),
        ("https://notrunninghub.ai", "CNY"),
    ],
)
def test_the_money_of_a_site(site, currency):
    connection = Connection(site, Secret(KEY))
    assert (connection.currency, connection.base_url) == (currency, site.rstrip("/"))


@pytest.mark.parametrize(
    "site", ["", "runninghub.cn", "ftp://h", "https://", "http://[", "http://h:99999", "https://u:p@h", "https://h?x=1"]
)
def test_what_is_no_site(site):
    with pytest.raises(UsageError, match="is not the address of a site"):
        Connection(site, Secret(KEY))
