"""Hypothesis strategies for TwiML: any text, any element, any document."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

import twiml
from twiml import (
    Body,
    Break,
    Dial,
    Emphasis,
    Gather,
    Hangup,
    Lang,
    Media,
    Message,
    Number,
    P,
    Pause,
    Phoneme,
    Play,
    Prosody,
    Record,
    Redirect,
    Reject,
    Response,
    S,
    Say,
    SayAs,
    Sub,
    W,
)

# Every code point, and very often those that XML or its parsers treat specially. Not `st.text`,
# which would draw from one alphabet of all of them and so hardly ever pick the special ones.
any_text = st.lists(
    st.sampled_from("\x00\x0b\x1b\x7f\x85\r\n\t <>&\"']\ud83d\ude00\udfff\ufffe\uffff\u202e😀א")
    | st.characters(categories=None),
    max_size=20,
).map("".join)
# The same with something to speak in it, which Say requires.
spoken_text = any_text.map(lambda text: f"{text}.")
urls = st.sampled_from(
    ["https://example.com/a?b=1&c=2", "/relative", "https://u_v:w@example.com/é"]
)
numbers = st.sampled_from(["+15558675310", "(415) 555-1212"])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


whole = st.integers(1, 60)
flags = st.booleans()
methods = st.sampled_from(["GET", "POST"])

pauses = st.builds(Pause, maybe(whole))
plays = st.builds(Play, urls, loop=maybe(st.integers(0, 5)), digits=maybe(st.just("1w2#")))
leaves = st.one_of(
    any_text,
    st.builds(Break, maybe(st.just("x-strong")), maybe(st.sampled_from(["500ms", "10s", "1.5s"]))),
    st.builds(SayAs, any_text, interpret_as=maybe(st.just("digits"))),
    st.builds(Sub, any_text, alias=maybe(any_text)),
    st.builds(Phoneme, any_text, alphabet=maybe(st.just("ipa")), ph=maybe(any_text)),
)


def nested(cls: Any, inside: st.SearchStrategy[Any], **attributes: Any) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda children, given: cls(*children, **given),
        st.lists(inside, max_size=3),
        st.fixed_dictionaries({}, optional=attributes),
    )


words = leaves | nested(W, leaves, role=st.just("amazon:VB"))
phrases = words | nested(Emphasis, words, level=st.just("reduced"))
sentences = phrases | nested(S, phrases)
speech = st.recursive(
    sentences | nested(P, sentences),
    lambda inside: (
        nested(Prosody, inside, rate=st.just("80%"), volume=st.just("+6dB"))
        | nested(Lang, inside, xml_lang=st.just("fr-FR"))
    ),
    max_leaves=4,
)


@st.composite
def ssml(draw: st.DrawFn) -> Any:
    """`speech`, under a name short enough for Hypothesis to print."""
    return draw(speech)


says = st.builds(
    lambda text, more, given: Say(text, *more, **given),
    spoken_text,
    st.lists(ssml(), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "voice": st.sampled_from(["alice", "Polly.Amy"]),
            "loop": st.integers(0, 9),
            "language": st.sampled_from(["en-GB", "es-419"]),
        },
    ),
)
gathers = nested(
    Gather,
    says | plays | pauses,
    input=st.just("dtmf speech"),
    action=urls,
    speech_timeout=whole | st.just("auto"),
    num_digits=whole,
    finish_on_key=st.sampled_from(["", "#"]),
    hints=any_text,
    barge_in=flags,
)
dials = st.one_of(
    numbers.map(Dial),
    st.lists(
        st.builds(
            Number,
            numbers,
            url=maybe(urls),
            status_callback_event=maybe(st.just("ringing answered")),
        ),
        min_size=1,
        max_size=3,
    ).map(lambda given: Dial(*given, timeout=20, answer_on_bridge=True)),
)
records = st.builds(
    Record, action=maybe(urls), play_beep=maybe(flags), max_length=maybe(st.integers(2, 99))
)
redirects = st.builds(Redirect, urls, method=maybe(methods))
verbs = st.one_of(
    says,
    plays,
    pauses,
    gathers,
    dials,
    records,
    redirects,
    st.builds(Hangup),
    st.builds(Reject, maybe(st.just("busy"))),
)
messages = st.one_of(
    st.builds(Message, spoken_text, to=maybe(numbers), from_=maybe(numbers), action=maybe(urls)),
    st.builds(lambda text, url: Message(Body(text), Media(url)), any_text, urls),
)
documents = st.one_of(
    st.lists(verbs, max_size=4).map(lambda given: Response(*given)),
    st.lists(messages | redirects, max_size=3).map(lambda given: Response(*given)),
)


def evaluated(written: str) -> Any:
    """Evaluate the `repr` of an element."""
    return eval(written, {name: getattr(twiml, name) for name in twiml.__all__})  # noqa: S307
