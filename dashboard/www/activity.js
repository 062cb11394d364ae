// The Activity page: what it shows is in its address, and is brought up to date piece by piece.

const page = () => document.querySelector(".activity-page");
const isInFront = () => Boolean(page()?.offsetParent);

// --- The address ---

/** Tell the server the address, or nothing while another tab is in front. */
function tell({ isTyping = false } = {}) {
  if (!page() || !window.Shiny?.setInputValue) return;
  window.Shiny.setInputValue(page().dataset.addressInput, isInFront() ? location.search || "?" : "");
  const parts = new URLSearchParams(location.search);
  for (const control of page().querySelectorAll("[data-part]")) {
    // Don't overwrite what was typed since.
    if (!(isTyping && control === document.activeElement)) show(control, parts);
  }
  page().classList.toggle("has-days", parts.get("when") === "custom");
  page().classList.toggle("has-open", parts.has("open"));
  const showsTrail = parts.get("list") === "done";
  page().classList.toggle("has-trail", showsTrail);
  const search = page().querySelector('[data-part="q"]');
  search.placeholder = showsTrail ? "Person, rule or setting" : "Name, number, words or SID";
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  parts.set("zone", zone);
  for (const name of ["page", "open", "before", "after", "n", "alert"]) parts.delete(name);
  page().querySelector("[data-csv]").href = `${showsTrail ? "audit" : "activity"}.csv?${parts}`;
}

function show(control, parts) {
  const usual = control.dataset.part === "when" ? "7" : "";
  control.value = parts.get(control.dataset.part) ?? usual;
}

/** Go to another view; going on typing replaces it instead of adding a step to go back to. */
function go(href, { replaces = false, isTyping = false } = {}) {
  const address = new URL(href, location.href);
  const now = new URLSearchParams(location.search);
  // Parts that belong to other pages stay.
  if (now.has("alert")) address.searchParams.set("alert", now.get("alert"));
  if (address.href !== location.href) {
    history[replaces ? "replaceState" : "pushState"](null, "", address);
  }
  tell({ isTyping });
}

function choose(name, value, options) {
  const address = new URL(location.href);
  for (const place of ["before", "after", "n"]) address.searchParams.delete(place);
  address.searchParams.set("page", "activity");
  if (value) address.searchParams.set(name, value);
  else address.searchParams.delete(name);
  go(address.href, options);
}

// Which control had the focus before an alert was opened.
let opener = "";

document.addEventListener("click", (event) => {
  if (!page()?.contains(event.target)) return;
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const way = event.target.closest("[data-go]");
  const row = event.target.closest("tbody tr");
  if (way && plain) {
    event.preventDefault();
    follow(way);
  } else if (row && plain && !event.target.closest("a, button") && !String(getSelection())) {
    // Not every row leads somewhere.
    if (row.querySelector("[data-go]")) follow(row.querySelector("[data-go]"));
  }
  const is = (name) => event.target.closest(`[data-${name}]`);
  const press = (input, id) => window.Shiny.setInputValue(input, { id }, { priority: "event" });
  if (is("again")) press(page().dataset.againInput, is("again").dataset.again);
  if (is("cancel")) press(page().dataset.cancelInput, is("cancel").dataset.cancel);
  if (is("print")) window.print();
  if (is("copy")) copy(is("copy"));
  if (is("tab")) showTab(is("tab").dataset.tab);
  const more = event.target.closest(".more");
  if (more) more.setAttribute("aria-expanded", String(more.getAttribute("aria-expanded") !== "true"));
});

function follow(way) {
  const isOpening = way.classList.contains("row-link");
  if (isOpening) opener = way.closest("[data-key]").dataset.key;
  focusNext = isOpening ? "panel" : way.classList.contains("close") ? "opener" : "";
  go(way.dataset.go || way.href);
}

async function copy(button) {
  const label = button.getAttribute("aria-label");
  await navigator.clipboard.writeText(button.dataset.copy);
  button.setAttribute("aria-label", "Copied");
  button.classList.add("copied");
  setTimeout(() => {
    button.setAttribute("aria-label", label);
    button.classList.remove("copied");
  }, 1500);
}

const TYPING_MS = 250;
let typing = 0;
document.addEventListener("input", (event) => {
  if (!event.target.matches?.('.activity-page [data-part="q"]')) return;
  clearTimeout(typing);
  const replaces = new URLSearchParams(location.search).has("q");
  const search = () => choose("q", event.target.value.trim(), { replaces, isTyping: true });
  typing = setTimeout(search, TYPING_MS);
});

document.addEventListener("change", (event) => {
  const control = event.target;
  if (!control.matches?.(".activity-page [data-part]") || control.dataset.part === "q") return;
  choose(control.dataset.part, control.dataset.part === "when" && control.value === "7" ? "" : control.value);
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".activity-page .filters")) return;
  event.preventDefault();
  clearTimeout(typing);
  choose("q", event.target.querySelector('[data-part="q"]').value.trim());
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !isInFront()) return;
  page().querySelector(".opened .close")?.click();
});

// --- How wide the page is, which may have only a part of the window: see activity.css ---

const WIDE = 1100, ROOMY = 840, NARROW = 720;
const widths = new ResizeObserver(([{ target, contentRect: { width } }]) => {
  if (!width) return;
  target.classList.toggle("wide", width >= WIDE);
  target.classList.toggle("roomy", width >= ROOMY);
  target.classList.toggle("narrow", width < NARROW);
});
if (page()) widths.observe(page());

// --- Tabs follow the address too ---

const tabs = () => document.querySelectorAll(".navbar [data-value]");
let isGoingBack = false;

function showTab(name) {
  [...tabs()].find((tab) => tab.dataset.value === name)?.click();
}

document.addEventListener("shown.bs.tab", (event) => {
  const name = event.target.dataset.value;
  if (name && event.target.closest(".navbar") && !isGoingBack) {
    const now = new URLSearchParams(location.search);
    const isFirst = name === tabs()[0]?.dataset.value;
    if ((now.get("page") ?? (isFirst ? name : "")) !== name) {
      const address = new URL(location.href);
      const alert = now.get("alert");
      address.search = "";
      if (!isFirst) address.searchParams.set("page", name);
      if (alert) address.searchParams.set("alert", alert);
      history.pushState(null, "", address);
    }
  }
  tell();
});

function tabOfAddress() {
  isGoingBack = true;
  showTab(new URLSearchParams(location.search).get("page") ?? tabs()[0]?.dataset.value);
  isGoingBack = false;
  tell();
}

addEventListener("popstate", tabOfAddress);
// Shiny announces its events through jQuery, which comes with it.
window.jQuery(document).on("shiny:connected", () => {
  if (new URLSearchParams(location.search).has("page")) tabOfAddress();
  else tell();
});

// --- After a part has been brought up to date ---

let focusNext = "";

// common.js listens first, and has already put in the new HTML.
window.jQuery(document).on("shiny:value", (event) => {
  const part = event.target;
  if (!part?.matches?.(".activity-page .cb-patched")) return;
  for (const control of part.querySelectorAll("select[data-part]")) {
    show(control, new URLSearchParams(location.search));
  }
  if (focusNext === "panel" && part.querySelector(".opened")) {
    part.querySelector(".opened h2").focus({ preventScroll: true });
    focusNext = "";
  } else if (focusNext === "opener" && part.querySelector("table")) {
    part.querySelector(`[data-key="${CSS.escape(opener)}"] .row-link`)?.focus();
    focusNext = "";
  }
});
