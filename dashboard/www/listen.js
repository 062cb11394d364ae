// Listen: speaks the TwiML of the preview as Twilio would, with a voice of the browser.
// https://developer.mozilla.org/en-US/docs/Web/API/Web_Speech_API

const MS_FOR_A_VOICE_TO_START = 1500;
// loop="0" repeats until they hang up; in the browser three times are enough.
const TIMES_FOR_ENDLESS = 3;

function whatTwilioSays(xml) {
  const documentElement = new DOMParser().parseFromString(xml, "text/xml").documentElement;
  return [...documentElement.querySelectorAll("Say")].flatMap((say) => {
    const times = Number(say.getAttribute("loop") ?? 1) || TIMES_FOR_ENDLESS;
    const spoken = { text: say.textContent, language: say.getAttribute("language") ?? "en-US" };
    return Array(times).fill(spoken);
  });
}

function voiceFor(language) {
  const voices = window.speechSynthesis.getVoices();
  const plain = (name) => name.replace("_", "-").toLowerCase();
  return (
    voices.find((voice) => plain(voice.lang) === plain(language)) ??
    voices.find((voice) => plain(voice.lang).startsWith(language.slice(0, 2)))
  );
}

function show(button, speaking) {
  button.classList.toggle("speaking", speaking);
  button.querySelector(".listen-label").textContent = speaking ? "Stop" : "Listen";
}

function listen(button) {
  window.speechSynthesis.cancel();
  const xml = document.getElementById(button.dataset.listen).textContent;
  if (!xml) return;
  const utterances = whatTwilioSays(xml).map(({ text, language }) => {
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = language;
    utterance.voice = voiceFor(language) ?? null;
    utterance.onerror = () => show(button, false);
    return utterance;
  });
  const last = utterances.at(-1);
  if (!last) return;
  last.onend = () => show(button, false);
  show(button, true);
  setTimeout(() => {
    // A browser without voices neither speaks nor reports an error.
    if (!window.speechSynthesis.speaking && !window.speechSynthesis.getVoices().length) {
      stop(button);
      button.querySelector(".listen-label").textContent = "No voice here";
    }
  }, MS_FOR_A_VOICE_TO_START);
  for (const utterance of utterances) window.speechSynthesis.speak(utterance);
}

function stop(button) {
  window.speechSynthesis.cancel();
  show(button, false);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-listen]");
  if (!button) return;
  if (button.classList.contains("speaking")) stop(button);
  else listen(button);
});

// Stop as soon as the form changes: what is being said is no longer what would be sent.
for (const change of ["input", "change"]) {
  document.addEventListener(change, (event) => {
    const button = event.target.closest(".callboard")?.querySelector("[data-listen].speaking");
    if (button) stop(button);
  });
}

if (!window.speechSynthesis) {
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-listen]")) {
      button.disabled = true;
      button.title = "This browser can't speak.";
    }
  });
}
