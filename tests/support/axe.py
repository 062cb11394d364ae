"""axe, the accessibility checker, on a page as it stands, in both themes."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import Page, expect

OPTIONS = {
    "preload": False,  # it would fetch every stylesheet again
    "resultTypes": ["violations"],  # describing what is right takes most of the time
}
# Colors fade into those of the other theme.
COLORS_ARE_THERE = "() => !document.getAnimations().some((each) => each instanceof CSSTransition)"
COLORS: dict[str, Any] = {"runOnly": ["color-contrast"]}


def run_axe(page: Page, part: str | None = None, **options: Any) -> AxeResults:
    """Check a page, or the part of it that a selector names.

    `options` are those of https://www.deque.com/axe/core-documentation/api-documentation/.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    run = "([part, options]) => axe.run(part ?? document, options)"
    return AxeResults(page.evaluate(run, [part, OPTIONS | options]))


def nothing_found_by_axe(page: Page) -> None:
    """Check the page as it is, and then its colors in the other theme, too: all that differs.

    The page must follow the system's theme.
    """
    _is_right(run_axe(page))
    root = page.locator("html")
    theme = root.get_attribute("data-bs-theme")
    for each in ("light" if theme == "dark" else "dark", theme):
        page.emulate_media(color_scheme=each)  # type: ignore[arg-type]
        expect(root).to_have_attribute("data-bs-theme", str(each))
        if each != theme:
            page.wait_for_function(COLORS_ARE_THERE)
            _is_right(run_axe(page, **COLORS))


def _is_right(found: AxeResults) -> None:
    assert found.violations_count == 0, found.generate_report()
