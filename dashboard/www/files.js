// Chosen files: after a lost connection there is a new session, which has none of them. Shiny still
// shows their names, so say it where they were chosen. A page whose server no longer needs a file
// removes `data-chosen` from its field.

const LOST = "Choose the file again: the connection was lost.";
const NOTICE = "file-lost";
let lost = [];

function askAgain(field) {
  delete field.dataset.chosen;
  field.value = "";
  const container = field.closest(".shiny-input-container");
  const name = container.querySelector("input[type=text]");
  if (name) name.value = "";
  const progress = container.querySelector(".progress");
  if (progress) progress.style.visibility = "hidden";
  const notice = document.createElement("p");
  notice.className = `cb-note bad ${NOTICE}`;
  notice.setAttribute("role", "alert");
  notice.textContent = LOST;
  container.after(notice);
}

window.jQuery(document).on("shiny:disconnected", () => {
  lost = [...document.querySelectorAll(".callboard input[type=file][data-chosen]")];
});

window.jQuery(document).on("shiny:connected", () => {
  for (const field of lost.filter((each) => each.isConnected)) askAgain(field);
  lost = [];
});

document.addEventListener("change", (event) => {
  const container = event.target.type === "file" && event.target.closest(".shiny-input-container");
  if (!container) return;
  if (event.target.files.length) event.target.dataset.chosen = "";
  const notice = container.nextElementSibling;
  if (notice?.classList.contains(NOTICE)) notice.remove();
}, true);
