// The Rules page: what is shown follows from its address; what is pressed is sent as one input, and
// the editor's form whole as another.

const MS_OF_TYPING = 350;
const MS_OF_TYPING_SQL = 600;
const MS_TO_READ_WHAT_IS_SAID = 15_000;
const MOST_FILE_BYTES = 20_000_000;

const pages = () => document.querySelectorAll(".rules-page");
const pageOf = (element) => element.closest(".rules-page");
const inputOf = (page, name) => page.id.replace(/page$/, name);
const isInFront = (page) => Boolean(page.offsetParent);
let nonce = 0;

function send(page, name, value) {
  nonce += 1;
  window.Shiny.setInputValue(inputOf(page, name), { ...value, nonce }, { priority: "event" });
}

function tell(page, action, { id = "", value = "", fields = {} } = {}) {
  send(page, "act", { action, id, value, fields });
}

const sheet = (page, name) => page.querySelector(`[data-sheet="${name}"]`);

function open(dialog) {
  if (!dialog.open) dialog.showModal();
}

// --- The address --------------------------------------------------------------------------------

/** Tell the server the address, or nothing while another tab is in front. */
function tellAddress() {
  if (!window.Shiny?.setInputValue) return;
  for (const page of pages()) {
    const isSeen = isInFront(page);
    const { search } = location;
    page.classList.toggle("has-rule", new URLSearchParams(search).has("rule"));
    window.Shiny.setInputValue(page.dataset.addressInput, isSeen ? search || "?" : "");
  }
}

function go(href, { replaces = false } = {}) {
  const address = new URL(href, location.href);
  const now = new URLSearchParams(location.search);
  // Parts that belong to other pages stay.
  if (now.has("alert")) address.searchParams.set("alert", now.get("alert"));
  if (address.href !== location.href) {
    history[replaces ? "replaceState" : "pushState"](null, "", address);
  }
  tellAddress();
  if (!replaces) scrollTo({ top: 0 });
}

addEventListener("popstate", () => setTimeout(tellAddress));
document.addEventListener("shown.bs.tab", () => setTimeout(tellAddress));

// --- The form -----------------------------------------------------------------------------------

const formOf = (page) => page.querySelector("form.rule-editor");
const codeOf = (page) => page.querySelector("bslib-code-editor");

/** Return what the form holds: texts, numbers (null where there is none), and yes or no. */
function fieldsOf(page) {
  const fields = {};
  for (const control of formOf(page).querySelectorAll("input, select, textarea")) {
    const name = (control.name || control.id).split("-").at(-1);
    if (!name || control.closest("bslib-code-editor") || control.dataset.act) continue;
    if (control.type === "radio") {
      if (control.checked) fields[name] = control.value;
    } else if (control.type === "checkbox") fields[name] = control.checked;
    else if (control.type === "number") {
      fields[name] = Number.isNaN(control.valueAsNumber) ? null : control.valueAsNumber;
    } else fields[name] = control.value;
  }
  const sql = codeOf(page)?.querySelector("textarea");
  if (sql) fields.sql = sql.value;
  return fields;
}

const typing = new WeakMap();

function sendForm(page, delay = 0) {
  clearTimeout(typing.get(page));
  typing.set(page, setTimeout(() => sendNow(page), delay));
}

function sendNow(page) {
  clearTimeout(typing.get(page));
  typing.delete(page);
  const form = formOf(page);
  if (!form) return;
  send(page, "form", { generation: form.dataset.generation, fields: fieldsOf(page) });
  stateOf(page).sent = nonce;
}

// Parts with fields in them wait while the page holds input that the server hasn't seen: an answer
// to an earlier form would undo what was chosen since.
const WITH_FIELDS = new Set(["guided", "key", "voices", "time-column", "sources"]);
const states = new WeakMap();

function stateOf(page) {
  if (!states.has(page)) states.set(page, { sent: 0, answered: 0, waiting: new Map() });
  return states.get(page);
}

function isAhead(page) {
  const { sent, answered } = stateOf(page);
  return sent > answered || typing.has(page);
}

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form.rule-editor");
  if (!form || event.target.dataset.act || event.target.dataset.pick) return;
  const page = pageOf(form);
  const isSql = Boolean(event.target.closest("bslib-code-editor"));
  if (isSql) unmark();
  if (event.target.matches("select, [type=radio], [type=checkbox]")) return; // see "change"
  sendForm(page, isSql ? MS_OF_TYPING_SQL : MS_OF_TYPING);
});

