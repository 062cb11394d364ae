"""The pages at any zoom, by keyboard, by ear, in the system's own colors and in another's theme."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.axe import run_axe
from tests.support.browser import PHONE, well_behaved_page
from tests.support.running_app import running_app

pytestmark = [pytest.mark.slow, pytest.mark.browser]

VISITOR = "412 857 4309"
WIDE = {"width": 1320, "height": 860}
# A window of 1320 by 860 pixels, seen at 200 % and at 400 %.
ZOOMED = [{"width": 660, "height": 430}, {"width": 330, "height": 215}]
ZOOMS = ["200 %", "400 %"]
WIDTHS = [320, 360, 390, 480, 640, 759, 767, 768, 900, 1024, 1200, 1320, 1600, 1920]

# Whether a press on the middle of a control would hit the control, and not what covers it.
IS_UNCOVERED = """(control) => {
  const label = control.labels?.[0];
  const shown = control.matches("input[type=radio], input[type=checkbox]") && label || control;
  const box = shown.getBoundingClientRect();
  const x = box.left + box.width / 2, y = box.top + box.height / 2;
  const hit = document.elementFromPoint(x, y);
  return Boolean(hit) && (shown.contains(hit) || hit.contains(shown));
}"""

NEXT_FRAME = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""

# Keeps what screen readers announce by themselves: text that changes inside of a live region.
LISTEN = """() => {
  window.announced = [];
  const isLive = (element) => {
    const region = element?.closest("[aria-live], [role=status], [role=alert], [role=log]");
    return Boolean(region) && region.getAttribute("aria-live") !== "off";
  };
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes } of changes) {
      const nodes = type === "characterData" ? [target] : addedNodes;
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      if (!isLive(element)) continue;
      announced.push(...[...nodes].map((node) => node.textContent.trim()).filter(Boolean));
    }
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


def type_recipient(page: Page, number: str = VISITOR) -> None:
    page.fill("#send-phone_number", number)
    expect(page.locator("#send-recipients .good").first).to_be_visible()


def wait_until(page: Page, expression: str) -> None:
    """Playwright's own waiting runs `eval` in the page, which the page forbids."""
    deadline = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.evaluate(NEXT_FRAME)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
    expect(page.locator("h1:visible")).to_have_count(1)


def color(page: Page, token: str) -> str:
    """The color behind a variable of tokens.css, as computed styles write it."""
    return str(
        page.evaluate(
            """(token) => {
              const probe = document.querySelector(".callboard").appendChild(
                document.createElement("i"));
              probe.style.color = `var(${token})`;
              const found = getComputedStyle(probe).color;
              probe.remove();
              return found;
            }""",
            token,
        )
    )


def style(control: Locator, name: str) -> str:
    return str(control.evaluate("(e, name) => getComputedStyle(e)[name]", name))


def inside(box: Any, viewport: dict[str, int]) -> bool:
    """Whether the whole of a box is in the window."""
    return bool(
        box["x"] >= 0
        and box["y"] >= 0
        and box["x"] + box["width"] <= viewport["width"]
        and box["y"] + box["height"] <= viewport["height"]
    )


# --- Zoom ---


@pytest.mark.parametrize("viewport", ZOOMED, ids=ZOOMS)
def test_a_call_can_be_answered_confirmed_and_ended_at_any_zoom(
    browser: Browser, simulation: str, viewport: dict[str, int]
) -> None:
    with well_behaved_page(browser, simulation, viewport=viewport) as page:
        type_recipient(page)
        page.fill("#send-message", "Batch 1407 is off.")
        page.get_by_label("Ask them to press 1").check()
        page.select_option("#send-repeat", "0")
        expect(page.locator("#send-length")).to_contain_text("until they hang up")
        page.locator("#send-send_test_call").click()
        phone = page.get_by_role("complementary", name="Simulated phone")
        answer = phone.get_by_role("button", name="Answer")
        expect(answer).to_be_visible()
        # In sight at once, without scrolling in the phone.
        assert inside(answer.bounding_box(), viewport)
        assert inside(phone.bounding_box(), viewport)
        answer.click()
        expect(phone.get_by_text("Waiting for a key.")).to_be_visible()
        hang_up = phone.get_by_role("button", name="Hang up")
        assert inside(hang_up.bounding_box(), viewport)
        # By keyboard: each key is scrolled to, and isn't under the button that stays in sight.
        for key in "190":
            button = phone.get_by_role("button", name=key, exact=True)
            button.focus()
            assert inside(button.bounding_box(), viewport)
            assert button.evaluate(IS_UNCOVERED)
        # By wheel: what is above the keys can be read again.
        phone.hover()
        page.mouse.wheel(0, -2000)
        expect(phone).to_have_js_property("scrollTop", 0)
        phone.get_by_role("button", name="pound").click(trial=True)  # a press would end it
        hang_up.click()
        expect(phone.locator(".captions")).to_contain_text("You hung up.")


