/** The browser's WebSocket, and its clock. */
import type { Timers, Wire, WireEvents } from "./talk.ts";

export function openWire(events: WireEvents): Wire {
  const address = new URL("api/ws", document.baseURI);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(address, "pawline.v1");
  socket.addEventListener("open", () => events.open());
  socket.addEventListener("message", ({ data }) => events.message(data));
  socket.addEventListener("close", ({ code }) => events.closed(code));
  return {
    send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
    close: () => socket.close(),
  };
}

export const browserTimers: Timers = {
  set(callback, ms) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
