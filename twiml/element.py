"""What every TwiML element is: a frozen dataclass that is checked when it is built.

TwimlError
Element             a tag with attributes, and at most one text between its tags
└── Container       a tag that contains other elements, and perhaps text

An attribute is annotated with what Python sees and a `ValueType`, which says what Twilio accepts:

    loop: Annotated[int | None, WholeNumber(0)]

`render` writes elements as XML. xmltodict, which it uses, groups equal tags and so would lose the
order of Say, Pause, Say: it therefore gets one start tag at a time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Protocol
from xml.sax.saxutils import escape

import xmltodict

# Larger than any number Twilio accepts, and short enough that reading it takes no time.
LARGEST_NUMBER = 999_999_999


class TwimlError(ValueError):
    """Twilio would refuse this document, or it is not TwiML. The message is one sentence."""


# --- Attributes ---------------------------------------------------------------------------------


class ValueType(Protocol):
    """What one attribute accepts."""

    @property
    def rule(self) -> str:
        """What a value must be, in words that follow "must be"."""

    def allows(self, value: object) -> bool:
        """Return whether Twilio accepts `value`."""

    def read(self, text: str) -> object:
        """Return the value that `text` stands for in XML, or `text` itself if it is not one."""


@dataclass(frozen=True)
class WholeNumber:
    """A whole number, or one of `words` instead."""

    minimum: int
    maximum: int = LARGEST_NUMBER
    words: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        most = "or more" if self.maximum == LARGEST_NUMBER else f"to {self.maximum}"
        return " or ".join((f"a whole number ({self.minimum} {most})", *self.words))

    def allows(self, value: object) -> bool:
        if isinstance(value, str):
            return value in self.words
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return self.minimum <= value <= self.maximum

    def read(self, text: str) -> object:
        return int(text) if re.fullmatch("[0-9]{1,9}", text) else text


@dataclass(frozen=True)
class Flag:
    """True or False."""

    rule: str = "True or False"

    def allows(self, value: object) -> bool:
        return isinstance(value, bool)

    def read(self, text: str) -> object:
        return {"true": True, "false": False}.get(text, text)


class OneOf:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.rule = f"one of {', '.join(words)}"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value in self.words

    def read(self, text: str) -> object:
        return text


class AnyOf(OneOf):
    """One or more of a few words, separated by spaces."""

    def __init__(self, *words: str) -> None:
        super().__init__(*words)
        self.rule = f"one or more of {', '.join(words)}, separated by spaces"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and value != "" and set(value.split(" ")) <= set(self.words)


@dataclass(frozen=True)
class Text:
    """Any text, or any up to `maximum` characters long."""

    maximum: int | None = None

    @property
    def rule(self) -> str:
        return "text" if self.maximum is None else f"text of at most {self.maximum:,} characters"

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and (self.maximum is None or len(value) <= self.maximum)

    def read(self, text: str) -> object:
        return text


class Pattern:
    """Text that matches a regular expression; `rule` says so in words."""

    def __init__(self, expression: str, rule: str) -> None:
        self.matches = re.compile(expression).fullmatch
        self.rule = rule

    def allows(self, value: object) -> bool:
        return isinstance(value, str) and self.matches(value) is not None

    def read(self, text: str) -> object:
        return text.strip()


# Twilio refuses a host with an underscore (errors 21205 and 21609).
URL_EXPRESSION = r"(?![a-zA-Z]+://(?:[^/?#@]*@)?[^/?#@]*_[^/?#@]*(?:[/?#]|$))\S+"
URL_RULE = "a URL without white space, and without an underscore in its host"
URL = Pattern(URL_EXPRESSION, URL_RULE)
PHONE_NUMBER = Pattern(r"\+?[0-9(][0-9 ().-]{1,24}[0-9]", "a phone number such as +15558675310")

# Shared by several verbs. Each allows None, which leaves the attribute out of the XML and Twilio's
# default in force.
AnyText = Annotated[str | None, Text()]
Url = Annotated[str | None, URL]
Method = Annotated[Literal["GET", "POST"] | None, OneOf("GET", "POST")]
Boolean = Annotated[bool | None, Flag()]
Seconds = Annotated[int | None, WholeNumber(1)]
Language = Annotated[
    str | None,
    Pattern("[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", "a language such as en-GB"),
]


# --- Elements -----------------------------------------------------------------------------------

# XML 1.0 cannot express control characters, lone surrogates, U+FFFE and U+FFFF, escaped or not.
# Twilio rejects a document that has one (error 12100). https://www.w3.org/TR/xml/#charsets
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LINE_END = re.compile("\r\n?")

# Python's names for attributes whose XML name is not simply their camelCase.
XML_NAMES = {"from_": "from", "interpret_as": "interpret-as", "xml_lang": "xml:lang"}

# The user and password of a URL, which no error message may show.
CREDENTIALS = re.compile(r"//[^/\s]*@")

# Far deeper than any real document. Without a limit, Python would raise a RecursionError.
MAX_DEPTH = 32
TOO_DEEP = f"TwiML elements nest at most {MAX_DEPTH} deep."

# Every element class by its tag.
ELEMENTS: dict[str, type["Element"]] = {}


class Element:
    """A TwiML element.

    A subclass is a frozen dataclass. Its fields annotated with a `ValueType` are its attributes,
    except the one named by `content`, which is the text between the tags.
    https://www.twilio.com/docs/voice/twiml
    """

    tag: ClassVar[str]
    content: ClassVar[str] = ""
    value_types: ClassVar[dict[str, ValueType]]
    attribute_names: ClassVar[dict[str, str]]

    def __init_subclass__(cls) -> None:
        if "tag" not in vars(cls):
            return
        ELEMENTS[cls.tag] = cls
        annotated = cls.__annotations__.items()
        cls.value_types = {n: a.__metadata__[0] for n, a in annotated if hasattr(a, "__metadata__")}
        cls.attribute_names = {n: xml_name(n) for n in cls.value_types if n != cls.content}

    def __post_init__(self) -> None:
        fields = vars(self)
        for name, value_type in self.value_types.items():
            value = fields[name]
            if value is None and name != self.content:
                continue
            if isinstance(value, str):
                # Going through vars() is the only way to complete a frozen dataclass.
                fields[name] = value = clean(value)
            if not value_type.allows(value):
                raise TwimlError(
                    f"{self.name_of(name)} must be {value_type.rule}, not {shown(value)}."
                )

    def name_of(self, field: str) -> str:
        """Return what people call a field of this element: "Say loop", "The url of Play"."""
        attribute = self.attribute_names.get(field)
        return f"{self.tag} {attribute}" if attribute else f"The {field} of {self.tag}"

    @property
    def inner(self) -> tuple["Element | str", ...]:
        """What is between the tags, in order."""
        return (vars(self)[self.content],) if self.content else ()

    @property
    def attributes(self) -> tuple[tuple[str, Any], ...]:
        """The attributes that are not None, by their XML names, in the order of the fields."""
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


@dataclass(frozen=True, repr=False)
class Container(Element):
    """An element with children: elements whose tag is in `child_tags`, and text if `allows_text`.

    Set `is_speech` on elements whose content is spoken: there, white space counts.
    """

    content: ClassVar[str] = "children"
    child_tags: ClassVar[tuple[str, ...]] = ()
    allows_text: ClassVar[bool] = True
    is_speech: ClassVar[bool] = False

    children: tuple[Element | str, ...]

    def _build(self, given: dict[str, Any]) -> None:
        """Set the fields from the `locals()` of a subclass's `__init__`, and check them.

        A generated `__init__` cannot take `*children`, so each container writes its own and passes
        its `locals()`, which saves naming every attribute a third time.
        """
        del given["self"]
        fields = vars(self)
        fields.update(given)
        self.__post_init__()
        for child in self.children:
            self._refuse_misplaced(child)
        fields["children"] = tuple(self._joined())
        self._check()

    def _check(self) -> None:
        """Check the rules that involve several attributes or children. Subclasses override it."""

    def _refuse_misplaced(self, child: object) -> None:
        """Raise TwimlError unless this element may contain `child`."""
        if isinstance(child, str):
            if not self.allows_text and child.strip():
                raise TwimlError(
                    f"{self.tag} takes {listed(self.child_tags)}, not the text {shown(child)}."
                )
        elif not isinstance(child, Element):
            raise TwimlError(
                f"{self.tag} takes TwiML elements and text, not {type(child).__name__}."
            )
        elif child.tag not in self.child_tags:
            allowed = listed(self.child_tags) + (" and text" if self.allows_text else "")
            raise TwimlError(f"{self.tag} cannot contain {child.tag}, only {allowed}.")
        elif isinstance(child, Container) and child.depth >= MAX_DEPTH:
            raise TwimlError(TOO_DEEP)

    def _joined(self) -> Iterator[Element | str]:
        """Yield the children, adjacent texts joined, as an XML parser would return them."""
        text = ""
        for child in self.children:
            if isinstance(child, str):
                text += clean(child)
                continue
            if text and (self.is_speech or text.strip()):
                yield text
            text = ""
            yield child
        if text and (self.is_speech or text.strip()):
            yield text

    @property
    def depth(self) -> int:
        """How many levels of elements there are, counting this one."""
        below = (c.depth for c in self.children if isinstance(c, Container))
        return 1 + max(below, default=0)

    @property
    def inner(self) -> tuple[Element | str, ...]:
        return self.children


def clean(text: str) -> str:
    """Return `text` without the characters XML cannot express, every line ending as `\\n`.

    Elements clean their text when they are built, so that reading an attribute back shows what
    Twilio gets. Line endings change because every XML parser turns `\\r\\n` and `\\r` into `\\n`.
    """
    if text.isprintable():  # True for most messages, and much faster than the search below.
        return text
    return LINE_END.sub("\n", NOT_XML.sub("", text))


def xml_name(name: str) -> str:
    """Return an attribute's name in XML: `num_digits` is `numDigits`."""
    first, *rest = name.split("_")
    return XML_NAMES.get(name, first + "".join(map(str.capitalize, rest)))


