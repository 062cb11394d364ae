// What all pages share: the time zone of the reader, the focus, fields marked as wrong, and parts
// that change piece by piece.

// Shiny announces its events through jQuery, which comes with it.
window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-focus", ({ id, refused = false }) => {
    const control = document.getElementById(id);
    control?.closest("details")?.setAttribute("open", "");
    control?.focus();
    if (control && refused) markAsRefused(control);
  });
  window.Shiny.addCustomMessageHandler("callboard-not-allowed", hideWhatIsNotAllowed);
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const page of document.querySelectorAll("[data-time-zone-input]")) {
    window.Shiny.setInputValue(page.dataset.timeZoneInput, zone);
  }
});

// --- A connection that was lost ---

// When Shiny connects again it sends every input once more, including buttons that were pressed long
// ago, which mustn't act a second time, and the address as it was when the page was opened.
const pressed = new Set();
window.jQuery(document).on("shiny:inputchanged", ({ name, inputType, priority }) => {
  if (priority === "event") pressed.add(inputType ? `${name}:${inputType}` : name);
});
window.jQuery(document).on("shiny:connected", () => {
  const inputs = window.Shiny.shinyapp.$initialInput; // what the session begins with
  for (const name of pressed) delete inputs[name];
  inputs[".clientdata_url_search"] = location.search;
});

// --- What the visitor may not do ---

const notAllowed = new CSSStyleSheet();
document.adoptedStyleSheets.push(notAllowed);

/** Hide controls that need a permission the visitor lacks, and show the sentence that says so. */
function hideWhatIsNotAllowed({ hidden, lacking }) {
  notAllowed.replaceSync(hidden ? `:is(${hidden}) { display: none !important; }` : "");
  for (const sentence of document.querySelectorAll("[data-lacks]")) {
    sentence.hidden = !lacking.includes(sentence.dataset.lacks);
  }
}

/** Show that the button was refused for this control, until its content changes. */
function markAsRefused(control) {
  control.dataset.refused = "";
  control.setAttribute("aria-invalid", "true");
  const forget = () => {
    delete control.dataset.refused;
    control.setAttribute("aria-invalid", "false");
  };
  control.addEventListener("input", forget, { once: true });
}

// A control is invalid, or disabled, exactly while the line that describes it says so, or the button
// was refused for it.
new MutationObserver(() => {
  for (const control of document.querySelectorAll(".callboard [aria-describedby]")) {
    const line = document.getElementById(control.getAttribute("aria-describedby"));
    const isWrong = line?.querySelector(".bad") || "refused" in control.dataset;
    control.setAttribute("aria-invalid", String(Boolean(isWrong)));
    control.disabled = Boolean(line?.querySelector(".unavailable"));
  }
}).observe(document.documentElement, { childList: true, subtree: true });

// --- Bringing a part up to date without replacing what stays as it is ---

window.jQuery(document).on("shiny:value", (event) => {
  if (!event.target?.classList?.contains("cb-patched")) return;
  event.preventDefault();
  bringUpToDate(event.target, event.value?.html ?? "");
});

/** Make an element hold this HTML. For other scripts, which listen to `callboard:patch`. */
function bringUpToDate(element, html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  patch(element, made.content);
}

// Scripts are modules, which share nothing but events.
document.addEventListener("callboard:patch", ({ target, detail }) => bringUpToDate(target, detail));

/** Make `old` hold what `made` holds. Elements with the same key, or at the same place, stay. */
function patch(old, made) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset?.key) keyed.set(child.dataset.key, child);
  let place = old.firstChild;
  for (const wanted of [...made.childNodes]) {
    const known = wanted.dataset?.key ? keyed.get(wanted.dataset.key) : place;
    const fits =
      known &&
      known.nodeType === wanted.nodeType &&
      known.nodeName === wanted.nodeName &&
      (known.dataset?.key ?? "") === (wanted.dataset?.key ?? "");
    if (!fits) {
      old.insertBefore(wanted, place);
      continue;
    }
    if (known === place) place = place.nextSibling;
    else old.insertBefore(known, place);
    if (known.nodeType !== Node.ELEMENT_NODE) {
      if (known.data !== wanted.data) known.data = wanted.data;
    } else if (known.outerHTML !== wanted.outerHTML) {
      attributes(known, wanted);
      patch(known, wanted);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function attributes(old, made) {
  for (const { name } of [...old.attributes]) {
    // Whether a disclosure is open is the reader's choice.
    if (!made.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of made.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
