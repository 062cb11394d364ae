// Shiny Server opens sessions without the cookie of the sign-in. So get a token with the cookie,
// and send it along with the first message of each session.

const FIELD = "callboard_token";
let create = window.Shiny.createSocket; // Shiny Server's own, which it may set later

async function token() {
  const answer = await fetch("session-token", { method: "POST", credentials: "same-origin" });
  if (answer.status === 401) location.reload(); // leads to the sign-in page
  return answer.ok ? answer.text() : "";
}

function plain() {
  const address = new URL("websocket/", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  address.search = address.hash = "";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  return socket;
}

function withToken() {
  const socket = create ? create() : plain();
  const send = socket.send.bind(socket);
  const waiting = [];
  let isFirst = true;
  socket.send = (message) => {
    waiting.push(message);
    if (!isFirst) return;
    isFirst = false;
    token()
      .catch(() => "") // no connection: the session is refused, and the page tries again
      .then((value) => {
        const first = JSON.parse(waiting.shift());
        first.data[FIELD] = value;
        socket.send = send;
        for (const each of [JSON.stringify(first), ...waiting]) send(each);
      });
  };
  return socket;
}

Object.defineProperty(window.Shiny, "createSocket", {
  get: () => withToken,
  set: (given) => {
    create = given;
  },
});
