"""Spare Shiny what it does only for OpenTelemetry, where that isn't installed.

Shiny describes each reactive value, calculation, effect, output and task of every session for
traces: it walks the call stack to learn a value's name, and reads and parses the source of each
function. That took three quarters of the time in which a page opened, and every visitor waits for
it. Shiny has no setting against it.
https://shiny.posit.co/py/docs/opentelemetry.html
"""

from __future__ import annotations

import importlib.util

from shiny.otel import _span_wrappers
from shiny.reactive import _extended_task, _reactives
from shiny.session import _session

SDK = "opentelemetry.sdk"


def skip_tracing_if_not_installed() -> None:
    """Stop describing what can't be traced; without effect if OpenTelemetry's SDK is installed.

    For the whole process. A later Shiny without these functions only gets slower.
    """
    if importlib.util.find_spec(SDK) is not None:
        return
    for module in (_reactives, _extended_task, _session, _span_wrappers):
        if hasattr(module, "extract_source_ref"):
            module.extract_source_ref = _no_source  # type: ignore[attr-defined]
        # Shiny tries to import the SDK several times in every flush, in case it has been set up
        # meanwhile.
        if hasattr(module, "is_otel_tracing_enabled"):
            module.is_otel_tracing_enabled = _no_tracing  # type: ignore[attr-defined]
    if hasattr(_reactives.Value, "_try_infer_name"):
        _reactives.Value._try_infer_name = _no_name  # type: ignore[assignment,method-assign]


def _no_source(function: object) -> dict[str, object]:
    return {}


def _no_tracing() -> bool:
    return False


def _no_name(value: object) -> None:
    return None
