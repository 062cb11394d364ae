// A page without a session looks alive and does nothing, as behind a proxy that passes no WebSockets
// on: say so, until one opens.

const PATIENCE_MS = 5000;

function isOpen() {
  return window.Shiny?.shinyapp?.$socket?.readyState === WebSocket.OPEN;
}

function explain() {
  if (isOpen()) return;
  const notice = document.createElement("div");
  notice.className = "no-session";
  notice.setAttribute("role", "alert");
  notice.textContent =
    "This page can't connect to Callboard, so nothing on it works. Whoever runs it: let the proxy " +
    "pass WebSockets on, with the headers Upgrade, Connection and Host (docs/deploying_proxies.md). " +
    "If it does, Callboard's log says why it refused this page.";
  document.body.prepend(notice);
  window.jQuery(document).one("shiny:connected", () => notice.remove());
}

// The first connection only: Shiny itself tells of one that is lost later.
let wasOpen = isOpen();
window.jQuery?.(document).one("shiny:connected", () => {
  wasOpen = true;
});
setTimeout(() => wasOpen || explain(), PATIENCE_MS);
