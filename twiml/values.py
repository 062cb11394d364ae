"""The types of TwiML attributes: what Python sees, and the kind of value that Twilio takes.

Each allows None, which leaves the attribute out and Twilio's own default in force.
"""

from typing import Annotated, Literal

from twiml.kinds import AnyOf, Flag, OneOf, Pattern, Text, Whole

# Twilio refuses a host with an underscore (errors 21205 and 21609).
URL_FORM = r"(?![a-zA-Z]+://(?:[^/?#@]*@)?[^/?#@]*_[^/?#@]*(?:[/?#]|$))\S+"
URL_RULE = "a URL without white space, and without an underscore in its host"
URL = Pattern(URL_FORM, URL_RULE)
PHONE_NUMBER = Pattern(r"\+?[0-9(][0-9 ().-]{1,24}[0-9]", "a phone number such as +15558675310")

Anything = Annotated[str | None, Text()]
Url = Annotated[str | None, URL]
Method = Annotated[Literal["GET", "POST"] | None, OneOf("GET", "POST")]
Boolean = Annotated[bool | None, Flag()]
# 0 repeats until the call ends.
Loop = Annotated[int | None, Whole(0)]
Count = Annotated[int | None, Whole(1)]
Seconds = Annotated[int | None, Whole(1)]
Voice = Annotated[
    str | None,
    Pattern(
        r"man|woman|alice|[A-Za-z]+\.\S+",
        "man, woman, alice, or a provider's voice such as Polly.Amy",
    ),
]
Language = Annotated[
    str | None,
    Pattern("[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", "a language such as en-GB"),
]
Trim = Annotated[
    Literal["trim-silence", "do-not-trim"] | None, OneOf("trim-silence", "do-not-trim")
]
RecordingEvents = Annotated[str | None, AnyOf("in-progress", "completed", "absent")]
CallEvents = Annotated[str | None, AnyOf("initiated", "ringing", "answered", "completed")]
