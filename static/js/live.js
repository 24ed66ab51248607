// The client of docs/protocol.md: one socket, any number of streams, resume by number, beats, jittered reconnect.
//
//   const live = new Live({path: "/ws/agent/", after: {"agent:7": 41}, beat: () => ({epoch: 3}), onFrame, onState});
//   live.start();
//
// onFrame(frame) is called for signs, and once for each event above the known number, in order, and for snapshots and heartbeats.
// onState(state) is called with "connected", "reconnecting" or "offline".

const BEAT_MS = 5000;
const DEAF_MS = 12000; // no heartbeat for so long: the connection is dead, whatever the browser says
const LATE_MS = 1000; // for which a frame may have been on its way
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10000;
const FOR_GOOD = new Set([4401, 4403, 4404]); // signed out or no such ticket: reconnecting would not help

export class Live {
  constructor({ path, after = {}, beat = () => ({}), onFrame, onState = () => {}, onGone = () => {} }) {
    Object.assign(this, { path, after, beat, onFrame, onState, onGone });
    this.pause = FIRST_PAUSE_MS;
    this.stopped = false;
    this.lost = 0; // when the device said that it is offline
  }

  start() {
    addEventListener("online", () => {
      this.lost = 0;
      this.hurry();
    });
    addEventListener("offline", () => {
      this.lost = Date.now();
      this.onState("offline");
    });
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => event.persisted && this.restart());
    this.open();
  }

  restart() {
    this.stopped = false;
    this.open();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.retry);
    clearInterval(this.beating);
    this.socket?.close();
  }

  open() {
    clearTimeout(this.retry);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const language = document.documentElement.lang.slice(0, 2);
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}?fragments=1&lang=${language}`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.heard = Date.now();
      this.send({ type: "resume", after: this.after });
      this.sendBeat();
      clearInterval(this.beating);
      this.beating = setInterval(() => this.sendBeat(), BEAT_MS);
    });
    socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => {
      if (socket !== this.socket) return;
      clearInterval(this.beating);
      if (FOR_GOOD.has(event.code)) {
        this.stopped = true;
        this.onGone(event.code);
      }
      if (this.stopped) return;
      this.onState(navigator.onLine ? "reconnecting" : "offline");
      // Jitter: after a restart of the server all clients would otherwise come back at the same moment.
      this.retry = setTimeout(() => this.open(), this.pause * (0.5 + Math.random()));
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    });
  }

  hurry() {
    if (this.stopped) return;
    if (this.socket?.readyState === WebSocket.OPEN) this.sendBeat();
    else if (this.socket?.readyState !== WebSocket.CONNECTING) {
      this.pause = FIRST_PAUSE_MS;
      this.open();
    }
  }

  sendBeat() {
    if (Date.now() - this.heard > DEAF_MS) {
      this.socket.close();
      return;
    }
    this.send({ type: "beat", ...this.beat() });
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  receive(frame) {
    this.heard = Date.now();
    this.pause = FIRST_PAUSE_MS;
    // What was on its way when the device went offline is no sign that it is back.
    if (this.heard - this.lost > LATE_MS) this.onState("connected");
    this.take(frame);
  }

  // Also for frames that came by HTTP: the answer to a command carries what is new, so a page works without its socket.
  take(frame) {
    if (frame.type === "sign") return this.onFrame(frame); // in passing: it has no number
    if (frame.stream !== undefined) {
      const known = this.after[frame.stream];
      if (frame.type === "snapshot" ? known !== undefined && frame.seq < known : known !== undefined && frame.seq <= known) return;
      this.after[frame.stream] = frame.seq;
    }
    this.onFrame(frame);
  }

  forget(stream) {
    delete this.after[stream];
  }
}

// Puts a frame's fragment into the page: htmx's own out-of-band swaps, so that fragments say themselves where they go.
export function apply(frame) {
  if (!frame.html) return;
  htmx.swap(document.body, frame.html, { swapStyle: "none" });
}
