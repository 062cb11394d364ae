// The emergency stop, and answers to those who ask for a second person's yes.

let nonce = 0;

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-emergency-open]");
  if (opener) {
    nonce += 1;
    window.Shiny.setInputValue(opener.dataset.emergencyOpen, nonce, { priority: "event" });
    opener.parentElement.querySelector("dialog").showModal();
    return;
  }
  if (target.closest(".emergency [data-close]")) {
    target.closest("dialog").close();
    return;
  }
  const decider = target.closest("[data-decide]");
  const page = decider?.closest("[data-decide-input]");
  if (!page) return;
  nonce += 1;
  const { decide: action, id = "" } = decider.dataset;
  const value = { action, id, nonce };
  window.Shiny.setInputValue(page.dataset.decideInput, value, { priority: "event" });
});

// Shiny announces its events through jQuery, which comes with it.
window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-emergency-close", (_message) => {
    for (const dialog of document.querySelectorAll(".emergency dialog[open]")) dialog.close();
    window.scrollTo(0, 0); // to the banner, which says that it is done
  });
});
