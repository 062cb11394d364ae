// Light or dark, chosen by hand, is remembered by this browser.

const KEY = "callboard-theme";
const choice = document.querySelector("bslib-input-dark-mode");

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing follows the system
  }
}

if (choice && ["light", "dark"].includes(stored())) choice.setAttribute("mode", stored());

function remember() {
  // The theme changes while the press is handled.
  setTimeout(() => {
    try {
      localStorage.setItem(KEY, document.documentElement.dataset.bsTheme);
    } catch {
      // Then the choice lasts as long as the page.
    }
  });
}

// On the way down to the button, which lets no press come up again.
choice?.addEventListener("click", remember, { capture: true });

// --- Who is signed in, and that somebody is there ---

const account = document.querySelector("details.account");
const narrow = matchMedia("(max-width: 767.98px)");

// On phones the switch between light and dark is in the menu.
function place() {
  const inMenu = account?.querySelector(".for-dark-mode");
  if (inMenu && choice) narrow.matches ? inMenu.append(choice) : account.after(choice);
}

narrow.addEventListener("change", place);
place();

document.addEventListener("click", ({ target }) => {
  if (account?.open && !account.contains(target)) account.open = false;
});
account?.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !account.open) return;
  account.open = false;
  account.querySelector("summary").focus();
});

let isSigningOut = false; // by the form, whose answer is the next page
account?.addEventListener("submit", () => {
  isSigningOut = true;
});

const MILLISECONDS_BETWEEN_SIGNS = 10_000;
let lastSign = -MILLISECONDS_BETWEEN_SIGNS;

// What the page sends by itself isn't a person, so tell the server when one does something.
function somebodyIsHere({ timeStamp }) {
  if (timeStamp - lastSign < MILLISECONDS_BETWEEN_SIGNS || !window.Shiny?.setInputValue) return;
  lastSign = timeStamp;
  window.Shiny.setInputValue("callboard_activity", Math.round(timeStamp), { priority: "event" });
}

if (account) {
  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    document.addEventListener(kind, somebodyIsHere, { capture: true, passive: true });
  }
}

window.jQuery?.(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-account", (who) => {
    for (const place of document.querySelectorAll("[data-account]")) {
      place.textContent = who[place.dataset.account];
    }
  });
  // The sign-in has ended: the page, loaded again, is the sign-in page.
  window.Shiny.addCustomMessageHandler("callboard-signed-out", (_) => {
    if (!isSigningOut) location.reload();
  });
});
