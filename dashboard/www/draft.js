// A draft survives a reload, a lost connection and a closed tab. Until it is sent it is kept for
// every tab of this browser, for some hours; after that only for the tab that sent it.

const MS_TO_KEEP = 12 * 3600 * 1000;
const FIELDS = "input[id]:not([type=hidden], [type=file]), textarea[id], select[id]";

const keyOf = (page) => `callboard-draft-${page.dataset.module}`;

function fieldsOf(page) {
  return [...page.querySelectorAll(".cause " + FIELDS), ...page.querySelectorAll("[name][type=radio]")]
    .filter((field) => field.id || field.type === "radio");
}

function read(page) {
  const values = {};
  for (const field of fieldsOf(page)) {
    if (field.type === "radio") {
      if (field.checked) values[`radio ${field.name}`] = field.value;
    } else if (field.type === "checkbox") values[field.id] = field.checked;
    else values[field.id] = field.value;
  }
  return values;
}

function write(page, values) {
  for (const field of fieldsOf(page)) {
    const value = values[field.type === "radio" ? `radio ${field.name}` : field.id];
    if (value === undefined) continue;
    if (field.type === "radio") field.checked = field.value === value;
    else if (field.type === "checkbox") field.checked = value;
    else if (field.tagName === "SELECT") {
      // The voices of another language come only once the page is connected.
      if (![...field.options].some((option) => option.value === value)) {
        field.add(new Option(value, value));
      }
      field.value = value;
    } else field.value = value;
  }
}

function stored(storage, key) {
  try {
    const draft = JSON.parse(storage.getItem(key));
    return draft && Date.now() - draft.at < MS_TO_KEEP ? draft.values : null;
  } catch {
    return null; // kept by another version, or not readable in this browser
  }
}

function keep(storage, key, values) {
  try {
    storage.setItem(key, JSON.stringify({ at: Date.now(), values }));
  } catch {
    // A browser that keeps nothing, such as a full private window, has no draft.
  }
}

for (const page of document.querySelectorAll(".send-page")) {
  const key = keyOf(page);
  const draft = stored(sessionStorage, key) ?? stored(localStorage, key);
  if (draft) write(page, draft);
  const save = () => {
    const values = read(page);
    keep(sessionStorage, key, values);
    keep(localStorage, key, values);
  };
  page.addEventListener("input", save);
  page.addEventListener("change", save);
  page.addEventListener("shiny:updateinput", () => setTimeout(save, 0));
}

window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-sent", ({ module }) => {
    localStorage.removeItem(`callboard-draft-${module}`);
  });
});
