"""What they will hear or read: the message as it will be sent, beside the form it is written in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from htmltools import Tag, TagList, tags
from shiny import Inputs, Outputs, reactive, render, req, ui
from shiny.module import resolve_id

from alerts import AlertRequest, UnusableInput
from alerts.message.compose import variables_of, words_of_text, write_message
from alerts.message.languages import key_press_words
from alerts.message.segments import character_name, count_segments, in_words, savings
from alerts.message.speaking_time import estimated_seconds
from dashboard.fields import NO_FEEDBACK, feedback, unannounced
from dashboard.only_changes import only_changes
from dashboard.page_parts import icon
from dashboard.send.form import for_channel, repeats_to_choose
from dashboard.send.recipients import Typed
from people.recipients import Recipient

if TYPE_CHECKING:
    from twiml import Response

# How old the time that replaces `{{ now }}` may get before it is read again.
MAX_NOW_AGE_SECONDS = 20
MAX_CHARACTERS_NAMED = 5
MOST_HEARERS = 100
# Stands for a recipient's name while the To field is empty.
ANYBODY = "Ben"
# Private-use characters that mark what was filled in while the words are made.
MARKS = "\ue000", "\ue001"
FILLED_IN = re.compile(f"{MARKS[0]}(.*?){MARKS[1]}", re.DOTALL)


def preview_ui() -> Tag:
    """Return the card: the words of a call or text, their length, and a call's TwiML."""
    listen = tags.button(
        icon("play"),
        tags.span("Listen", class_="listen-label"),
        type="button",
        class_="cb-button low listen for-call",
        data_listen=resolve_id("twiml_preview"),
    )
    heading = tags.h2(
        for_channel("call", "What they will hear"), for_channel("text", "What they will read")
    )
    return tags.section(
        tags.div(heading, listen, class_="card-heading"),
        unannounced(ui.output_ui("words", class_="preview-words")),
        tags.div(
            unannounced(ui.output_text("length", inline=True)),
            ui.output_ui("hearers", inline=True),
            class_="hear-line",
        ),
        tags.details(
            tags.summary(
                tags.span("TwiML", class_="cb-strong"),
                tags.span("what Twilio gets", class_="cb-quiet"),
            ),
            tags.div(
                unannounced(ui.output_code("twiml_preview")),
                class_="twiml",
                role="region",
                aria_label="TwiML document",
                tabindex="0",
            ),
            class_="for-call",
        ),
        class_="cb-card hear",
    )


def preview_server(
    input: Inputs,
    output: Outputs,
    form: Callable[[], AlertRequest | UnusableInput],
    typed: Callable[[], Typed],
) -> None:
    """Write the message and its TwiML while the form changes, and say what is wrong with them.

    `form` is a reactive read of the request, or of why there is none; `typed` of whom it is for.
    For use inside a module's server.
    """

    @reactive.calc
    def hearer() -> Recipient:
        recipients = typed().recipients
        chosen = input.heard_by() if input.heard_by.is_set() else ""
        named = next((each for each in recipients if _key(each) == chosen), None)
        return named or (recipients[0] if recipients else Recipient(0, "", ANYBODY))

    @reactive.calc
    def request() -> AlertRequest | UnusableInput:
        written = form()
        if isinstance(written, UnusableInput) or "{" not in written.message:
            return written  # and needn't be written again for each name
        return replace(written, name=hearer().name, variables=hearer().variables)

    @reactive.calc
    def message() -> str | UnusableInput:
        written = request()
        if isinstance(written, UnusableInput):
            return written
        if "{{" in written.message:
            reactive.invalidate_later(MAX_NOW_AGE_SECONDS)
        try:
            is_text = written.channel == "text"
            return words_of_text(written, datetime.now(UTC)) if is_text else write_message(written)
        except UnusableInput as problem:
            return problem

    @reactive.calc
    def document() -> Response | UnusableInput:
        # Imported here because it loads twiml, which the first page doesn't wait for.
        from alerts.message.call_twiml import check_call, write_document  # noqa: PLC0415

        written, words = request(), message()
        if isinstance(written, UnusableInput):
            return written
        if isinstance(words, UnusableInput):
            return words
        try:
            check_call(written, words)
            return write_document(written, words)
        except UnusableInput as problem:
            return problem

    @only_changes
    def message_feedback() -> Tag | TagList:
        asked = request()
        is_text = isinstance(asked, AlertRequest) and asked.channel == "text"
        written = message() if is_text else document()
        # A voice that doesn't speak the language is about to be replaced, so don't report that.
        if isinstance(written, UnusableInput) and written.field == "message":
            if isinstance(asked, AlertRequest) and not asked.message.strip():
                return NO_FEEDBACK  # nothing is wrong yet
            return feedback("bad", str(written))
        if isinstance(written, str):
            return segments_feedback(written)
        return NO_FEEDBACK

    @render.ui
    def message_feedback_line() -> Tag | TagList:
        return message_feedback()

    # Keep it running while the disclosure around it is closed, because Listen speaks its content.
    @output(suspend_when_hidden=False)
    @render.text
    def twiml_preview() -> str:
        written = document()
        req(not isinstance(written, UnusableInput))
        return "" if isinstance(written, UnusableInput) else written.to_xml(indent=True)

    @render.ui
    def words() -> Tag:
        asked, written = request(), message()
        if isinstance(asked, UnusableInput) or isinstance(written, UnusableInput):
            return tags.span("The words appear here once there are some.", class_="cb-quiet")
        return tags.span(*shown_words(asked, written))

    duration = only_changes(lambda: length_of(request(), document()))

    @render.text
    def length() -> str:
        return duration()

    @render.ui
    def hearers() -> Tag | None:
        return choice_of_hearers(typed().recipients)


