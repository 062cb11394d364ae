"""TwiML: the documents that Twilio speaks from. Verbs in, XML out; it needs nothing else here.

    Response(Say("Hello", voice="alice", loop=3), Gather(Say("Press 1"), num_digits=1)).to_xml()

Elements are frozen, equal by value, and checked against Twilio's limits when they are built.
https://www.twilio.com/docs/voice/twiml
"""

from twiml.dial import Dial, Number
from twiml.errors import TwimlError
from twiml.gather import Gather
from twiml.messaging import Body, Media, Message
from twiml.response import Response
from twiml.say import Say
from twiml.ssml import Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W
from twiml.voice import Hangup, Pause, Play, Record, Redirect, Reject

__all__ = [
    "Body",
    "Break",
    "Dial",
    "Emphasis",
    "Gather",
    "Hangup",
    "Lang",
    "Media",
    "Message",
    "Number",
    "P",
    "Pause",
    "Phoneme",
    "Play",
    "Prosody",
    "Record",
    "Redirect",
    "Reject",
    "Response",
    "S",
    "Say",
    "SayAs",
    "Sub",
    "TwimlError",
    "W",
]
