"""Twilio's own description of its resources, as a judge of ours."""

from __future__ import annotations

import json
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

_OPENAPI = Path(__file__).parent / "openapi" / "api-2010-04-01.openapi.json"
_formats = FormatChecker(formats=())


@_formats.checks("date-time-rfc-2822", raises=ValueError)
def _is_rfc_2822(value: object) -> bool:
    return not isinstance(value, str) or format_datetime(parsedate_to_datetime(value)) == value


@_formats.checks("uri-map")
def _is_uri_map(value: object) -> bool:
    return not isinstance(value, dict) or all(
        path.startswith("/2010-04-01/Accounts/AC") and path.endswith(".json")
        for path in value.values()
    )


def assert_is(name: str, resource: dict[str, Any]) -> None:
    """Fail unless `resource` has all fields of the schema `name`, each as documented."""
    schema = _openapi()["components"]["schemas"][name]
    assert resource.keys() == schema["properties"].keys()
    _assert_valid(schema, resource)


def assert_is_list(path: str, body: dict[str, Any]) -> None:
    """Fail unless `body` is what GET on `path` is documented to answer."""
    answer = _openapi()["paths"][path]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    assert body.keys() == schema["properties"].keys()
    _assert_valid(schema, body)


def documented_parameters(path: str) -> set[str]:
    """The names of all form parameters that POST on `path` is documented to take."""
    body = _openapi()["paths"][path]["post"]["requestBody"]["content"]
    return set(body["application/x-www-form-urlencoded"]["schema"]["properties"])


def _assert_valid(schema: dict[str, Any], instance: dict[str, Any]) -> None:
    whole = _as_json_schema(schema | {"components": _openapi()["components"]})
    Draft202012Validator(whole, format_checker=_formats).validate(instance)


@cache
def _openapi() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_OPENAPI.read_text())
    return found


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable`; JSON Schema has null as a type."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    converted = {key: _as_json_schema(value) for key, value in node.items()}
    if converted.pop("nullable", False) is True:
        return {"anyOf": [converted, {"type": "null"}]}
    return converted
