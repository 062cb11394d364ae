// Small help while writing: variables at the caret, the viewer's time zone, fields marked as wrong.

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const box = document.getElementById(button.dataset.into);
  box.setRangeText(button.dataset.insert, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
});

// Shiny announces its events through jQuery, which it brings along.
window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-focus", ({ id }) =>
    document.getElementById(id)?.focus(),
  );
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const page of document.querySelectorAll("[data-time-zone-input]")) {
    window.Shiny.setInputValue(page.dataset.timeZoneInput, zone);
  }
});

// A control is invalid exactly while the sentence that describes it says so.
new MutationObserver(() => {
  for (const control of document.querySelectorAll(".callboard [aria-describedby]")) {
    const line = document.getElementById(control.getAttribute("aria-describedby"));
    control.setAttribute("aria-invalid", String(Boolean(line?.querySelector(".bad"))));
  }
}).observe(document.documentElement, { childList: true, subtree: true });
