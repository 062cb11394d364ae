"""Checks requests against Twilio's own description of its REST API (tests/support/openapi)."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).parent / "openapi"
DOCUMENT: dict[str, Any] = json.loads((FOLDER / "api-2010-04-01.openapi.json").read_text())
FORM = "application/x-www-form-urlencoded"

formats = FormatChecker(formats=[])
formats.checks("uri")(lambda text: all(urlsplit(text)[:2]))
formats.checks("phone-number")(lambda text: re.fullmatch(r"\+[1-9]\d{1,14}", text) is not None)
formats.checks("endpoint")(lambda text: re.fullmatch(r"\+[1-9]\d{1,14}", text) is not None)
formats.checks("twiml")(lambda text: text.startswith("<") and len(text) <= 4000)
formats.checks("date-time", raises=ValueError)(
    lambda text: text.endswith("Z") and datetime.fromisoformat(text).year > 2000
)


def operation(method: str, path: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the operation that a request is for, and the values in its path."""
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        match = re.fullmatch(pattern, path)
        if match and method.lower() in operations:
            return operations[method.lower()], match.groupdict()
    raise AssertionError(f"Twilio has no {method} {path}")


def complaints(
    method: str, path: str, query: list[tuple[str, str]], form: list[tuple[str, str]]
) -> list[str]:
    """Return everything in a request that contradicts Twilio's description."""
    described, path_values = operation(method, path)
    parameters = described["parameters"]
    body = described.get("requestBody", {"content": {FORM: {"schema": {"properties": {}}}}})
    form_schema = body["content"][FORM]["schema"]
    given = {name for name, _ in form}
    return [
        *_against(_schemas(parameters, "path"), list(path_values.items())),
        *_against(_schemas(parameters, "query"), query),
        *_against(form_schema["properties"], form),
        *(f"{name} is missing" for name in form_schema.get("required", []) if name not in given),
    ]


def schema(name: str) -> dict[str, Any]:
    """Return the schema of a resource, such as `api.v2010.account.call`."""
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def example(method: str, path: str, name: str) -> dict[str, Any]:
    """Return the example answer for an operation."""
    described, _ = operation(method, path)
    content = next(iter(described["responses"].values()))["content"]["application/json"]
    value: dict[str, Any] = content["examples"][name]["value"]
    return value


def _schemas(parameters: list[dict[str, Any]], place: str) -> dict[str, Any]:
    return {
        each["name"]: each["schema"] | {"description": each.get("description", "")}
        for each in parameters
        if each["in"] == place
    }


def _against(described: dict[str, Any], given: list[tuple[str, str]]) -> list[str]:
    found = []
    for name, text in given:
        if name not in described:
            found.append(f"{name} is not described")
            continue
        repeated = [other for other, _ in given].count(name) > 1
        if repeated and described[name].get("type") != "array":
            found.append(f"{name} is given twice")
        found += _against_schema(name, described[name], text)
    return found


def _against_schema(name: str, described: dict[str, Any], text: str) -> list[str]:
    if described.get("type") == "array":
        described = described["items"] | {"description": described["description"]}
    value: object = text
    if described.get("type") == "integer" and text.isdecimal():
        value = int(text)
    if described.get("type") == "boolean" and text in {"true", "false"}:
        value = text == "true"
    validator = Draft202012Validator(
        {**described, "components": DOCUMENT["components"]}, format_checker=formats
    )
    found = [f"{name}: {error.message}" for error in validator.iter_errors(value)]
    # Some allowed values are listed only in the text: "Can be: `true` or `false`."
    listed = re.search(r"Can be:? (`[^.]*)\.", described.get("description", ""))
    if listed and text not in re.findall(r"`([^`]+)`", listed[1]):
        found.append(f"{name}: {text!r} is not one of {listed[1]}")
    return found
