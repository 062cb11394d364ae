"""Say: words that Twilio speaks. https://www.twilio.com/docs/voice/twiml/say"""

from dataclasses import dataclass

from twiml.container import Container, words
from twiml.errors import TwimlError
from twiml.ssml import SENTENCES, Ssml
from twiml.values import Language, Loop, Voice

# In characters, tags not counted. https://www.twilio.com/docs/api/errors/13521
MAX_CHARACTERS = 4096
MAX_POLLY_CHARACTERS = 3000


@dataclass(frozen=True, repr=False)
class Say(Container):
    """Text to speak, with SSML elements among it where a voice needs help.

    `loop` is how often (0: until the call ends). At most 4,096 characters, 3,000 with a Polly
    voice; one that says nothing is refused, as Twilio does (13520).
    """

    tag = "Say"
    holds = SENTENCES
    speech = True

    voice: Voice
    language: Language
    loop: Loop

    def __init__(
        self,
        *children: str | Ssml,
        voice: str | None = None,
        language: str | None = None,
        loop: int | None = None,
    ) -> None:
        self._build(locals())

    def _check(self) -> None:
        spoken = words(self.children)
        if not spoken.strip():
            raise TwimlError("Say needs words to speak.")
        polly = self.voice is not None and self.voice.startswith("Polly.")
        most = MAX_POLLY_CHARACTERS if polly else MAX_CHARACTERS
        if len(spoken) > most:
            whose = " with a Polly voice" if polly else ""
            raise TwimlError(
                f"Say holds at most {most:,} characters{whose}, and this has {len(spoken):,}."
            )
