"""What every TwiML element is: a frozen dataclass that is checked as it is built."""

import re
from typing import Any, ClassVar

from twiml.characters import clean
from twiml.errors import TwimlError
from twiml.kinds import LARGEST, Kind

# Python's names for attributes whose XML name is not simply their camelCase.
XML_NAMES = {"from_": "from", "interpret_as": "interpret-as", "xml_lang": "xml:lang"}

# The user and password of a URL, which no error message may show.
CREDENTIALS = re.compile(r"//[^/\s]*@")

# Every element there is, by its tag.
ELEMENTS: dict[str, type["Element"]] = {}


class Element:
    """A TwiML element.

    A subclass is a frozen dataclass. Its fields annotated with a `Kind` are its attributes, bar
    the one named by `content`, which stands between the tags. https://www.twilio.com/docs/voice/twiml
    """

    tag: ClassVar[str]
    content: ClassVar[str] = ""
    kinds: ClassVar[dict[str, Kind]]
    attribute_names: ClassVar[dict[str, str]]

    def __init_subclass__(cls) -> None:
        if "tag" not in vars(cls):
            return
        ELEMENTS[cls.tag] = cls
        annotations = cls.__annotations__.items()
        cls.kinds = {n: a.__metadata__[0] for n, a in annotations if hasattr(a, "__metadata__")}
        cls.attribute_names = {n: xml_name(n) for n in cls.kinds if n != cls.content}

    def __post_init__(self) -> None:
        fields = vars(self)
        for name, kind in self.kinds.items():
            value = fields[name]
            if value is None and name != self.content:
                continue
            if isinstance(value, str):
                # The one way to finish a frozen dataclass: nobody else has seen it yet.
                fields[name] = value = clean(value)
            if not kind.allows(value):
                raise TwimlError(f"{self.name_of(name)} must be {kind.rule}, not {shown(value)}.")

    def name_of(self, field: str) -> str:
        """What people call a field of this element: "Say loop", "The url of Play"."""
        attribute = self.attribute_names.get(field)
        return f"{self.tag} {attribute}" if attribute else f"The {field} of {self.tag}"

    @property
    def inner(self) -> tuple["Element | str", ...]:
        """What stands between the tags, in order."""
        return (vars(self)[self.content],) if self.content else ()

    @property
    def attributes(self) -> tuple[tuple[str, Any], ...]:
        """The attributes that were given, each with its name in XML, in the order of the fields."""
        fields = vars(self)
        return tuple(
            (xml, fields[name])
            for name, xml in self.attribute_names.items()
            if fields[name] is not None
        )

    def __repr__(self) -> str:
        inside = [repr(part) for part in self.inner]
        given = [f"{n}={v!r}" for n in self.attribute_names if (v := vars(self)[n]) is not None]
        return f"{type(self).__name__}({', '.join(inside + given)})"


def xml_name(name: str) -> str:
    """An attribute's name in XML: `num_digits` is `numDigits`."""
    first, *rest = name.split("_")
    return XML_NAMES.get(name, first + "".join(map(str.capitalize, rest)))


def shown(value: object) -> str:
    """`value` for an error message, short enough to read."""
    if isinstance(value, int) and abs(value) > LARGEST:  # Python may refuse to write it out
        return "a number that large"
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    text = CREDENTIALS.sub("//…@", text)
    return text if len(text) <= 60 else f"{text[:59]}…"
