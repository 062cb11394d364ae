// A page without a session looks alive and does nothing, for instance behind a proxy that passes no
// WebSockets on. Say so until a session opens. Shiny itself reports a connection that is lost later.

const PATIENCE_MS = 5000;
const LOOK_EVERY_MS = 250;
const began = Date.now();

function isOpen() {
  return window.Shiny?.shinyapp?.$socket?.readyState === WebSocket.OPEN;
}

function hasFailed() {
  return document.querySelector("#shiny-disconnected-overlay") || Date.now() - began > PATIENCE_MS;
}

function explain() {
  const notice = document.createElement("div");
  notice.className = "no-session";
  notice.setAttribute("role", "alert");
  notice.textContent =
    "This page can't connect to Callboard, so nothing on it works. If you run it, let the proxy " +
    "pass WebSockets on, with the headers Upgrade, Connection and Host (docs/deploying_proxies.md). " +
    "If it does, Callboard's log says why it refused this page.";
  document.body.prepend(notice);
  window.jQuery(document).one("shiny:connected", () => notice.remove());
}

const looking = setInterval(() => {
  if (isOpen()) {
    clearInterval(looking);
  } else if (hasFailed()) {
    clearInterval(looking);
    explain();
  }
}, LOOK_EVERY_MS);

// Shiny's link to reconnect has its handler in an attribute, which the page's
// Content-Security-Policy doesn't allow to run.
document.addEventListener("click", (event) => {
  if (!event.target.closest("#shiny-reconnect-now")) return;
  event.preventDefault();
  window.Shiny.shinyapp.reconnect();
});