document.addEventListener("change", (event) => {
  const { target } = event;
  const page = target.closest?.(".rules-page");
  if (!page) return;
  if (target.matches("input[data-act]")) {
    const value = target.type === "radio" ? target.value : target.checked ? "on" : "off";
    tell(page, target.dataset.act, { id: target.dataset.id, value });
  } else if (target.matches("[data-pick]")) {
    if (target.value) tell(page, target.dataset.pick, { value: target.value });
    target.value = "";
  } else if (target.matches("[data-every]")) {
    for (const each of target.closest("form").querySelectorAll("[name=keys]")) {
      each.checked = target.checked;
    }
  } else if (target.closest("form.rule-editor") && !target.closest("bslib-code-editor")) {
    sendForm(page);
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".rules-page form");
  if (!form) return;
  event.preventDefault();
  const page = pageOf(form);
  if (!form.dataset.submit) sendForm(page);
  else {
    const keys = [...form.querySelectorAll("[name=keys]:checked")].map((each) => each.value);
    const fields = { ...Object.fromEntries(new FormData(form)), keys };
    tell(page, form.dataset.submit, { id: form.dataset.id, fields });
    // A sheet with fields is closed by the server, once nothing is wrong with them.
    if (form.querySelector("[name=keys]")) form.closest("dialog").close();
  }
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form.rule-editor");
  if (!form) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sendForm(pageOf(form));
  else if (event.key === "Enter" && event.target.matches("input:not([type=radio])")) {
    event.preventDefault();
    sendForm(pageOf(form));
  }
});

// --- What is pressed ----------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const page = event.target.closest(".rules-page");
  if (!page) return;
  const plain = event.button === 0
    && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const way = event.target.closest("[data-go], [data-leave]");
  const row = event.target.closest(".rules-table tbody tr");
  if (way && plain) {
    event.preventDefault();
    follow(way);
  } else if (row && plain && !event.target.closest("a, button, input") && !String(getSelection())) {
    follow(row.querySelector("[data-go]"));
  }
  const put = event.target.closest("[data-put]");
  if (put) insert(page, put.dataset.into, put.dataset.put);
  const pressed = event.target.closest("[data-act]");
  if (!pressed || pressed.matches("input") || pressed.getAttribute("aria-disabled") === "true") return;
  const { act, id, value } = pressed.dataset;
  if (act === "close") pressed.closest("dialog").close();
  else if (act === "upload") {
    open(sheet(page, "upload"));
    tell(page, "show_uploads");
  }
  else if (act === "fix") fix(page, id, value);
  else {
    // Send what was typed before the press that follows it.
    if (typing.has(page)) sendNow(page);
    tell(page, act, { id, value });
  }
});

function follow(way) {
  if (way.matches("[data-leave]")) {
    // To another page of Callboard, whose script follows the address.
    history.pushState(null, "", way.href);
    dispatchEvent(new PopStateEvent("popstate"));
  } else go(way.href);
}

function insert(page, into, text) {
  const box = into === "sql"
    ? codeOf(page)?.querySelector("textarea")
    : document.getElementById(into);
  if (!box) return;
  box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}

// A file that no page may send ends the session, so it is refused here, before Shiny sends it.
document.addEventListener("change", (event) => {
  const page = event.target.closest?.(".rules-page");
  if (!page || event.target.type !== "file") return;
  const [file] = event.target.files;
  if (!file || file.size <= MOST_FILE_BYTES) return;
  event.stopImmediatePropagation();
  event.target.value = "";
  tell(page, "file_too_large", { value: file.name });
}, true);

// The same file can be chosen again once it has been changed.
document.addEventListener("click", (event) => {
  if (event.target.matches?.(".rules-page input[type=file]")) event.target.value = "";
}, true);

// --- The query and its mistake ------------------------------------------------------------------

// Marked with the CSS Custom Highlight API, because the editor redraws its lines at each change.
// https://developer.mozilla.org/en-US/docs/Web/API/CSS_Custom_Highlight_API
const mistake = window.CSS?.highlights && new Highlight();
if (mistake) CSS.highlights.set("sql-mistake", mistake);
let marked = null;

function unmark() {
  mistake?.clear();
  for (const each of document.querySelectorAll(".pce-line.mistake")) each.classList.remove("mistake");
  marked = null;
}

async function ready(code) {
  await customElements.whenDefined("bslib-code-editor");
  await code.initPromise;
}

async function mark(page, place) {
  const code = codeOf(page);
  if (!code) return;
  await ready(code);
  unmark();
  const line = code.querySelectorAll(".pce-line")[place.line - 1];
  if (!line) return;
  marked = place;
  line.classList.add("mistake");
  if (mistake && place.column) mistake.add(rangeIn(line, place.column - 1, place.length || 1));
}

