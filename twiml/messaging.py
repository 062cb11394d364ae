"""Message, Body and Media: a text sent in answer to one.

https://www.twilio.com/docs/messaging/twiml/message
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from twiml.container import Container, words
from twiml.element import Element
from twiml.errors import TwimlError
from twiml.kinds import Text
from twiml.values import URL, Anything, Method, Url

MAX_CHARACTERS = 1600
MAX_MEDIA = 10


@dataclass(frozen=True, repr=False)
class Body(Element):
    """The words of a message, at most 1,600 characters."""

    tag = "Body"
    content = "text"
    text: Annotated[str, Text(MAX_CHARACTERS)]


@dataclass(frozen=True, repr=False)
class Media(Element):
    """A picture or another file to send along, by its URL."""

    tag = "Media"
    content = "url"
    url: Annotated[str, URL]


@dataclass(frozen=True, repr=False)
class Message(Container):
    """A text: its words as plain text or a `Body`, and up to ten `Media`."""

    tag = "Message"
    holds = ("Body", "Media")

    to: Anything
    from_: Anything
    action: Url
    method: Method
    status_callback: Url

    def __init__(
        self,
        *children: str | Body | Media,
        to: str | None = None,
        from_: str | None = None,
        action: str | None = None,
        method: Literal["GET", "POST"] | None = None,
        status_callback: str | None = None,
    ) -> None:
        self._build(locals())

    def _check(self) -> None:
        media = [child for child in self.children if isinstance(child, Media)]
        texts = [child for child in self.children if not isinstance(child, Media)]
        if len(texts) > 1:
            raise TwimlError("Message holds its words once: as plain text or as one Body.")
        if len(media) > MAX_MEDIA:
            raise TwimlError(f"Message holds at most {MAX_MEDIA} Media.")
        text = words(tuple(texts))
        if not media and not text.strip():
            raise TwimlError("Message needs words or Media.")
        if len(text) > MAX_CHARACTERS:
            raise TwimlError(
                f"Message holds at most {MAX_CHARACTERS:,} characters, and this has {len(text):,}."
            )
