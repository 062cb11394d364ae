"""Whom an alert tries to reach, in which order and how."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.alert import AlertRequest, Channel


@dataclass(frozen=True, slots=True)
class Try:
    """One call or text: to whom, and how many minutes after the try before it has ended."""

    channel: Channel
    to: str
    minutes_later: float = 0


def tries_of(request: AlertRequest) -> tuple[Try, ...]:
    """Every try that the request allows; each is made only if those before reached nobody."""
    return tuple(each for to in (request.to, *request.then_to) for each in _tries_to(to, request))


def _tries_to(to: str, request: AlertRequest) -> list[Try]:
    again = Try(request.channel, to, request.minutes_between_tries)
    tries = [Try(request.channel, to), *[again] * (request.tries - 1)]
    if request.then_text and request.channel == "call":
        tries.append(Try("text", to))
    return tries