/** Return the range of some characters of a line, which the editor has cut into colored pieces. */
function rangeIn(line, start, length) {
  const range = new Range();
  range.selectNodeContents(line);
  const texts = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
  let before = 0;
  let isInside = false;
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const end = before + text.data.length;
    if (!isInside && start < end) {
      range.setStart(text, start - before);
      isInside = true;
    }
    if (isInside && start + length <= end) {
      range.setEnd(text, start + length - before);
      break;
    }
    before = end;
  }
  return range;
}

/** Apply the correction that the server suggests, at the mistake or else where its text is found. */
function fix(page, find, replacement) {
  const box = codeOf(page)?.querySelector("textarea");
  if (!box) return;
  const lines = box.value.split("\n");
  const before = marked ? lines.slice(0, marked.line - 1).join("\n").length + (marked.line > 1) : 0;
  const from = before + Math.max(0, (marked?.column ?? 1) - 1);
  const found = box.value.indexOf(find, from);
  const at = found >= 0 ? found : box.value.indexOf(find);
  if (at < 0) return;
  box.setRangeText(replacement, at, at + find.length, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
  sendForm(page);
}

/** Give the editor's field a name and a description, which Shiny's own lacks. */
async function describe(code) {
  code.dataset.described = "";
  await ready(code);
  const box = code.querySelector("textarea");
  box.setAttribute("aria-labelledby", "rules-sql-label");
  box.setAttribute("aria-describedby", "rules-line-sql");
}

// --- What the server shows ----------------------------------------------------------------------

const parts = {
  sheet(page, { html }) {
    const dialog = sheet(page, "sheet");
    dialog.innerHTML = html;
    open(dialog);
    const wrong = dialog.querySelector(".feedback.bad")?.closest(".form-group")?.querySelector("input");
    const first = dialog.querySelector(".sheet-body :is(input:checked, input, button), .sheet-actions button");
    (wrong ?? first)?.focus();
  },
  close(page) {
    for (const dialog of page.querySelectorAll("dialog")) dialog.close();
  },
  said(page, { value }) {
    const place = page.querySelector(".rules-said");
    place.textContent = value;
    clearTimeout(place.fading);
    place.fading = setTimeout(() => { place.textContent = ""; }, MS_TO_READ_WHAT_IS_SAID);
  },
  heading(page, { value }) {
    const heading = page.querySelector("#rules-heading");
    if (heading) heading.textContent = value;
  },
  answered(page, { value }) {
    const state = stateOf(page);
    state.answered = Math.max(state.answered, value);
    if (isAhead(page)) return;
    for (const [name, html] of state.waiting) show(page, name, html);
    state.waiting.clear();
  },
  async sql(page, { value }) {
    const code = codeOf(page);
    if (!code) return;
    await ready(code);
    code.value = value;
  },
  way(page, { value }) {
    const radio = page.querySelector(`form.rule-editor [name=way][value="${value}"]`);
    if (radio) radio.checked = true;
  },
  mark(page, { line, column, length }) {
    mark(page, { line, column, length });
  },
  unmark,
  address(page, { value }) {
    go(value, { replaces: true });
  },
  go(page, { value }) {
    go(value);
  },
  focus(page, { value }) {
    document.getElementById(value)?.focus();
  },
  download(page, { name, value }) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([value], { type: "application/toml" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  },
};

/** Bring a part up to date; what people have chosen or begun to type there stays. */
function show(page, name, html) {
  for (const place of page.querySelectorAll(`[data-part="${name}"]`)) {
    place.dispatchEvent(new CustomEvent("callboard:patch", { detail: html, bubbles: true }));
    for (const choice of place.querySelectorAll("select[data-value]")) {
      if (choice !== document.activeElement) choice.value = choice.dataset.value;
    }
    for (const box of place.querySelectorAll("input[data-act]:is([type=checkbox], [type=radio])")) {
      box.checked = box.hasAttribute("checked");
    }
  }
}

window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-rules", (message) => {
    const page = document.getElementById(message.name);
    if (!page) return;
    // Once the file is a source, or refused, the field's copy isn't needed any more.
    if (message.part === "uploaded") delete page.querySelector("input[type=file]").dataset.chosen;
    if (message.part in parts) parts[message.part](page, message);
    else if (WITH_FIELDS.has(message.part) && isAhead(page)) {
      stateOf(page).waiting.set(message.part, message.html);
    } else {
      stateOf(page).waiting.delete(message.part);
      show(page, message.part, message.html);
    }
  });
  tellAddress();
});

new MutationObserver(() => {
  for (const code of document.querySelectorAll(".rules-page bslib-code-editor:not([data-described])")) {
    describe(code);
  }
}).observe(document.documentElement, { childList: true, subtree: true });
