"""What to do if nobody answers: read from the form, and summed up in a line."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from shiny import Inputs

from alerts import AlertRequest
from dashboard.reaching_form import NIGHT


def with_reaching(request: AlertRequest, input: Inputs) -> AlertRequest:
    """The request with what the form says; what only a call can do is off for a text."""
    is_call = request.channel == "call"
    minutes = input.minutes_between_tries()
    return replace(
        request,
        acknowledge=is_call and input.acknowledge(),
        voicemail=input.voicemail().strip() if is_call else "",
        tries=int(input.tries()),
        # Of an empty field composing says what belongs there.
        minutes_between_tries=math.nan if minutes is None else float(minutes),
        then_text=is_call and input.then_text(),
        then_to=numbers_in(input.then_to()),
        quiet_hours=NIGHT if input.quiet_hours() else "",
    )


def numbers_in(text: str) -> tuple[str, ...]:
    """Numbers one on a line, or between commas."""
    return tuple(number.strip() for number in re.split(r"[\n,;]", text) if number.strip())


def summary(request: AlertRequest) -> str:
    """What is on, such as "Asks to press 1 · 3 tries, 5 minutes apart · then a text"."""
    others = len(request.then_to)
    parts = [
        ("asks to press 1", request.acknowledge),
        (_tries(request), request.tries > 1),
        ("short message on voicemail", request.voicemail),
        ("then a text", request.then_text),
        ("then 1 more person" if others == 1 else f"then {others} more people", others),
        ("not at night", request.quiet_hours),
    ]
    words = " · ".join(words for words, is_on in parts if is_on) or "one try, nothing more"
    return words[0].upper() + words[1:]


def _tries(request: AlertRequest) -> str:
    minutes = request.minutes_between_tries
    if math.isnan(minutes) or minutes == 0:
        return f"{request.tries} tries"
    apart = "1 minute" if minutes == 1 else f"{minutes:g} minutes"
    return f"{request.tries} tries, {apart} apart"