def test_nothing_covers_what_the_keyboard_reaches(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        type_recipient(page)
        page.locator(".if-nobody-answers summary").click()
        page.locator(".keep summary").click()
        for viewport in (*ZOOMED, PHONE, WIDE):
            page.set_viewport_size(viewport)  # type: ignore[arg-type]
            page.evaluate("document.activeElement.blur()")
            page.evaluate(NEXT_FRAME)
            for key in ("Tab", "Shift+Tab"):
                assert {"send-phone_number", "send-message", "send-send_test_call"} <= reached(
                    page, key
                ), (key, viewport)


def reached(page: Page, key: str) -> set[str]:
    """Press a key again and again; what of the Send page it reaches, all of it uncovered."""
    found = set()
    for _ in range(60):
        page.keyboard.press(key)
        focused = page.locator(".send-page :focus")
        if focused.count() == 0:
            continue
        name = focused.evaluate("(e) => e.id || e.textContent.trim()")
        assert focused.evaluate(IS_UNCOVERED), (key, name)
        found.add(name)
    return found


@pytest.mark.parametrize("viewport", ZOOMED, ids=ZOOMS)
def test_an_alert_can_be_written_and_sent_at_any_zoom(
    browser: Browser, simulation: str, viewport: dict[str, int]
) -> None:
    with well_behaved_page(browser, simulation, viewport=viewport) as page:
        page.locator("#send-phone_number").click()
        page.keyboard.type("412 555 0106")
        expect(page.locator("#send-recipients .good")).to_be_visible()
        page.locator("#send-message").click()
        page.locator("#send-message").fill("Batch 1407 is off.")
        page.select_option("#send-repeat", "1")
        page.get_by_label("Ask them to press 1").click()
        page.locator(".if-nobody-answers summary").click()
        page.get_by_label("Then try these people").click()
        expect(page.locator("#send-length")).to_contain_text("said once")
        page.locator("#send-send_test_call").click()
        expect(page.locator("#send-progress .cb-pill")).to_have_text(re.compile("Confirmed"))


def test_no_page_scrolls_sideways(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        type_recipient(page, f"{VISITOR}, 412 555 0106, nobody called so")
        for name in ("Send", "Activity", "People"):
            open_tab(page, name)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                # Activity measures itself in the frame after the change.
                page.evaluate(NEXT_FRAME)
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, f"{name} is {wide} px wide in a window of {width} px"


# --- Colors ---


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_is_seen_in_the_colors_of_the_system(
    browser: Browser, simulation: str, dark: bool
) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE, dark=dark) as page:
        page.emulate_media(forced_colors="active")
        page.get_by_label("Ask them to press 1").check()
        type_recipient(page)
        paper = style(page.locator("body"), "backgroundColor")
        # The switch is the browser's own; ours is only a background.
        assert style(page.get_by_label("Ask them to press 1"), "appearance") == "auto"
        chosen = page.locator(".segmented label:has(:checked)")
        assert style(chosen, "outlineStyle") == "solid"
        assert style(chosen, "outlineColor") != paper
        button = page.locator("#send-send_test_call")
        assert style(button, "backgroundColor") not in {paper, style(button, "color")}
        button.click()
        answer = page.get_by_role("button", name="Answer")
        expect(answer).to_be_visible()
        assert style(answer, "borderTopStyle") == "solid"
        for dot in page.locator("#send-progress .timeline li:not(.future)").all():
            drawn = dot.evaluate("(e) => getComputedStyle(e, '::before').backgroundColor")
            assert drawn not in {paper, "rgba(0, 0, 0, 0)"}
        answer.click()
        page.get_by_role("button", name="Hang up").click()
        for name in ("Send", "Activity", "People"):
            open_tab(page, name)
            tab = page.get_by_role("tab", name=name)
            assert style(tab, "borderBottomStyle") == "solid"
            assert style(tab, "borderBottomColor") != paper
        page.get_by_role("button", name="Add a person").first.click()
        page.get_by_role("textbox", name="Name").fill("Kaito Mori")
        page.get_by_label("Number", exact=True).fill(f"808 555 017{int(dark)}")
        page.get_by_role("textbox", name="Name").press("Enter")
        everybody = page.locator(".people-groups button[aria-current]")
        assert style(everybody, "borderTopColor") != paper
        open_tab(page, "Activity")
        tile = page.locator(".activity-page .tile").first
        tile.click()
        expect(tile).to_have_attribute("aria-pressed", "true")
        assert style(tile, "outlineStyle") == "solid"
        tile.click()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_focus_is_blue_and_errors_are_crimson(
    browser: Browser, simulation: str, dark: bool
) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE, dark=dark) as page:
        signal = {color(page, "--cb-signal"), color(page, "--cb-signal-strong")}
        blue, crimson = color(page, "--cb-focus"), color(page, "--cb-failed")
        assert not signal & {blue, crimson}
        number = page.locator("#send-phone_number")
        number.fill("911")
        page.keyboard.press("Tab")
        expect(number).to_have_attribute("aria-invalid", "true")
        expect(number).to_have_css("border-top-color", crimson)
        expect(page.locator("#send-recipients .bad .problem").first).to_have_css("color", crimson)
        controls = (
            number,
            page.locator("#send-send_test_call"),
            page.locator(".if-nobody-answers summary"),
        )
        for control in controls:
            control.focus()
            page.keyboard.press("Shift")  # the ring is for those who use the keyboard
            expect(control).to_have_css("outline-color", blue)
        ringer = page.locator(".handset .silence")
        ringer.focus()
        expect(ringer).to_have_css("outline-color", "rgb(143, 184, 240)")


