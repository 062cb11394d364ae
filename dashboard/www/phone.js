// The handset: shows the call as the server reports it, rings, speaks, and sends back the keys.

const MAX_CAPTIONS = 200;
const MS_TO_READ_WHY_IT_ENDED = 4000;
const WORDS = {
  idle: "No call",
  ringing: "Callboard is calling",
  talking: "Callboard",
  over: "Call ended",
};

const handsets = () => document.querySelectorAll(".handset");
const tell = (phone, what, value = {}) =>
  window.Shiny.setInputValue(phone.id.replace(/handset$/, what), value, { priority: "event" });
const hush = () => window.speechSynthesis?.cancel();

// --- Ringing ------------------------------------------------------------------------------------

let bell = null;
const isSilent = () => localStorage.getItem("callboard-silent") === "true";

function ring(on) {
  if (!on || isSilent()) {
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
  for (const phone of handsets()) {
    const button = phone.querySelector(".silence");
    button.setAttribute("aria-pressed", String(isSilent()));
    button.textContent = isSilent() ? "Ringer off" : "Ringer on";
  }
}

// --- The call -----------------------------------------------------------------------------------

function paragraph(text, className = "") {
  const element = document.createElement("p");
  element.textContent = text;
  element.className = className;
  return element;
}

function write(element, text) {
  // Only if it changed: a screen reader repeats text that is written again.
  if (element.textContent !== text) element.textContent = text;
}

function scrollDown(phone) {
  const screen = phone.querySelector(".handset-screen");
  screen.scrollTop = screen.scrollHeight;
}

function speak({ text, language }) {
  if (!window.speechSynthesis) return;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = language ?? "en-US";
  window.speechSynthesis.speak(utterance);
}

function open(phone, isOpen) {
  clearTimeout(phone.sinking);
  phone.toggleAttribute("data-open", isOpen);
  phone.querySelector(".handset-bar").setAttribute("aria-expanded", String(isOpen));
}

// A sheet that opened by itself closes again, unless a reply is being written on it.
function sinkSoon(phone) {
  clearTimeout(phone.sinking);
  phone.sinking = setTimeout(() => {
    if (phone.querySelector(".handset-reply").contains(document.activeElement)) return;
    const hadFocus = phone.contains(document.activeElement);
    open(phone, false);
    if (hadFocus) phone.querySelector(".handset-bar").focus();
  }, MS_TO_READ_WHY_IT_ENDED);
}

function showButtons(phone, phase) {
  const hadFocus = phone.querySelector(".handset-actions").contains(document.activeElement);
  for (const [button, when] of [
    [".answer", "ringing"],
    [".decline", "ringing"],
    [".hang-up", "talking"],
    [".handset-keys", "talking"],
  ]) {
    phone.querySelector(button).hidden = phase !== when;
  }
  if (!hadFocus) return;
  // The pressed button is gone: keep the focus on the one in its place.
  const next = phone.querySelector(".handset-actions button:not([hidden])");
  (next ?? phone.querySelector(".handset-screen")).focus();
}

function show(phone, call) {
  phone.dataset.phase = call.phase;
  phone.dataset.gathering = String(call.gathering);
  const captions = phone.querySelector(".captions");
  if (call.is_new) {
    captions.replaceChildren();
    phone.dataset.answered = "false";
  }
  if (call.phase === "ringing") open(phone, true);
  write(phone.querySelector(".handset-who h2"), WORDS[call.phase]);
  write(phone.querySelector(".bar-state"), WORDS[call.phase]);
  const whose = call.whose ? `${call.whose}, from ` : "from ";
  write(phone.querySelector(".handset-who p"), call.caller ? `${whose}${call.caller}` : "");
  showButtons(phone, call.phase);
  ring(call.phase === "ringing");
  for (const words of call.words) {
    captions.append(paragraph(words.text, words.kind === "say" ? "" : "quiet"));
    // Speak only if the visitor answered: a call that answers itself stays silent.
    if (words.kind === "say" && phone.dataset.answered === "true") speak(words);
  }
  while (captions.childElementCount > MAX_CAPTIONS) captions.firstElementChild.remove();
  if (call.phase === "over") {
    captions.append(paragraph(call.ended_because, "quiet"));
    sinkSoon(phone);
  }
  if (call.phase !== "idle") scrollDown(phone);
}

function showTexts(phone, texts) {
  const list = phone.querySelector(".texts");
  const shown = list.querySelectorAll(".bubble").length;
  for (const { body, theirs, number } of texts.slice(shown)) {
    if (list.dataset.number !== number) {
      list.append(paragraph(`Texts with ${number}`, "quiet"));
      list.dataset.number = number;
    }
    const bubble = paragraph(body, theirs ? "bubble" : "bubble ours");
    const sender = document.createElement("span");
    sender.className = "visually-hidden";
    sender.textContent = theirs ? "Callboard: " : "You: ";
    bubble.prepend(sender);
    list.append(bubble);
  }
  phone.querySelector(".handset-reply").hidden = false;
  if (texts.length > shown) {
    open(phone, true);
    sinkSoon(phone);
  }
  if (texts.length) scrollDown(phone);
}

function lose(phone) {
  phone.dataset.phase = "over";
  phone.dataset.gathering = "false";
  showButtons(phone, "over");
  write(phone.querySelector(".handset-who h2"), "Connection lost");
}

// --- Buttons and keys ---------------------------------------------------------------------------

function press(phone, key) {
  hush(); // a key cuts short what was being said
  tell(phone, "key", { key });
}

function fillIn(number) {
  const field = document.querySelector(".callboard input[id$='phone_number']");
  field.value = number;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".handset button");
  if (!button) return;
  const phone = button.closest(".handset");
  if (button.matches(".answer")) {
    phone.dataset.answered = "true";
    tell(phone, "answer");
  } else if (button.matches(".decline")) {
    tell(phone, "decline");
  } else if (button.matches(".hang-up")) {
    hush();
    tell(phone, "hang_up");
  } else if (button.matches(".reply-one")) {
    tell(phone, "reply", { body: "1" });
  } else if (button.dataset.key) {
    press(phone, button.dataset.key);
  } else if (button.dataset.number) {
    fillIn(button.dataset.number);
  } else if (button.matches(".handset-bar")) {
    open(phone, !phone.hasAttribute("data-open"));
  } else if (button.matches(".silence")) {
    localStorage.setItem("callboard-silent", String(!isSilent()));
    showSilence();
    ring(phone.dataset.phase === "ringing");
  }
});

document.addEventListener("keydown", (event) => {
  const phone = event.target.closest?.(".handset[data-phase='talking']");
  if (!phone || event.target.matches("input") || event.ctrlKey || event.metaKey) return;
  if (/^[0-9*#]$/.test(event.key)) press(phone, event.key);
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest(".handset-reply");
  if (!form) return;
  event.preventDefault();
  const field = form.querySelector("input");
  if (field.value.trim()) tell(form.closest(".handset"), "reply", { body: field.value.trim() });
  field.value = "";
});

window.addEventListener("pagehide", hush);

window
  .jQuery(document)
  .on("shiny:connected", () => {
    showSilence();
    window.Shiny.addCustomMessageHandler("callboard-call", ({ name, call }) =>
      show(document.getElementById(name), call),
    );
    window.Shiny.addCustomMessageHandler("callboard-texts", ({ name, texts }) =>
      showTexts(document.getElementById(name), texts),
    );
  })
  .on("shiny:disconnected", () => {
    ring(false);
    hush();
    handsets().forEach(lose);
  });
