// The handset: shows what the server tells of the call, rings, speaks, and sends back the keys.

const handsets = () => document.querySelectorAll(".handset");
const tell = (phone, what, value = {}) =>
  window.Shiny.setInputValue(phone.id.replace(/handset$/, what), value, { priority: "event" });

// --- Ringing -----------------------------------------------------------------------------------

let bell = null;

function ring(on) {
  if (!on || localStorage.getItem("callboard-silent") === "true") {
    bell?.close();
    bell = null;
    return;
  }
  if (bell) return;
  bell = new AudioContext();
  const volume = bell.createGain();
  volume.gain.value = 0;
  volume.connect(bell.destination);
  for (const pitch of [440, 480]) {
    const tone = bell.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(volume);
    tone.start();
  }
  // One second of ringing, two of silence.
  for (let second = 0; second < 60; second += 3) {
    volume.gain.setValueAtTime(0.06, bell.currentTime + second);
    volume.gain.setValueAtTime(0, bell.currentTime + second + 1);
  }
}

function showSilence() {
  const silent = localStorage.getItem("callboard-silent") === "true";
  for (const phone of handsets()) {
    const button = phone.querySelector(".silence");
    button.setAttribute("aria-pressed", String(silent));
    button.textContent = silent ? "Ringer off" : "Ringer on";
  }
}

// --- The call ----------------------------------------------------------------------------------

const LOOK_BACK = 4000; // milliseconds to read why a call is over

const WORDS = {
  idle: ["No call", "Calls that you send ring here."],
  ringing: ["Callboard is calling", "Answer to hear the message."],
  talking: ["Callboard", ""],
  over: ["Call over", ""],
};

function paragraph(text, className) {
  const element = document.createElement("p");
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

function speak(words) {
  if (!window.speechSynthesis) return;
  const utterance = new SpeechSynthesisUtterance(words.text);
  utterance.lang = words.language ?? "en-US";
  window.speechSynthesis.speak(utterance);
}

// A sheet that rose by itself sinks again, unless somebody is busy with it.
function putDown(phone) {
  if (phone.dataset.phase !== "over" || phone.contains(document.activeElement)) return;
  open(phone, false);
}

function open(phone, isOpen) {
  phone.toggleAttribute("data-open", isOpen);
  phone.querySelector(".handset-bar").setAttribute("aria-expanded", String(isOpen));
}

function show(phone, call) {
  const before = phone.dataset.phase;
  phone.dataset.phase = call.phase;
  phone.dataset.gathering = String(call.gathering);
  if (call.phase === "ringing" && before !== "ringing") {
    phone.dataset.heard = "0";
    phone.dataset.answered = "false";
    open(phone, true);
  }
  const [title, hint] = WORDS[call.phase];
  phone.querySelector(".handset-who h2").textContent = title;
  phone.querySelector(".bar-state").textContent = title;
  phone.querySelector(".handset-who p").textContent = call.caller ? `from ${call.caller}` : "";
  phone.querySelector(".answer").hidden = call.phase !== "ringing";
  phone.querySelector(".decline").hidden = call.phase !== "ringing";
  phone.querySelector(".hang-up").hidden = call.phase !== "talking";
  phone.querySelector(".handset-keys").hidden = call.phase !== "talking";
  ring(call.phase === "ringing");

  const captions = phone.querySelector(".captions");
  const heard = call.phase === "ringing" ? 0 : Number(phone.dataset.heard);
  if (heard === 0) captions.replaceChildren();
  if (hint) captions.replaceChildren(paragraph(hint, "quiet"));
  for (const words of call.words.slice(heard)) {
    captions.append(paragraph(words.text, words.kind === "say" ? "" : "quiet"));
    // Only to whoever picked up: a call that answers itself stays silent.
    if (words.kind === "say" && phone.dataset.answered === "true") speak(words);
  }
  phone.dataset.heard = String(call.words.length);
  if (call.gathering) captions.append(paragraph("Waiting for a key.", "quiet"));
  if (call.phase === "over") {
    window.speechSynthesis?.cancel();
    captions.append(paragraph(call.ended_because, "quiet"));
    setTimeout(() => putDown(phone), LOOK_BACK);
  }
  const screen = phone.querySelector(".handset-screen");
  screen.scrollTop = screen.scrollHeight;
}

function showTexts(phone, texts) {
  const bubbles = texts.map(({ body, theirs }) =>
    paragraph(body, theirs ? "bubble" : "bubble ours"),
  );
  phone.querySelector(".texts").replaceChildren(...bubbles);
  phone.querySelector(".handset-reply").hidden = false;
  if (texts.length) open(phone, true);
  const screen = phone.querySelector(".handset-screen");
  screen.scrollTop = screen.scrollHeight;
}

// --- Fingers -----------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest(".handset button");
  if (!button) return;
  const phone = button.closest(".handset");
  if (button.matches(".answer")) {
    phone.dataset.answered = "true";
    tell(phone, "answer");
  } else if (button.matches(".decline")) tell(phone, "decline");
  else if (button.matches(".hang-up")) tell(phone, "hang_up");
  else if (button.dataset.key) {
    window.speechSynthesis?.cancel(); // a key cuts short what was being said
    tell(phone, "key", { key: button.dataset.key });
  } else if (button.matches(".handset-bar")) {
    open(phone, !phone.hasAttribute("data-open"));
  } else if (button.matches(".silence")) {
    const silent = localStorage.getItem("callboard-silent") === "true";
    localStorage.setItem("callboard-silent", String(!silent));
    showSilence();
    ring(phone.dataset.phase === "ringing");
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".handset-reply");
  if (!form) return;
  event.preventDefault();
  const field = form.querySelector("input");
  if (field.value.trim()) tell(form.closest(".handset"), "reply", { body: field.value.trim() });
  field.value = "";
});

window.jQuery(document).on("shiny:connected", () => {
  showSilence();
  window.Shiny.addCustomMessageHandler("callboard-call", ({ name, call }) =>
    show(document.getElementById(name), call),
  );
  window.Shiny.addCustomMessageHandler("callboard-texts", ({ name, texts }) =>
    showTexts(document.getElementById(name), texts),
  );
});
