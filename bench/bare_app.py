"""A minimal Shiny app, one text input and one text output, to compare ours with."""

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
