// The People page: sends what is pressed as one input, shows sheets, and keeps the clocks going.

const MOST_FILE_BYTES = 20_000_000;
const pages = () => document.querySelectorAll(".people-page");
const pageOf = (element) => element.closest(".people-page");
let nonce = 0;

function tell(page, action, { id = "", value = "", fields = {} } = {}) {
  nonce += 1;
  const input = page.id.replace(/page$/, "act");
  window.Shiny.setInputValue(input, { action, id, value, fields, nonce }, { priority: "event" });
}

const sheet = (page, name) => page.querySelector(`[data-sheet="${name}"]`);

function open(dialog) {
  if (!dialog.open) dialog.showModal();
}

// --- What is pressed, typed and chosen ----------------------------------------------------------

document.addEventListener("click", (event) => {
  const pressed = event.target.closest(".people-page [data-act]");
  if (!pressed || pressed.matches("input")) return;
  const page = pageOf(pressed);
  const { act, id, value } = pressed.dataset;
  if (act === "close") pressed.closest("dialog").close();
  else if (act === "import_file") {
    open(sheet(page, "import"));
  } else if (act === "other_file") sheet(page, "import").querySelector("input[type=file]").click();
  else tell(page, act, { id, value });
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.matches(".people-page input[data-act]")) {
    target.closest("tbody tr")?.toggleAttribute("aria-selected", target.checked);
    target.closest("tbody tr[aria-selected]")?.setAttribute("aria-selected", "true");
    const value = target.checked ? "on" : "off";
    tell(pageOf(target), target.dataset.act, { id: target.dataset.id, value });
  } else if (target.matches(".people-page [data-change]")) {
    const what = { fields: { what: target.dataset.change } };
    tell(pageOf(target), "change", { id: target.dataset.id, value: target.value, ...what });
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".people-page form[data-submit]");
  if (!form) return;
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  tell(pageOf(form), form.dataset.submit, { id: form.dataset.id, fields });
});

// A file that no page may send ends the session, so it is refused here, before Shiny sends it.
document.addEventListener("change", (event) => {
  const page = event.target.closest?.(".people-page");
  if (!page || event.target.type !== "file") return;
  const [file] = event.target.files;
  if (!file || file.size <= MOST_FILE_BYTES) return;
  event.stopImmediatePropagation();
  event.target.value = "";
  delete event.target.dataset.chosen;
  tell(page, "file_too_large", { value: file.name });
}, true);

// The same file can be chosen again once it has been changed.
document.addEventListener("click", (event) => {
  if (event.target.matches?.(".people-page input[type=file]")) event.target.value = "";
}, true);

// Enter takes over a fix, too.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".people-page input[data-change]")) {
    event.target.blur();
  }
});

const MS_BEFORE_SEARCHING = 200;
const searches = new WeakMap();
document.addEventListener("input", (event) => {
  const box = event.target.closest(".people-page [data-search]");
  if (!box) return;
  clearTimeout(searches.get(box));
  const search = () => tell(pageOf(box), "search", { value: box.value });
  searches.set(box, setTimeout(search, MS_BEFORE_SEARCHING));
});

// --- What the server shows ----------------------------------------------------------------------

// Put new HTML in place; the element with the focus keeps it, with half-typed text.
function show(element, html) {
  const { activeElement } = document;
  const held = element.contains(activeElement) && activeElement.id ? activeElement : null;
  const typed = held?.matches("input") ? [held.value, held.selectionStart, held.selectionEnd] : null;
  element.innerHTML = html;
  const same = held && document.getElementById(held.id);
  if (!same) return;
  if (typed && same.matches("input")) {
    [same.value] = typed;
    same.setSelectionRange(typed[1], typed[2]);
  }
  same.focus();
}

const parts = {
  form(page, { html }) {
    const dialog = sheet(page, "form");
    dialog.innerHTML = html;
    open(dialog);
    const wrong = dialog.querySelector("[aria-invalid=true]");
    const first = wrong ?? dialog.querySelector(".sheet-body :is(input, textarea)");
    (first ?? dialog.querySelector("[type=submit]"))?.focus();
  },
  import(page, { html, actions }) {
    const dialog = sheet(page, "import");
    dialog.classList.add("has-file");
    show(dialog.querySelector(".import-content"), html);
    show(dialog.querySelector(".sheet-actions"), actions);
  },
  said(page, { value }) {
    page.querySelector(".people-said").textContent = value;
  },
  search(page, { value }) {
    page.querySelector("[data-search]").value = value;
  },
  close(page) {
    for (const dialog of page.querySelectorAll("dialog")) dialog.close();
    forget(page);
  },
};

// After an import, the sheet starts over.
function forget(page) {
  const dialog = sheet(page, "import");
  delete dialog.querySelector("input[type=file]").dataset.chosen;
  dialog.classList.remove("has-file");
  for (const place of dialog.querySelectorAll(".import-content, .sheet-actions")) {
    place.replaceChildren();
  }
}

// The list is drawn again when something in it changes: the focus stays where it was.
let focused = "";
window.jQuery(document).on("shiny:value", (event) => {
  const inside = event.target.closest?.(".people-page")?.contains(document.activeElement);
  focused = inside ? document.activeElement.id : "";
  const restore = focused;
  queueMicrotask(() => requestAnimationFrame(() => {
    tick();
    const lost = document.activeElement === document.body;
    if (restore && lost) document.getElementById(restore)?.focus();
  }));
});

// --- Clocks -------------------------------------------------------------------------------------

const formats = new Map();

function timeIn(zone) {
  if (!formats.has(zone)) {
    const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone };
    formats.set(zone, new Intl.DateTimeFormat("en-GB", parts));
  }
  return formats.get(zone).format(new Date());
}

function tick() {
  for (const cell of document.querySelectorAll(".people-page [data-zone]")) {
    let time;
    try {
      time = timeIn(cell.dataset.zone);
    } catch {
      continue; // a zone that this browser doesn't know keeps the server's time
    }
    cell.querySelector(".clock").textContent = time;
    cell.toggleAttribute("data-quiet", time >= cell.dataset.from || time < cell.dataset.till);
  }
}

// --- Beginning ----------------------------------------------------------------------------------

window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-people", (message) => {
    const page = document.getElementById(message.name);
    if (page) parts[message.part](page, message);
  });
  // After a lost connection the new session has no file.
  for (const page of pages()) forget(page);
  // The server reads the list only while it is visible.
  const watcher = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      window.Shiny.setInputValue(target.id.replace(/page$/, "in_sight"), isIntersecting);
    }
  });
  for (const page of pages()) watcher.observe(page);
  setInterval(tick, 5000);
});