def test_light_or_dark_chosen_by_hand_is_remembered(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation) as page:
        root = page.locator("html")
        for wanted in ("dark", "light"):
            page.get_by_label("Switch between light and dark").click()
            expect(root).to_have_attribute("data-bs-theme", wanted)
            wait_until(page, f"localStorage.getItem('callboard-theme') === '{wanted}'")
            # Whatever the system says.
            page.emulate_media(color_scheme="light" if wanted == "dark" else "dark")
            page.reload()
            expect(root).to_have_attribute("data-bs-theme", wanted)


@pytest.mark.parametrize("theme", ["darkly", "bootstrap"])
def test_the_send_page_can_be_read_in_another_apps_dark_theme(
    browser: Browser, project: Path, theme: str
) -> None:
    with (
        running_app(project, "tests/support/dark_host_app.py", THEME=theme) as url,
        well_behaved_page(browser, url, viewport=WIDE) as page,
    ):

        def contrast() -> None:
            found = run_axe(page)
            assert found.violations_count == 0, found.generate_report()

        expect(page.locator("#brewer-recipients .good")).to_be_visible()
        page.locator(".if-nobody-answers summary").click()
        page.locator(".hear details summary").click()
        contrast()
        page.locator("#brewer-send_test_call").click()
        expect(page.locator("#brewer-progress .cb-pill")).to_have_text(re.compile("Reached"))
        expect(page.locator("#brewer-send_test_call")).to_be_enabled()
        contrast()
        page.fill("#brewer-phone_number", "911, 412 555 0101")
        expect(page.locator("#brewer-recipients .bad")).to_be_visible()
        page.locator("#brewer-message").focus()
        expect(page.locator("#brewer-phone_number")).to_have_attribute("aria-invalid", "true")
        contrast()
        page.fill("#brewer-phone_number", "412 555 0105")
        expect(page.locator("#brewer-recipients .good")).to_be_visible()
        page.locator("#brewer-send_test_call").click()
        expect(page.locator(".explanation")).to_be_visible()
        expect(page.locator("#brewer-send_test_call")).to_be_enabled()
        contrast()


# --- By ear ---


def test_typing_is_not_read_out(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        expect(page.locator("#send-words")).to_contain_text("Greetings")
        page.evaluate(LISTEN)
        page.locator("#send-phone_number").press_sequentially(
            "412 857 4309, 412 555 0106,", delay=30
        )
        expect(page.locator("#send-recipients .good")).to_have_count(2)
        message = page.locator("#send-message")
        message.fill("")
        message.press_sequentially("Batch 1407 is off: call me.", delay=30)
        expect(page.locator("#send-words")).to_have_text("Batch 1407 is off: call me.")
        said = page.evaluate("window.announced")
        assert len(said) <= 1, said
        assert sum(map(len, said)) <= 100, said


def test_what_becomes_of_a_call_is_told_in_sentences(browser: Browser, simulation: str) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        for name in ("Send", "Activity", "People"):
            open_tab(page, name)
            expect(page.locator(".tab-pane.active [role=status]")).to_have_count(1)
        open_tab(page, "Send")
        type_recipient(page, "412 555 0106")
        page.fill("#send-message", "Batch 1407 is off.")
        page.select_option("#send-repeat", "1")
        expect(page.locator("#send-length")).to_contain_text("said once")
        page.evaluate(LISTEN)
        page.locator("#send-send_test_call").click()
        expect(page.locator("#send-progress .cb-pill")).to_have_text(re.compile("Reached"))
        said = page.evaluate("window.announced")
        assert any("ringing" in each.lower() for each in said), said
        assert all(len(each) < 160 for each in said), said


# --- The message box ---


def test_the_message_box_grows_to_eight_lines_then_scrolls(
    browser: Browser, simulation: str
) -> None:
    with well_behaved_page(browser, simulation, viewport=WIDE) as page:
        box = page.locator("#send-message")
        scrolls = "(e) => e.scrollHeight > e.clientHeight"
        for lines, is_more in ((8, "false"), (9, "true"), (40, "true")):
            box.fill("\n".join(["Line"] * lines))
            wait_until(page, f"({scrolls})(document.querySelector('#send-message')) === {is_more}")
        height = box.evaluate("(e) => e.clientHeight")
        line = box.evaluate("(e) => parseFloat(getComputedStyle(e).lineHeight)")
        assert 8 * line <= height < 9 * line + 20
        assert style(box, "overflowY") == "auto"
