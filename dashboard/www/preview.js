// Colors TwiML with the CSS Custom Highlight API, so that the output stays plain text: the very
// document that will be sent. A browser without the API shows it without colors.
// https://developer.mozilla.org/en-US/docs/Web/API/CSS_Custom_Highlight_API

const PARTS = /(<\/?)([\w-]+)|([\w-]+)=("[^"]*")|(\/?>)/g;
const highlights = window.CSS?.highlights && {
  tag: new Highlight(),
  attribute: new Highlight(),
  value: new Highlight(),
};

function color(text) {
  const mark = (kind, start, length) => {
    const range = new StaticRange({
      startContainer: text, startOffset: start, endContainer: text, endOffset: start + length,
    });
    highlights[kind].add(range);
  };
  for (const part of text.data.matchAll(PARTS)) {
    const [all, , , attribute, value] = part;
    if (!attribute) mark("tag", part.index, all.length);
    else {
      mark("attribute", part.index, attribute.length);
      mark("value", part.index + attribute.length + 1, value.length);
    }
  }
}

function colorEverything() {
  for (const highlight of Object.values(highlights)) highlight.clear();
  for (const preview of document.querySelectorAll(".callboard .twiml pre")) {
    if (preview.firstChild) color(preview.firstChild);
  }
}

if (highlights) {
  for (const [kind, highlight] of Object.entries(highlights)) {
    CSS.highlights.set(`twiml-${kind}`, highlight);
  }
  const observer = new MutationObserver(colorEverything);
  document.addEventListener("DOMContentLoaded", () => {
    for (const preview of document.querySelectorAll(".callboard .twiml pre")) {
      observer.observe(preview, { childList: true, characterData: true, subtree: true });
    }
    colorEverything();
  });
}