def text_of(parts: tuple[Element | str, ...]) -> str:
    """Return all the text in `parts` and in the elements among them, without tags."""
    return "".join(part if isinstance(part, str) else text_of(part.inner) for part in parts)


def shown(value: object) -> str:
    """Return `value` as an error message shows it: short, and without a URL's password."""
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:  # Python may refuse to print it.
        return "a number that large"
    text = repr(value) if isinstance(value, str | int | float) else type(value).__name__
    text = CREDENTIALS.sub("//…@", text)
    return text if len(text) <= 60 else f"{text[:59]}…"


def listed(names: tuple[str, ...]) -> str:
    """Return names as a sentence lists them: "Say, Play and Pause"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def render(element: Element, newline: str = "") -> str:
    """Return `element` as XML.

    `newline` goes before each nested verb: nothing, or a line break and the indentation of
    `element`. Speech is never broken into lines, because Twilio would speak or send the spaces.
    """
    start = _start_tag(element.tag, element.attributes)
    if not element.inner:
        return f"{start}/>"
    indented = newline and f"{newline}  " if _may_be_indented(element) else ""
    inner = "".join(
        indented + (escape(part) if isinstance(part, str) else render(part, indented))
        for part in element.inner
    )
    return f"{start}>{inner}{newline if indented else ''}</{element.tag}>"


# Cached, because a broadcast writes the same few tags thousands of times.
@lru_cache(maxsize=256)
def _start_tag(tag: str, attributes: tuple[tuple[str, Any], ...]) -> str:
    """Return the start tag without its final `>`."""
    named = {f"@{name}": value for name, value in attributes}
    return xmltodict.unparse({tag: named}, full_document=False, short_empty_elements=True)[:-2]


def _may_be_indented(element: Element) -> bool:
    if not isinstance(element, Container) or element.is_speech:
        return False
    return all(isinstance(child, Element) for child in element.children)
