// The form: inserts variables at the caret, and keeps the alert in the address.

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
  // A page that is reloaded goes on showing this alert.
  window.Shiny.addCustomMessageHandler("callboard-address", ({ alert }) => {
    const address = new URL(location.href);
    address.searchParams.set("alert", alert);
    history.replaceState(history.state, "", address);
  });
});
