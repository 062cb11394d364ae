"""TwiML: the documents that tell Twilio what to say and do. Verbs in, XML out.

    Response(Say("Hello", voice="alice", loop=3), Gather(Say("Press 1"), num_digits=1)).to_xml()

Elements are frozen, equal by value, and checked against Twilio's limits when they are built. The
package depends on nothing else in this repository.
https://www.twilio.com/docs/voice/twiml
"""

from twiml.element import TwimlError
from twiml.messaging import Body, Media, Message
from twiml.response import Response
from twiml.ssml import Break, Emphasis, Lang, P, Phoneme, Prosody, S, SayAs, Sub, W
from twiml.voice import Dial, Gather, Hangup, Number, Pause, Play, Record, Redirect, Reject, Say

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
