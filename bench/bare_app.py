"""The least a Shiny app can be: a text comes in, a text goes out. What others are held against."""

from shiny import App, Inputs, Outputs, Session, render, ui

page = ui.page_fluid(
    ui.input_text_area("message", "Message", "Hello, world"),
    ui.output_text("preview"),
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    @render.text
    def preview() -> str:
        return str(input.message())


app = App(page, server)
