"""Gather: the keys that a caller presses, or the words they say.

https://www.twilio.com/docs/voice/twiml/gather
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from twiml.container import Container
from twiml.kinds import AnyOf, Pattern, Whole
from twiml.say import Say
from twiml.values import Anything, Boolean, Count, Language, Method, Seconds, Url
from twiml.voice import Pause, Play


@dataclass(frozen=True, repr=False)
class Gather(Container):
    """Waits for keys (`input="dtmf"`, the default) or speech while its children play.

    Twilio sends what it got to `action` once `num_digits` keys or `finish_on_key` were pressed,
    or `timeout` seconds went by (`speech_timeout`, `max_speech_time`: seconds too).
    """

    tag = "Gather"
    holds = ("Say", "Play", "Pause")
    text = False

    input: Annotated[str | None, AnyOf("dtmf", "speech")]
    action: Url
    method: Method
    timeout: Seconds
    speech_timeout: Annotated[int | Literal["auto"] | None, Whole(1, words=("auto",))]
    max_speech_time: Seconds
    profanity_filter: Boolean
    finish_on_key: Annotated[str | None, Pattern("[0-9*#]?", "one key 0 to 9, * or #, or empty")]
    num_digits: Count
    partial_result_callback: Url
    partial_result_callback_method: Method
    language: Language
    hints: Anything
    barge_in: Boolean
    debug: Boolean
    action_on_empty_result: Boolean
    speech_model: Annotated[str | None, Pattern(r"\S+", "a model such as phone_call")]
    enhanced: Boolean

    def __init__(
        self,
        *children: Say | Play | Pause,
        input: str | None = None,
        action: str | None = None,
        method: Literal["GET", "POST"] | None = None,
        timeout: int | None = None,
        speech_timeout: int | Literal["auto"] | None = None,
        max_speech_time: int | None = None,
        profanity_filter: bool | None = None,
        finish_on_key: str | None = None,
        num_digits: int | None = None,
        partial_result_callback: str | None = None,
        partial_result_callback_method: Literal["GET", "POST"] | None = None,
        language: str | None = None,
        hints: str | None = None,
        barge_in: bool | None = None,
        debug: bool | None = None,
        action_on_empty_result: bool | None = None,
        speech_model: str | None = None,
        enhanced: bool | None = None,
    ) -> None:
        self._build(locals())
