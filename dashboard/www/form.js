// The form: variables at the caret, several lines pasted into one field, Enter, and the address.

const MS_OF_TYPING = 1200;
const MOST_FILE_BYTES = 20_000_000;

function setInput(id, value) {
  window.Shiny.setInputValue(id, value, { priority: "event" });
}

// While there is a file, it takes the place of the field.
function focusOnTo(field) {
  const name = field.querySelector(".file-head select, .file-head button");
  (name ?? field.querySelector(".typed-to input")).focus();
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
    focusOnTo(leaveOut.closest(".to-field"));
  }
  const fromFile = event.target.closest(".from-file-button");
  if (fromFile) {
    const region = document.getElementById(fromFile.getAttribute("aria-controls"));
    showRegion(region, region.hidden);
    if (!region.hidden) region.querySelector("input[type=file]").click();
  }
  const otherFile = event.target.closest(".other-file");
  if (otherFile) otherFile.closest(".from-file").querySelector("input[type=file]").click();
  const leaveFileOut = event.target.closest("[data-leave-file-out]");
  if (leaveFileOut) {
    const field = leaveFileOut.closest(".to-field");
    setInput(leaveFileOut.dataset.leaveFileOut, Date.now());
    delete leaveFileOut.closest(".from-file").querySelector("input[type=file]").dataset.chosen;
    showRegion(leaveFileOut.closest(".from-file"), false);
    leaveFileOut.closest(".file-head").remove();
    focusOnTo(field);
  }
  const people = event.target.closest(".from-people");
  const tab = document.querySelector('.navbar .nav-link[data-value="people"]');
  if (people && tab) {
    event.preventDefault();
    tab.click();
  }
});

function showRegion(region, isShown) {
  region.hidden = !isShown;
  region.closest(".to-field").querySelector(".from-file-button").setAttribute("aria-expanded", isShown);
}

// A file that no page may send ends the session, so it is refused here, before Shiny sends it.
document.addEventListener("change", (event) => {
  const chosen = event.target;
  const region = chosen.closest?.(".from-file");
  if (!region || chosen.type !== "file") return;
  showRegion(region, true);
  region.focus({ preventScroll: true });
  const [file] = chosen.files;
  if (!file || file.size <= MOST_FILE_BYTES) return;
  event.stopImmediatePropagation();
  chosen.value = "";
  delete chosen.dataset.chosen;
  setInput(region.dataset.tooLarge, { name: file.name, at: Date.now() });
}, true);

// The same file can be chosen again once it has been changed.
document.addEventListener("click", (event) => {
  if (event.target.matches?.(".from-file input[type=file]")) event.target.value = "";
}, true);

// A copied list has a line or a cell for each entry, and a field of one line would join them.
document.addEventListener("paste", (event) => {
  const field = event.target.closest?.(".typed-to input");
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!field || !/[\r\n\t]/.test(text.trim())) return;
  event.preventDefault();
  const parts = text.split(/[\r\n\t]+/).map((part) => part.trim()).filter(Boolean);
  field.setRangeText(parts.join(", "), field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// Half a number isn't wrong yet, so nothing turns red while people type.
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
  const isField = event.target.closest(".typed-to input");
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
  // A reloaded page shows what these parameters name.
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

// Fill in what the address names, such as ?to=Ben,Clara, only once.
window.jQuery(document).one("shiny:sessioninitialized", () => {
  const to = new URL(location.href).searchParams.get("to");
  const field = document.querySelector('.send-page[data-module="send"] .typed-to input');
  if (to && field) say(field, to);
});
