"""A stand-in for Twilio: its REST API over HTTP, with people who answer, are busy or press keys.

`create_app()` is the whole of it, as an ASGI app; `python -m simulator` serves it alone.
`PEOPLE` lists who is at the other end of which number.
"""

from simulator.api.authentication import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from simulator.app import create_app
from simulator.exchange import Exchange
from simulator.handset import Handset, HandsetState
from simulator.models.people import PEOPLE, Person, person_at
from simulator.models.phone_numbers import SIMULATOR_FROM_NUMBER

__all__ = [
    "PEOPLE",
    "SIMULATOR_ACCOUNT_SID",
    "SIMULATOR_AUTH_TOKEN",
    "SIMULATOR_FROM_NUMBER",
    "Exchange",
    "Handset",
    "HandsetState",
    "Person",
    "create_app",
    "person_at",
]
