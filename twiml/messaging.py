"""Message, Body and Media: a text in reply to a text.

https://www.twilio.com/docs/messaging/twiml/message
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from twiml.element import URL, AnyText, Container, Element, Method, Text, TwimlError, Url, text_of

MAX_BODY_CHARACTERS = 1600
MAX_MEDIA = 10


@dataclass(frozen=True, repr=False)
class Body(Element):
    """The words of a message: at most 1,600 characters."""

    tag = "Body"
    content = "text"
    text: Annotated[str, Text(MAX_BODY_CHARACTERS)]


@dataclass(frozen=True, repr=False)
class Media(Element):
    """A picture or other file to attach, by its URL."""

    tag = "Media"
    content = "url"
    url: Annotated[str, URL]


@dataclass(frozen=True, repr=False)
class Message(Container):
    """Send a text: its words, as plain text or one `Body`, and up to ten `Media`."""

    tag = "Message"
    child_tags = ("Body", "Media")

    to: AnyText
    from_: AnyText
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
            raise TwimlError("Message takes its words once: as plain text or as one Body.")
        if len(media) > MAX_MEDIA:
            raise TwimlError(f"Message takes at most {MAX_MEDIA} Media.")
        text = text_of(tuple(texts))
        if not media and not text.strip():
            raise TwimlError("Message needs words or Media.")
        if len(text) > MAX_BODY_CHARACTERS:
            raise TwimlError(
                f"Message takes at most {MAX_BODY_CHARACTERS:,} characters; this has {len(text):,}."
            )
