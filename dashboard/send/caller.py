"""What the button says, and the line under it: which number calls, and roughly what it costs."""

from __future__ import annotations

from collections.abc import Callable

from shiny import render

from alerts import AlertRequest, Desk, UnusableInput
from alerts.cost import estimate
from alerts.message.segments import count_segments
from alerts.message.speaking_time import estimated_seconds
from alerts.phone_numbers import international, split_dialed
from dashboard.only_changes import only_changes
from dashboard.send.approvals import has_second_person
from dashboard.send.recipients import Typed
from people.names import number_of_people
from people.recipients import Recipient

# A call that repeats its message until they hang up lasts about as long as this many times.
TIMES_UNTIL_THEY_HANG_UP = 3
MOST_ESTIMATED = 200


def caller_server(
    desk: Desk,
    form: Callable[[], AlertRequest | UnusableInput],
    typed: Callable[[], Typed],
) -> None:
    """Show both; `form` and `typed` are reactive reads. For use inside a module's server."""
    services = desk.services
    number = f"From {international(services.from_number)}"

    @render.text
    def send_label() -> str:
        whom = typed()
        asks_first = len(whom.recipients) > services.max_recipients and has_second_person(desk)
        return label_for(whom, simulated=services.simulator is not None, asks_first=asks_first)

    @only_changes
    def who_calls() -> str:
        if services.simulator:
            return f"{number}, simulated: no real phone"
        request = form()
        cost = None
        if isinstance(request, AlertRequest):
            cost = cost_of(request, typed().recipients)
        return number if cost is None else f"{number} · about ${cost:.2f} a try"

    @render.text
    def caller() -> str:
        return who_calls()


def label_for(whom: Typed, *, simulated: bool, asks_first: bool) -> str:
    """Return what the button does: "Call 3 people now", or the tutorial's "Send test call".

    With `asks_first` no one is called before a second person has said yes.
    """
    if simulated and len(whom.entries) <= 1:
        return f"Send test {whom.channel}"
    verb = "Call" if whom.channel == "call" else "Text"
    people = number_of_people(len(whom.recipients))
    if asks_first:
        return f"Ask someone to approve {verb.lower()}ing {people}"
    return f"{verb} {people} now" if whom.recipients else f"{verb} now"


def cost_of(request: AlertRequest, recipients: list[Recipient]) -> float | None:
    """Estimate in US dollars what one try for all recipients costs; None if a price isn't known."""
    if not recipients or len(recipients) > MOST_ESTIMATED:
        return None
    seconds, segments = 0.0, 0
    if request.channel == "call":
        times = request.repeat or TIMES_UNTIL_THEY_HANG_UP
        seconds = estimated_seconds(request.message, request.language) * times
    else:
        segments = count_segments(request.message).count
    costs = [
        estimate(request.channel, split_dialed(each.to)[0], seconds=seconds, segments=segments)
        for each in recipients
    ]
    return None if None in costs else sum(each or 0 for each in costs)
