"""A Shiny app with a dark theme of its own around the Send page.

`THEME` names one of Bootswatch's, or is "bootstrap" for Bootstrap's own dark colors.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from shiny import App, Inputs, Outputs, Session, ui

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from alerts import Desk
from dashboard import mount, send
from settings import Settings

name = os.environ["THEME"]
# No theme may ask an outside host for its fonts.
theme = ui.Theme(name).add_defaults(web_font_path="", font_family_sans_serif="sans-serif")
desk = Desk.from_settings(Settings(_env_file=None))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    send.server("brewer", desk)


app = App(
    ui.page_fluid(
        ui.tags.main(send.ui("brewer", to="412-555-0106", message="Batch 1407 is off.")),
        ui.tags.script("document.documentElement.dataset.bsTheme = 'dark'")
        if name == "bootstrap"
        else None,
        theme=theme,
        title="Tasting room",
        lang="en",
    ),
    server,
)
mount(app, desk)
