// The Setup page: copying a fix, and the reader's own number, which only this browser remembers.

const KEY = "callboard-my-number";
const MS_SHOWN = 2000;

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".setup-page [data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const name = button.getAttribute("aria-label");
  button.classList.add("copied");
  button.setAttribute("aria-label", "Copied");
  setTimeout(() => {
    button.classList.remove("copied");
    button.setAttribute("aria-label", name);
  }, MS_SHOWN);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches(".setup-phone input[inputmode=tel]")) return;
  // The number is sent when the field is left.
  event.target.blur();
  setTimeout(() => event.target.closest(".setup-phone").querySelector("button.ring").click());
});

// People who come back from Twilio's console, or from editing .env, see what has changed since.
addEventListener("focus", () => {
  const again = document.querySelector(".setup-page[data-simulated] .setup-summary .action-button");
  if (again?.offsetParent) again.click();
});

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // a browser that keeps nothing asks again
  }
}

window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-my-number", ({ number }) => {
    try {
      localStorage.setItem(KEY, number);
    } catch {
      // Without storage, the number has to be typed again next time.
    }
  });
  for (const page of document.querySelectorAll(".setup-page")) {
    const field = page.querySelector("input[inputmode=tel]");
    if (!field || field.value) continue;
    field.value = remembered();
    if (field.value) window.Shiny.setInputValue(field.id, field.value);
  }
});
