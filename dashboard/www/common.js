// What all pages share: the time zone of the reader, the focus, and fields marked as wrong.

// Shiny announces its events through jQuery, which comes with it.
window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-focus", ({ id }) => {
    const control = document.getElementById(id);
    control?.closest("details")?.setAttribute("open", "");
    control?.focus();
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
