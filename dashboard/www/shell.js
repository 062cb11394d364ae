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
