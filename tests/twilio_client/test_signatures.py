"""Signatures, against Twilio's own SDK and Twilio's own example."""

from __future__ import annotations

from operator import itemgetter
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from starlette.datastructures import FormData
from twilio.request_validator import RequestValidator

from twilio_client import is_signed, sign

# https://www.twilio.com/docs/usage/security#explore-the-algorithm-yourself
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMETERS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

tokens = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
forms = st.lists(st.tuples(texts, texts), max_size=6)
paths = st.from_regex(r"\A(/[a-z0-9._~%-]{1,6}){0,3}(\?[a-z]=[a-z0-9%+&']{1,9})?\Z")
urls = st.builds(
    lambda scheme, port, path: f"{scheme}://app.example.com{port}{path}",
    st.sampled_from(["https", "http"]),
    st.sampled_from(["", ":443", ":80", ":8443"]),
    paths,
)


def test_twilios_example():
    assert sign("12345", URL, PARAMETERS) == SIGNATURE
    assert is_signed("12345", URL, PARAMETERS, SIGNATURE)


@given(tokens, urls, forms)
def test_a_signature_is_the_sdks(token, url, form):
    signature = RequestValidator(token).compute_signature(url, MultiDict(form))
    assert sign(token, url, form) == signature
    assert is_signed(token, url, form, signature)


@given(tokens, urls, urls, forms)
def test_what_the_sdk_accepts_is_accepted(token, url, signed_url, form):
    signature = sign(token, signed_url, form)
    accepted = is_signed(token, url, form, signature)
    assert accepted or not RequestValidator(token).validate(url, MultiDict(form), signature)


@given(tokens, urls, urls)
def test_what_is_accepted_means_the_same(token, url, signed_url):
    if is_signed(token, url, (), sign(token, signed_url)):
        assert _meaning(url) == _meaning(signed_url)


def _meaning(url: str) -> tuple[object, ...]:
    parts = urlsplit(url)
    fields = sorted(parse_qsl(parts.query, keep_blank_values=True), key=itemgetter(0))
    return parts.scheme, parts.hostname, parts.path or "/", fields


HOST = "https://app.example.com"
# What Twilio's SDK for Node 6.2.0 says: for a request to the first URL, whether the signature of
# the second is Twilio's.
SPELLINGS = [
    ("/a?q=it's", "/a?q=it's", True),
    ("/a?q=it's", "/a?q=it%27s", True),
    ("/a?q=it%27s", "/a?q=it's", True),
    ("/a?q=it's", ":443/a?q=it's", True),
    ("/a?q=it's", ":443/a?q=it%27s", True),
    (":443/a?q=it%27s", "/a?q=it's", True),
    ("/a'b?x=1", "/a%27b?x=1", False),
    ("/a?x=a+b&y=%2B&x=c&z", "/a?x=a%20b&x=c&y=%2B&z=", True),
    ("/a?x=a+b&y=%2B&x=c&z", ":443/a?x=a%20b&x=c&y=%2B&z=", True),
    ("/a?x=a+b&y=%2B&x=c&z", "/a?x=a%20b&y=%2B&x=c&z", False),
    ("/a?x=(1)!*~", "/a?x=(1)!*~", True),
    ("/a?x=%281%29%21%2A%7E", "/a?x=(1)!*~", True),
    ("/a?x=%c3%a9", "/a?x=%C3%A9", True),
    ("/a?x=1", "/a?x=2", False),
    ("/a?x=1&y=2", "/a?y=2&x=1", False),
    ("", "/", True),
    ("", ":443/", True),
    ("/a", "/a/", False),
    ("/a/", "/a", False),
    (":8443/a#f", "/a#f", True),
    (":8443/a#f", ":443/a#f", False),
    ("/a#f", "/a", False),
]


@pytest.mark.parametrize(("url", "signed_url", "accepted"), SPELLINGS)
def test_a_verdict_is_that_of_the_sdk_for_node(url, signed_url, accepted):
    signature = sign("12345", HOST + signed_url)
    assert is_signed("12345", HOST + url, (), signature) == accepted


def test_a_host_in_capitals():
    signature = sign("12345", HOST + "/a")
    assert is_signed("12345", "https://App.Example.com/a", (), signature)


@given(tokens, urls, st.binary(max_size=40).map(bytes.hex))
def test_a_body_is_checked_by_its_hash(token, url, body):
    hashed = RequestValidator(token).compute_hash(body)
    url = url.partition("?")[0] + f"?bodySHA256={hashed}"
    signature = sign(token, url)
    assert RequestValidator(token).validate(url, body, signature)
    assert is_signed(token, url, body.encode(), signature)
    assert not is_signed(token, url, body.encode() + b" ", signature)


def test_a_body_without_a_hash_is_not_signed():
    assert not is_signed("12345", URL, b"{}", sign("12345", URL))


@pytest.mark.parametrize(
    ("token", "url", "parameters", "signature"),
    [
        ("12346", URL, PARAMETERS, SIGNATURE),
        ("12345", URL + "3", PARAMETERS, SIGNATURE),
        ("12345", URL.replace("https", "http"), PARAMETERS, SIGNATURE),
        ("12345", URL, PARAMETERS | {"Digits": "1235"}, SIGNATURE),
        ("12345", URL, PARAMETERS | {"More": ""}, SIGNATURE),
        ("12345", URL, PARAMETERS, ""),
        ("12345", URL, PARAMETERS, SIGNATURE + " "),
        ("12345", URL, PARAMETERS, "é" * 28),
        ("12345", URL, PARAMETERS, "\udce9"),
        ("12345", "https://[::1", PARAMETERS, SIGNATURE),
        ("12345", "https://host:port/", PARAMETERS, SIGNATURE),
    ],
)
def test_anything_else_is_not_signed(token, url, parameters, signature):
    assert not is_signed(token, url, parameters, signature)


def test_a_port_in_the_address_does_not_matter():
    with_port = URL.replace(".com", ".com:443")
    assert is_signed("12345", with_port, PARAMETERS, SIGNATURE)
    assert is_signed("12345", URL, PARAMETERS, sign("12345", with_port, PARAMETERS))


def test_an_address_with_brackets():
    signature = sign("12345", "http://[::1]/status")
    assert is_signed("12345", "http://[::1]:80/status", (), signature)


def test_repeated_fields_in_every_form_they_come_in():
    form = FormData([("Event", "b"), ("Event", "a"), ("Event", "b")])
    signature = RequestValidator("12345").compute_signature(URL, form)
    pairs = [(name, str(value)) for name, value in form.multi_items()]
    assert sign("12345", URL, pairs) == signature
    assert sign("12345", URL, {"Event": ["a", "b"]}) == signature


def test_no_token_signs_nothing():
    with pytest.raises(ValueError, match="needs the auth token"):
        sign("", URL)
    with pytest.raises(ValueError, match="needs the auth token"):
        is_signed("", URL, {}, SIGNATURE)
