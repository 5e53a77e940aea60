// Editing a record: nothing typed is lost by leaving, conditions follow what is typed, theirs can be taken.
import { nodes } from "./fragment.js";
import { words } from "./say.js";

let changed = false;
const guarded = () => document.querySelector("form[data-guard]");

document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (!form) return;
  changed = true;
  typed(form, event.target);
  follow(form, event.target);
});
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-guard]");
  if (!form) return;
  typed(form, event.target);
  follow(form, event.target);
});

// What somebody typed is never replaced by a suggestion; the form remembers it, also when it is shown again.
const place = (control) => (control.name || control.closest("[data-for]")?.dataset.for || "").replace(/[~-]$/, "")
  || control.closest("[data-field]")?.dataset.field || "";
function typed(form, control) {
  const memory = form.elements._typed;
  const key = place(control);
  if (memory && key && !key.startsWith("_") && !memory.value.split(" ").includes(key)) memory.value = `${memory.value} ${key}`.trim();
}

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
function follow(form, control) {
  if (!form.dataset.conditions || form.dataset.still === "1") return;
  clearTimeout(timer);
  const key = place(control);
  timer = setTimeout(() => ask(form, key), 300);
}

async function ask(form, key) {
  const mine = ++asked;
  const body = new FormData(form);
  body.set("_changed", key);
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
    show(form, key, standing);
    if (!("show" in standing)) continue;
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

// What is worked out or suggested takes the place of what stood there; as HTML of the field's own widget.
function show(form, key, found) {
  const [name, row, column] = key.split(".");
  const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
  const cell = column
    ? form.elements[`${name}.${row}.id`]?.closest("tr")?.querySelector(`td[data-col="${CSS.escape(column)}"]`)
    : field?.querySelector(":scope > .t-value");
  if ("value" in found && cell) cell.replaceChildren(...nodes(found.value));
  if (!("control" in found)) return;
  const box = column ? cell : field;
  if (!box || box.contains(document.activeElement)) return;
  if (column) {
    box.replaceChildren(...nodes(found.control));
  } else {
    const label = box.querySelector(":scope > label");
    const after = [...box.children].filter((one) => one !== label && !one.matches(".t-help, .t-problem, .t-theirs"));
    after.forEach((one) => one.remove());
    label.after(...nodes(found.control));
  }
  box.dispatchEvent(new CustomEvent("lines:added", { bubbles: true }));
}

// Who goes on typing where two people changed a field wants what is typed.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-field]");
  if (event.target.type === "radio") return;
  const yours = field?.querySelector("[data-clash] input[value=yours]");
  if (yours) yours.checked = true;
});
