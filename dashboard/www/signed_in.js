// Pages of an app that people sign in to: report the visitor's activity, and leave when their
// sign-in has ended.

const MILLISECONDS_BETWEEN_SIGNS = 20_000;
let lastSign = -MILLISECONDS_BETWEEN_SIGNS;

// What the page sends by itself isn't activity, so tell the server when a person does something.
function someoneIsHere({ timeStamp }) {
  if (timeStamp - lastSign < MILLISECONDS_BETWEEN_SIGNS || !window.Shiny?.setInputValue) return;
  lastSign = timeStamp;
  window.Shiny.setInputValue("callboard_activity", Math.round(timeStamp), { priority: "event" });
}

for (const kind of ["pointerdown", "keydown", "wheel"]) {
  document.addEventListener(kind, someoneIsHere, { capture: true, passive: true });
}

let isSigningOut = false; // by a form, whose answer is the next page
document.addEventListener("submit", ({ target }) => {
  if (target.getAttribute("action") === "sign-out") isSigningOut = true;
});

window.jQuery(document).on("shiny:connected", () => {
  // The page, loaded again, is the sign-in page.
  window.Shiny.addCustomMessageHandler("callboard-signed-out", (_) => {
    if (!isSigningOut) location.reload();
  });
});
