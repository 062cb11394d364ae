"""A stand-in for Twilio: its REST API over HTTP, with people who answer, are busy or press keys.

`app.create_app()` is the whole of it, as an ASGI app; `python -m simulator` serves it alone.
`LazyApp` puts off importing it, and `handset.Handset` is a phone that a person operates. `PEOPLE`
lists who is at the other end of which number.
"""

from simulator.lazy_app import LazyApp
from simulator.models.account import SIMULATOR_ACCOUNT_SID, SIMULATOR_AUTH_TOKEN
from simulator.models.people import PEOPLE, Person, person_at
from simulator.models.phone_numbers import SIMULATOR_FROM_NUMBER, require_number

__all__ = [
    "PEOPLE",
    "SIMULATOR_ACCOUNT_SID",
    "SIMULATOR_AUTH_TOKEN",
    "SIMULATOR_FROM_NUMBER",
    "LazyApp",
    "Person",
    "person_at",
    "require_number",
]
