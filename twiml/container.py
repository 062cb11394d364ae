"""Elements that hold other elements."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from twiml.characters import clean
from twiml.element import Element, shown
from twiml.errors import TwimlError

# Far deeper than any document means; Python's own limit would end in a RecursionError.
MAX_DEPTH = 32
TOO_DEEP = f"TwiML elements nest at most {MAX_DEPTH} deep."


@dataclass(frozen=True, repr=False)
class Container(Element):
    """An element that holds children: elements of the tags in `holds`, and text if `text` is set.

    `speech` marks elements whose inside is spoken: there, white space counts.
    """

    content: ClassVar[str] = "children"
    holds: ClassVar[tuple[str, ...]] = ()
    text: ClassVar[bool] = True
    speech: ClassVar[bool] = False

    children: tuple[Element | str, ...]

    def _build(self, given: dict[str, Any]) -> None:
        """Fill the fields from an `__init__`'s `locals()`, and check them.

        A generated `__init__` cannot take children as `*children`, so each container writes its
        own, and hands over its `locals()` rather than name every attribute once more.
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
        """Refuse what no single attribute or child shows; for subclasses."""

    def _refuse_misplaced(self, child: object) -> None:
        """Raise TwimlError unless `child` may stand in this element."""
        if isinstance(child, str):
            if not self.text and child.strip():
                raise TwimlError(
                    f"{self.tag} holds {listed(self.holds)}, not the text {shown(child)}."
                )
        elif not isinstance(child, Element):
            raise TwimlError(
                f"{self.tag} holds TwiML elements and text, not {type(child).__name__}."
            )
        elif child.tag not in self.holds:
            what = listed(self.holds) + (" and text" if self.text else "")
            raise TwimlError(f"{self.tag} cannot hold {child.tag}; it holds {what}.")
        elif isinstance(child, Container) and child.depth >= MAX_DEPTH:
            raise TwimlError(TOO_DEEP)

    def _joined(self) -> Iterator[Element | str]:
        """The children, with neighbouring texts as one, as an XML parser would give them back."""
        text = ""
        for child in self.children:
            if isinstance(child, str):
                text += clean(child)
                continue
            if text and (self.speech or text.strip()):
                yield text
            text = ""
            yield child
        if text and (self.speech or text.strip()):
            yield text

    @property
    def depth(self) -> int:
        """How many elements stand inside one another here, this one included."""
        below = (c.depth for c in self.children if isinstance(c, Container))
        return 1 + max(below, default=0)

    @property
    def inner(self) -> tuple[Element | str, ...]:
        return self.children


def words(parts: tuple[Element | str, ...]) -> str:
    """All the text in `parts` and inside them, without tags."""
    return "".join(part if isinstance(part, str) else words(part.inner) for part in parts)


def listed(names: tuple[str, ...]) -> str:
    """Names as a sentence lists them: "Say, Play and Pause"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
