// The form: variables at the caret, several lines pasted into one field, Enter, and the address.

const MS_OF_TYPING = 1200;

function setInput(id, value) {
  window.Shiny.setInputValue(id, value, { priority: "event" });
}

function say(control, value) {
  control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
  control.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (button) {
    const box = document.getElementById(button.dataset.into);
    box.setRangeText(button.dataset.insert, box.selectionStart, box.selectionEnd, "end");
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }
  const leaveOut = event.target.closest("[data-leave-out]");
  if (leaveOut) {
    setInput(leaveOut.dataset.leaveOut, { place: leaveOut.dataset.place, at: Date.now() });
    leaveOut.closest(".to-field").querySelector("input").focus();
  }
  const people = event.target.closest(".from-people");
  const tab = document.querySelector('.navbar .nav-link[data-value="people"]');
  if (people && tab) {
    event.preventDefault();
    tab.click();
  }
});

// A list that is copied has a line or a cell for each, and a field of one line would join them.
document.addEventListener("paste", (event) => {
  const field = event.target.closest?.(".to-field input");
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!field || !/[\r\n\t]/.test(text.trim())) return;
  event.preventDefault();
  const parts = text.split(/[\r\n\t]+/).map((part) => part.trim()).filter(Boolean);
  field.setRangeText(parts.join(", "), field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// Half a number isn't wrong yet: while somebody types, nothing turns red.
const typing = new WeakMap();
document.addEventListener("input", (event) => {
  const field = event.target.closest?.(".to-field");
  if (!field) return;
  field.classList.add("typing");
  clearTimeout(typing.get(field));
  typing.set(field, setTimeout(() => field.classList.remove("typing"), MS_OF_TYPING));
});
document.addEventListener("focusout", (event) => {
  event.target.closest?.(".to-field")?.classList.remove("typing");
});

// Enter sends from a field of one line, Ctrl or Cmd and Enter from anywhere in the form.
document.addEventListener("keydown", (event) => {
  const page = event.target.closest?.(".send-page");
  if (!page || event.key !== "Enter" || event.isComposing) return;
  const isField = event.target.closest(".to-field input");
  if (!isField && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  // Shiny sends a field's text a moment after the last key; press only after it has.
  event.target.dispatchEvent(new Event("change", { bubbles: true }));
  if (!event.repeat) setTimeout(() => page.querySelector(".send-button").click(), 0);
});

for (const link of document.querySelectorAll(".from-people")) {
  const showLink = () => {
    link.hidden = !document.querySelector('.navbar .nav-link[data-value="people"]');
  };
  document.addEventListener("DOMContentLoaded", showLink);
  showLink();
}

// Shiny announces its events through jQuery, which comes with it.
window.jQuery(document).on("shiny:connected", () => {
  // A page that is reloaded goes on showing what these name.
  window.Shiny.addCustomMessageHandler("callboard-address", (named) => {
    const address = new URL(location.href);
    for (const [name, id] of Object.entries(named)) {
      if (id) address.searchParams.set(name, id);
      else address.searchParams.delete(name);
    }
    history.replaceState(history.state, "", address);
  });
  // From another page of Callboard: fill in whom to write to, or what was sent before.
  window.Shiny.addCustomMessageHandler("callboard-open-send", (wanted) => {
    document.querySelector('.navbar .nav-link[data-value="send"]')?.click();
    const page = document.querySelector('.send-page[data-module="send"]');
    if (page) setInput(page.dataset.fillInInput, { ...wanted, at: Date.now() });
  });
});

// What is copied from an address, such as ?to=Ben,Clara, is filled in once.
window.jQuery(document).one("shiny:sessioninitialized", () => {
  const to = new URL(location.href).searchParams.get("to");
  const field = document.querySelector('.send-page[data-module="send"] .to-field input');
  if (to && field) say(field, to);
});
