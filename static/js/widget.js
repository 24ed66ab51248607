// The widget, for any site:  <script src="https://our.address/widget.js" async></script>
// A button in the corner opens our own pages in a frame. Nothing of the site's page is read but its language and the theme:
//   standby-widget { --standby-accent: #7a1f5c; --standby-on-accent: #fff; --standby-radius: 4px; --standby-side: left; }
// Of the script's attributes: data-lang="de", data-topic="refund" (chosen beforehand), data-label="Help". A page that wants the
// button elsewhere, or none, writes <standby-widget></standby-widget> itself, and calls its open() and close().

(() => {
  const script = document.currentScript;
  const origin = new URL(script.src).origin;
  const WORDS = {
    en: { open: "Ask a person", close: "Close", title: "Help: ask a person", unread: (n) => `${n} new message${n === 1 ? "" : "s"}` },
    de: { open: "Einen Menschen fragen", close: "Schließen", title: "Hilfe: einen Menschen fragen", unread: (n) => (n === 1 ? "1 neue Nachricht" : `${n} neue Nachrichten`) },
  };
  const THEME = ["accent", "on-accent", "radius"];
  const STYLE = `
    :host { position: fixed; inset-block-end: max(1rem, env(safe-area-inset-bottom)); inset-inline: auto 1rem; z-index: 2147483000;
      font: 500 1rem/1.4 system-ui, sans-serif; color-scheme: light dark; }
    :host([side=left]) { inset-inline: 1rem auto; }
    button { font: inherit; cursor: pointer; border: 0; min-block-size: 3rem; padding: .6rem 1.1rem;
      color: var(--standby-on-accent, #fff); background: var(--standby-accent, #0b5d57); border-radius: var(--standby-radius, 1.5rem);
      box-shadow: 0 2px 10px rgb(0 0 0 / 25%); }
    button:focus-visible { outline: 3px solid var(--standby-accent, #0b5d57); outline-offset: 3px; }
    .count { margin-inline-start: .5rem; padding: 0 .45rem; border-radius: 1rem; background: #fff; color: #111; font-variant-numeric: tabular-nums; }
    .panel { position: fixed; inset-block: auto 5.5rem; inset-inline: auto 1rem; inline-size: min(26rem, calc(100vw - 2rem));
      block-size: min(42rem, calc(100dvh - 7rem)); border-radius: 1rem; overflow: hidden; box-shadow: 0 8px 40px rgb(0 0 0 / 35%); background: Canvas; }
    :host([side=left]) .panel { inset-inline: 1rem auto; }
    iframe { inline-size: 100%; block-size: 100%; border: 0; display: block; }
    [hidden] { display: none !important; }
    @media (max-width: 40rem), (max-height: 30rem) {
      .panel { inset: 0 0 4.5rem 0; inline-size: auto; block-size: auto; border-radius: 0; }
    }
    @media print { :host { display: none; } }`;

  class StandbyWidget extends HTMLElement {
    #frame;
    #unread = 0;

    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open" });
      const style = new CSSStyleSheet(); // not <style>: a site may forbid inline styles
      style.replaceSync(STYLE);
      root.adoptedStyleSheets = [style];
      root.innerHTML = '<div class="panel" hidden></div><button type="button" aria-expanded="false" aria-controls="panel"><span></span><b class="count" hidden></b></button>';
      this.panel = root.querySelector(".panel");
      this.panel.id = "panel";
      this.button = root.querySelector("button");
      this.button.addEventListener("click", () => (this.panel.hidden ? this.open() : this.close()));
      if (this.#css("side") === "left") this.setAttribute("side", "left");
      addEventListener("message", (event) => this.#heard(event));
      this.#draw();
    }

    get language() {
      const asked = this.getAttribute("lang") ?? script.dataset.lang ?? (document.documentElement.lang || navigator.language);
      return asked.toLowerCase().startsWith("de") ? "de" : "en";
    }

    open() {
      if (!this.#frame) {
        const address = new URL("/widget/", origin);
        address.searchParams.set("lang", this.language);
        const topic = this.getAttribute("topic") ?? script.dataset.topic;
        if (topic) address.searchParams.set("topic", topic);
        this.#frame = Object.assign(document.createElement("iframe"), { src: address.href, title: WORDS[this.language].title, referrerPolicy: "no-referrer" });
        this.panel.append(this.#frame);
      }
      this.panel.hidden = false;
      this.#unread = 0;
      this.#draw();
      this.#tell({ shown: true });
      this.#frame.focus();
    }

    close() {
      this.panel.hidden = true;
      this.#draw();
      this.#tell({ shown: false });
      this.button.focus();
    }

    #draw() {
      const words = WORDS[this.language];
      const open = !this.panel.hidden;
      const count = this.button.querySelector(".count");
      this.button.setAttribute("aria-expanded", open);
      this.button.firstElementChild.textContent = open ? words.close : (this.getAttribute("label") ?? script.dataset.label ?? words.open);
      count.hidden = open || !this.#unread;
      count.textContent = this.#unread;
      count.setAttribute("aria-label", words.unread(this.#unread));
    }

    #css(name) {
      return getComputedStyle(this).getPropertyValue(`--standby-${name}`).trim();
    }

    #tell(what) {
      this.#frame?.contentWindow?.postMessage({ standby: what }, origin);
    }

    #heard(event) {
      if (event.origin !== origin || event.source !== this.#frame?.contentWindow) return;
      const said = event.data?.standby ?? {};
      if (said.ready) this.#tell({ shown: !this.panel.hidden, theme: Object.fromEntries(THEME.map((name) => [name, this.#css(name)])) });
      if (said.close) this.close();
      if (Number.isInteger(said.unread) && this.panel.hidden) {
        this.#unread = said.unread;
        this.#draw();
      }
    }
  }

  if (customElements.get("standby-widget")) return; // the script stands in the page twice
  customElements.define("standby-widget", StandbyWidget);
  const place = () => document.querySelector("standby-widget") ?? document.body.append(document.createElement("standby-widget"));
  if (document.body) place();
  else addEventListener("DOMContentLoaded", place);
})();
