"""Saved messages: choose one, save the present words under a name, or remove one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htmltools import Tag, tags
from shiny import Inputs, Session, reactive, render, ui

from alerts import DatabaseError, Desk, UnusableInput
from dashboard.background import failure_sentence
from dashboard.fields import feedback, unannounced
from dashboard.inputs import text

if TYPE_CHECKING:
    from people.message_templates import MessageTemplate, Templates


def templates_ui() -> Tag:
    """Return the choice of templates beside the message's label; empty until there are some."""
    return tags.div(unannounced(ui.output_ui("template_choice")), class_="template-choice ghost")


def keep_ui() -> Tag:
    """Return the disclosure for saving the words under a name, and for removing a saved message."""
    return tags.details(
        tags.summary("Keep these words as a template", class_="cb-quiet"),
        tags.div(
            ui.input_text("template_name", "Name", placeholder="Off-flavor found", width="100%"),
            ui.input_action_button("save_template", "Keep", class_="cb-button"),
            unannounced(ui.output_ui("template_removal")),
            class_="keep-template",
        ),
        ui.output_ui("template_kept", class_="feedback-line"),
        class_="keep",
    )


def templates_server(input: Inputs, session: Session, desk: Desk) -> None:
    """Offer the messages with names, fill in the chosen one, keep new ones and remove old ones.

    For use inside a module's server.
    """

    async def templates() -> Templates:
        # Imported here because it needs SQLAlchemy, which the first page doesn't wait for.
        from people.message_templates import Templates  # noqa: PLC0415

        return Templates(await desk.database(), desk.actor)

    @reactive.extended_task
    async def reading() -> list[MessageTemplate]:
        try:
            return await (await templates()).all()
        except DatabaseError as problem:
            failure_sentence(problem)
            return []  # said at the button

    @reactive.extended_task
    async def changing(name: str, message: str | None) -> str:
        """Save a message under a name, or with None remove that one; returns what to say."""
        if message is None:
            await (await templates()).remove(name)
            done = f"Removed {name}."
        else:
            done = f"Kept as {(await (await templates()).save(name, message)).name}."
        reading.invoke()
        return done

    # Reading opens the database, which the first page doesn't wait for.
    session.on_flushed(reading.invoke, once=True)

    # The ones read last, shown while they are read again.
    known: reactive.Value[dict[str, MessageTemplate]] = reactive.Value({})

    @reactive.effect
    def remember() -> None:
        if reading.status() == "success":
            known.set({each.name: each for each in reading.result()})

    @render.ui
    def template_choice() -> Tag | None:
        names = list(known())
        if not names:
            return None
        choices = {"": "Choose one"} | {name: name for name in names}
        return ui.input_select("template", "Template", choices)

    @reactive.effect
    @reactive.event(input.template)
    def fill_in_template() -> None:
        chosen = known().get(str(input.template()))
        if chosen is not None:
            ui.update_text_area("message", value=chosen.message)
            # With its name filled in, it can be changed and saved again, or removed.
            ui.update_text("template_name", value=chosen.name)

    @reactive.effect
    @reactive.event(input.save_template)
    def keep() -> None:
        try:
            name, message = text(input.template_name(), "name"), text(input.message(), "message")
        except UnusableInput:
            return  # said at the button
        changing.invoke(name, message)

    @reactive.effect
    @reactive.event(input.remove_template)
    def remove() -> None:
        if name := named():
            changing.invoke(name, None)

    @reactive.calc
    def named() -> str | None:
        """Return the template whose name is in the field, if there is one."""
        try:
            name = text(input.template_name(), "name").strip()
        except UnusableInput:
            return None
        return name if name in known() else None

    @render.ui
    def template_removal() -> Tag | None:
        name = named()
        if name is None:
            return None
        return ui.input_action_button(
            "remove_template",
            "Remove",
            aria_label=f"Remove the template {name}",
            class_="cb-button",
        )

    @render.ui
    def template_kept() -> Tag | None:
        match changing.status():
            case "success":
                return feedback("good", changing.result())
            case "error" if isinstance(problem := changing.error(), UnusableInput):
                return feedback("bad", str(problem))
            case "error":
                return feedback("bad", failure_sentence(changing.error()))
        return None
