"""Which characters a TwiML document can hold.

XML 1.0 has no way to write control characters, lone surrogates, U+FFFE and U+FFFF, escaped or
not: a document with one of them is no XML, and Twilio rejects all of it (error 12100).
https://www.w3.org/TR/xml/#charsets
"""

import re

NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LINE_END = re.compile("\r\n?")


def clean(text: str) -> str:
    """`text` without what XML cannot hold, and with every line ending as `\\n`.

    Elements clean their text when they are built, not when they are written: what a program reads
    back from an element is then what Twilio gets. Line endings change because every XML parser
    reads `\\r\\n` and `\\r` as `\\n`.
    """
    if text.isprintable():  # most messages: far quicker than the search below
        return text
    return NOT_XML.sub("", LINE_END.sub("\n", text))
