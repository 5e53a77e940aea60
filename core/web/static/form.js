// Editing a record: nothing typed is lost by leaving, conditions follow what is typed, theirs can be taken.
import { words } from "./say.js";

let changed = false;
const guarded = () => document.querySelector("form[data-guard]");

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (!form) return;
  changed = true;
  follow(form);
});
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (form) follow(form);
});

addEventListener("beforeunload", (event) => {
  if (changed && guarded()) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  if (event.target.matches?.("form[data-guard]")) {
    changed = false;
    event.target.dataset.sent = "1";
  }
});
document.addEventListener("htmx:error", () => {
  if (guarded()?.dataset.sent) changed = true;
});
// Links of the page (also by Escape) ask before they throw input away.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!changed || !guarded() || !link || link.target === "_blank" || link.getAttribute("href").startsWith("#")) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (confirm(words().unsaved)) {
    changed = false;
  } else {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx?.target !== document.body) return;
  const status = event.detail.ctx?.response?.status;
  changed = Boolean(guarded()) && status >= 400;
});

// Show, required and locked by condition: the server works them out from what stands in the form now.
let timer;
let asked = 0;
function follow(form) {
  if (!form.dataset.conditions || form.dataset.still === "1") return;
  clearTimeout(timer);
  timer = setTimeout(() => ask(form), 300);
}

async function ask(form) {
  const mine = ++asked;
  const body = new FormData(form);
  for (const [key, value] of [...body]) if (value instanceof File) body.delete(key);
  try {
    const answer = await fetch(form.dataset.conditions, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok || mine !== asked) return;
    apply(form, await answer.json());
  } catch {
    // The server will say it again when the form is sent.
  }
}

function apply(form, found) {
  for (const [key, standing] of Object.entries(found)) {
    const field = form.querySelector(`[data-field="${CSS.escape(key)}"]`);
    if (!field) continue;
    field.hidden = !standing.show;
    const star = field.querySelector(".t-star");
    if (star) star.hidden = !standing.required;
    for (const control of field.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      if (control.closest(".t-lines")) continue;
      if (standing.required) control.setAttribute("aria-required", "true");
      else control.removeAttribute("aria-required");
      if ("readOnly" in control && control.type !== "checkbox") control.readOnly = standing.fixed;
    }
  }
}

// Who goes on typing where two people changed a field wants what is typed.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-field]");
  if (event.target.type === "radio") return;
  const yours = field?.querySelector("[data-clash] input[value=yours]");
  if (yours) yours.checked = true;
});