def choice_of_hearers(recipients: Sequence[Recipient]) -> Tag | None:
    """Return a choice of recipients with a name or words of their own; None for only one."""
    choices = {
        _key(each): each.label for each in recipients[:MOST_HEARERS] if each.name or each.variables
    }
    if len(choices) < 2:
        return None
    label = TagList(for_channel("call", "As heard by"), for_channel("text", "As read by"))
    return tags.span(ui.input_select("heard_by", label, choices), class_="ghost")


def _key(recipient: Recipient) -> str:
    """Return a unique key: two rows may share a number, two members of a group a part."""
    return f"{recipient.part} {recipient.to}"


def length_of(request: AlertRequest | UnusableInput, document: Response | UnusableInput) -> str:
    """Say how long the words of a call take, "" if there are none."""
    if isinstance(request, UnusableInput) or isinstance(document, UnusableInput):
        return ""
    if request.channel == "text":
        return ""
    seconds = max(1, round(estimated_seconds(spoken_words(document), request.language)))
    return f"About {seconds} s, said {repeats_to_choose(request.repeat)[str(request.repeat)]}"


def spoken_words(document: Response) -> str:
    """Return the words that a document speaks once."""
    xml = document.to_xml()
    return " ".join(re.sub("<[^>]*>", "", said) for said in re.findall(r"<Say.*?</Say>", xml, re.S))


def shown_words(request: AlertRequest, words: str) -> Sequence[str | Tag]:
    """Return the words with what was filled in marked, and what Callboard adds after them."""
    added = ""
    if request.acknowledge:
        asked = key_press_words(request.language)
        added = asked.ask if request.channel == "call" else asked.reply
        words = words.removesuffix(f" {added}")
    shown: list[str | Tag] = []
    for place, piece in enumerate(FILLED_IN.split(_marked(request, words))):
        shown.append(tags.span(piece, class_="filled") if place % 2 else piece)
    if added:
        shown.append(tags.span(f" {added}", class_="added"))
    return shown


def _marked(request: AlertRequest, words: str) -> str:
    """Return the words with MARKS around what was filled in, where they can be told apart."""
    if not request.template or "{" not in request.message:
        return words
    now = datetime.now(UTC)
    marked = {
        name: f"{MARKS[0]}{value}{MARKS[1]}" for name, value in variables_of(request, now).items()
    }
    try:
        found = write_message(replace(request, variables=marked), now)
    except UnusableInput:
        return words
    # A condition on a value may come out differently.
    return found if re.sub("[\ue000\ue001]", "", found) == words else words


def segments_feedback(text: str) -> TagList:
    """Say how many segments a text is billed as, which characters add some, and how to avoid it."""
    segments = count_segments(text)
    counted = f"{in_words(segments)} · {segments.units} characters in {segments.encoding}"
    if not segments.costlier:
        return TagList(feedback("", f"{counted}."))
    named = ", ".join(map(character_name, segments.costlier[:MAX_CHARACTERS_NAMED]))
    more = len(segments.costlier) - MAX_CHARACTERS_NAMED
    others = f" and {more} more" if more > 0 else ""
    force = "forces" if len(segments.costlier) == 1 else "force"
    words = f"{counted}: {named}{others} {force} the costlier encoding (70 a segment). "
    saved = savings(text)
    way_out = ui.input_action_link("write_composed", "Write it that way") if saved else None
    return TagList(feedback("waiting", words + saved), " ", way_out)
