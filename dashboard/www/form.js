// The form: inserts variables at the caret, reports the time zone, and marks invalid fields.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const box = document.getElementById(button.dataset.into);
  box.setRangeText(button.dataset.insert, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
});

// Shiny announces its events through jQuery, which comes with it.
window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-focus", ({ id }) => {
    const control = document.getElementById(id);
    control?.closest("details")?.setAttribute("open", "");
    control?.focus();
  });
  // A page that is reloaded goes on showing this alert.
  window.Shiny.addCustomMessageHandler("callboard-address", ({ alert }) => {
    const address = new URL(location.href);
    address.searchParams.set("alert", alert);
    history.replaceState(history.state, "", address);
  });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const page of document.querySelectorAll("[data-time-zone-input]")) {
    window.Shiny.setInputValue(page.dataset.timeZoneInput, zone);
  }
});

// A control is invalid, or disabled, exactly while the line that describes it says so.
new MutationObserver(() => {
  for (const control of document.querySelectorAll(".callboard [aria-describedby]")) {
    const line = document.getElementById(control.getAttribute("aria-describedby"));
    control.setAttribute("aria-invalid", String(Boolean(line?.querySelector(".bad"))));
    control.disabled = Boolean(line?.querySelector(".unavailable"));
  }
}).observe(document.documentElement, { childList: true, subtree: true });
