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

// Listen in the capture phase, because the button stops its events from bubbling.
choice?.addEventListener("click", remember, { capture: true });

// --- The account menu ---

const account = document.querySelector("details.account");
const narrow = matchMedia("(max-width: 767.98px)");

// On phones the switch between light and dark is in the menu.
function place() {
  const inMenu = account?.querySelector(".for-dark-mode");
  if (inMenu && choice) narrow.matches ? inMenu.append(choice) : account.after(choice);
}

narrow.addEventListener("change", place);
place();

// The words beside the switch belong to it.
account?.querySelector(".for-dark-mode")?.addEventListener("click", ({ target }) => {
  if (!choice.contains(target)) choice.shadowRoot.querySelector("button").click();
});

document.addEventListener("click", ({ target }) => {
  if (account?.open && !account.contains(target)) account.open = false;
});
account?.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !account.open) return;
  account.open = false;
  account.querySelector("summary").focus();
});

window.jQuery?.(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-account", (who) => {
    for (const shown of document.querySelectorAll("[data-account]")) {
      shown.textContent = who[shown.dataset.account];
    }
  });
});
