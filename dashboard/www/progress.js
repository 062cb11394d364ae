// What happens: rows of a broadcast as they change, the tab's title, and a notification at the end.

const title = document.title;

document.addEventListener("toggle", (event) => {
  const person = event.target.closest?.(".people .person");
  const card = person?.closest("[data-opened-input]");
  if (!card || !person.open) return;
  const value = { id: person.dataset.alert, at: Date.now() };
  window.Shiny.setInputValue(card.dataset.openedInput, value, { priority: "event" });
}, true);

function replaceRow(list, { id, summary, story }) {
  const person = list.querySelector(`[data-alert="${CSS.escape(id)}"]`);
  if (!person) return;
  const made = document.createElement("template");
  made.innerHTML = summary;
  // Only what is inside, so that the focus stays on the row.
  person.querySelector("summary").replaceChildren(...made.content.firstElementChild.childNodes);
  if (story) person.querySelector(".told").innerHTML = story;
}

function notify(words, whom) {
  if (!document.hidden || window.Notification?.permission !== "granted") return;
  new Notification(whom || title, { body: words, tag: "callboard" });
}

let wasUnderWay = false;

window.jQuery(document).on("shiny:connected", () => {
  window.Shiny.addCustomMessageHandler("callboard-rows", ({ list, rows }) => {
    const people = document.getElementById(list);
    if (people) rows.forEach((row) => replaceRow(people, row));
  });
  window.Shiny.addCustomMessageHandler("callboard-tab", ({ words, over, whom }) => {
    document.title = `${words} – ${title}`;
    if (over && wasUnderWay) notify(words, whom);
    wasUnderWay = !over;
  });
});

// Browsers ask for the permission only on a press.
document.addEventListener("click", (event) => {
  if (event.target.closest(".tell-me")) Notification.requestPermission().then(showTellMe);
});

function showTellMe() {
  for (const button of document.querySelectorAll(".tell-me")) {
    button.hidden = window.Notification?.permission !== "default";
  }
}

showTellMe();
