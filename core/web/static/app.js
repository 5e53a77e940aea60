// The page's own script: everything is delegated from the document, so swapped-in parts work without being told.
import "./keys.js";
import "./form.js";
import "./lookup.js";
import "./lines.js";
import "./lists.js";
import { showTabs } from "./tabs.js";
import { showTypes } from "./types.js";
import { toast, words } from "./say.js";

// Where the pages begin: "/", but "/offline/" in an offline system. This file is at <root>static/<stamp>/app.js.
const ROOT = new URL("../../", import.meta.url).pathname;

function arrive() {
  showTabs();
  showTypes();
  const target = document.querySelector("[data-focus], form[data-first]:not([data-first=''])");
  if (target?.dataset.first) {
    const field = target.querySelector(`[data-field="${CSS.escape(target.dataset.first)}"]`);
    const control = field?.querySelector("[aria-invalid], input:not([type=hidden]), select, textarea");
    control?.focus();
    field?.scrollIntoView({ block: "center" });
  } else if (target) {
    target.focus();
  }
  remember();
  stick();
}

// The way back from a record leads to the same place of its list.
function remember() {
  const page = document.querySelector(".t-list-page");
  if (page) sessionStorage.setItem(`list:${location.pathname}`, location.search);
  for (const link of document.querySelectorAll("a[data-back]")) {
    const kept = sessionStorage.getItem(`list:${link.dataset.back}`);
    if (kept && !kept.includes("deleted=")) link.href = link.dataset.back + kept;
  }
}

function stick() {
  const head = document.querySelector(".t-sticky");
  if (!head) return;
  new IntersectionObserver(([seen]) => head.classList.toggle("is-stuck", seen.intersectionRatio < 1),
    { threshold: [1], rootMargin: "-57px 0px 0px 0px" }).observe(head);
}

// Rows open on a click anywhere, unless it hits something of its own or selects text.
document.addEventListener("click", (event) => {
  const row = event.target.closest?.("tr[data-href]");
  if (row && !event.target.closest("a, button, input, .t-choose") && !String(getSelection())) row.querySelector("a.t-record")?.click();
  for (const menu of document.querySelectorAll("details.t-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Dialogs of a page that ask for more than yes or no.
document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-dialog]");
  if (opener) {
    event.preventDefault();         // without scripts the link's target is shown by the style sheet
    document.getElementById(opener.dataset.dialog)?.showModal();
  }
  const closer = event.target.closest?.("[data-close]")?.closest("dialog[open]");
  if (closer) {
    event.preventDefault();
    closer.close();
  }
});

// Deleting and the like ask first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset?.confirm || form.dataset.sure) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = document.getElementById("confirm");
  dialog.querySelector("p").textContent = form.dataset.confirm;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.sure = "1";
    form.requestSubmit();
  }, { once: true });
}, true);

// Requests by htmx: a thin bar while they run, a word when they fail, and what was typed stays.
let running = 0;
function busy(change) {
  running = Math.max(0, running + change);
  document.querySelector(".t-busy")?.remove();
  if (running) document.body.append(Object.assign(document.createElement("div"), { className: "t-busy" }));
}
document.addEventListener("htmx:before:request", () => busy(1));
document.addEventListener("htmx:finally:request", () => busy(-1));
document.addEventListener("htmx:error", () => toast(words().failed));
document.addEventListener("htmx:before:response", (event) => {
  const { response } = event.detail.ctx;
  if (response.status === 401) {
    event.preventDefault();
    signedOut = true;
    toast(words().expired, { href: `${ROOT}login`, text: words().sign_in });
  }
});

// Back from signing in again in another tab: what stands in this one can be sent with the new session's token.
let signedOut = false;
document.addEventListener("visibilitychange", async () => {
  if (!signedOut || document.visibilityState !== "visible") return;
  const answer = await fetch(`${ROOT}-/token`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { csrf } = await answer.json();
  for (const input of document.querySelectorAll("input[name=_csrf]")) input.value = csrf;
  signedOut = false;
});

document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.target === document.body || event.detail.ctx?.target?.id === "main") arrive();
  else showTabs();
});

arrive();
