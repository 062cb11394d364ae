"""The sheet for choosing some of several bad rows, to tell people about now."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from htmltools import Tag, tags

from alerts.phone_numbers import international
from dashboard.page_parts import button
from dashboard.rules.parts import sheet
from rules.preview import PreviewRow


def choose_sheet(
    title: str,
    rows: Sequence[PreviewRow],
    chosen: Collection[str],
    *,
    act: str,
    words: str,
    kind: str = "ink",
    rule_id: str = "",
) -> Tag:
    """Return the sheet for choosing some of the bad rows.

    Its form is sent as the action `act`, by a button with these `words`, of this `kind`.
    """
    return tags.form(
        sheet(
            title,
            tags.ul(
                tags.li(
                    tags.label(
                        tags.input(
                            type="checkbox", class_="form-check-input", data_every="", value=""
                        ),
                        tags.span("All of them", class_="cb-strong"),
                        class_="check",
                    )
                ),
                *(_choosable(each, each.key in chosen) for each in rows),
                class_="choosing",
            ),
            tags.button(words, type="submit", class_=f"cb-button {kind}"),
            button("Back", "close", "bare"),
        ),
        data_submit=act,
        data_id=rule_id,
    )


def _choosable(row: PreviewRow, is_chosen: bool) -> Tag:
    who = row.problem or ", ".join(
        each.name or international(each.to) for each in row.recipients[:3]
    )
    return tags.li(
        tags.label(
            tags.input(
                type="checkbox",
                class_="form-check-input",
                name="keys",
                value=row.key,
                checked="" if is_chosen else None,
            ),
            tags.span(
                tags.span(", ".join(row.title), class_="cb-strong"),
                tags.span(who, class_="under"),
                tags.span(row.words, class_="under") if row.words else None,
            ),
            class_="check",
        )
    )
