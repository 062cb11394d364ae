"""Reading XML from anywhere is safe, and what is not TwiML is refused in one clear sentence."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twiml import Gather, Hangup, Lang, Play, Record, Response, Say, SayAs, TwimlError

BOMB = """<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<Response><Say>&d;</Say></Response>"""
FILE = """<!DOCTYPE r [<!ENTITY file SYSTEM "file:///etc/passwd">]>
<Response><Say>&file;</Say></Response>"""


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (BOMB, "no DTD and no entities"),
        (FILE, "no DTD and no entities"),
        ('<!DOCTYPE Response SYSTEM "http://example.com/x.dtd"><Response/>', "no DTD"),
        ("", "not well-formed"),
        ("Hello", "not well-formed"),
        ("<Response>", "not well-formed"),
        ("<Response><Say>a\x00b</Say></Response>", "not well-formed"),
        ("<Response><Say>\ud83d</Say></Response>", "not well-formed"),
        (b"<Response><Say>\xff\xfe</Say></Response>", "not well-formed"),
        (b'<?xml version="1.0" encoding="klingon"?><Response/>', "not well-formed"),
        (b'<?xml version="1.0" encoding="shift_jis"?><Response/>', "not well-formed"),
        ("<Say>Hello</Say>", "A TwiML document is a Response, not Say"),
        ("<Response><Shout>Hi</Shout></Response>", "'Shout' is not a TwiML element"),
        ("<response/>", "'response' is not"),
        ('<Response><Say voise="alice">Hi</Say></Response>', "Say has no attribute 'voise'"),
        ('<Response><Say loop="many">Hi</Say></Response>', "Say loop must be a whole number"),
        ('<Response><Say loop="٣">Hi</Say></Response>', "Say loop must be a whole number"),
        (f'<Response><Say loop="{"9" * 5000}">Hi</Say></Response>', "Say loop must be"),
        ("<Response><Gather><Gather/></Gather></Response>", "Gather cannot contain Gather"),
        ("<Response>Hi</Response>", "not the text 'Hi'"),
        ("<Response><Hangup>Hi</Hangup></Response>", "Hangup cannot contain text"),
        ("<Response><Play><Say>Hi</Say></Play></Response>", "Play cannot contain 'Say'"),
        ("<Response><Redirect/></Response>", "url of Redirect"),
        (f"<Response><Say>{'<prosody>' * 3000}x{'</prosody>' * 3000}</Say></Response>", "32 deep"),
        ("<Response>" + " " * 70_000 + "</Response>", "65,536 bytes"),
    ],
)
def test_refused_in_one_sentence(xml, words):
    with pytest.raises(TwimlError, match=r"^[^\n]+\.$") as raised:
        Response.parse(xml)
    assert words in str(raised.value)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_any_input_is_read_or_refused(xml):
    with suppress(TwimlError):
        assert isinstance(Response.parse(xml), Response)


def test_xml_from_other_programs_is_read():
    written = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
    <!-- the menu -->
    <Response>
        <Say voice='alice' loop='0'>Caf\xe9<!-- hm --> &#233;<![CDATA[ <&> ]]></Say>
        <Play> https://example.com/a.mp3
        </Play>
        <Record playBeep="false"/>
        <Gather numDigits="1" finishOnKey="" bargeIn="true"></Gather>
        <Say><lang xml:lang="fr-FR">Bonjour</lang> <say-as interpret-as="date">2</say-as></Say>
        <Hangup> </Hangup>
    </Response>"""
    assert Response.parse(written) == Response(
        Say("Café é <&> ", voice="alice", loop=0),
        Play("https://example.com/a.mp3"),
        Record(play_beep=False),
        Gather(num_digits=1, finish_on_key="", barge_in=True),
        Say(Lang("Bonjour", xml_lang="fr-FR"), " ", SayAs("2", interpret_as="date")),
        Hangup(),
    )
