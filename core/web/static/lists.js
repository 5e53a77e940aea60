// Lists: groups that open, records that are chosen, cards that are dragged. All of it also works by links and forms.
import { nodes, page } from "./fragment.js";
import { toast, words } from "./say.js";

const part = (href) => fetch(href, { headers: { "HX-Request": "true" } });

// Groups: what is inside is fetched once, and hidden after that.
async function open(link) {
  const row = link.closest("tr");
  const depth = Number(row.dataset.depth || 0);
  const expanded = link.getAttribute("aria-expanded") === "true";
  link.setAttribute("aria-expanded", String(!expanded));
  if (expanded) {
    for (let next = row.nextElementSibling; next && Number(next.dataset.depth || 0) > depth;) {
      const gone = next;
      next = next.nextElementSibling;
      gone.remove();
    }
    return;
  }
  const answer = await part(link.href).catch(() => null);
  if (!answer?.ok) {
    link.setAttribute("aria-expanded", "false");
    toast(words().failed);
    return;
  }
  row.after(...nodes(await answer.text()).filter((one) => one.localName === "tr"));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-group]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  event.stopPropagation();
  open(link);
}, true);

// Choosing records: the bar says how many; Shift chooses all between two.
let last = null;
const boxes = () => [...document.querySelectorAll("td.t-choose input")];

function count() {
  const bar = document.querySelector("form[data-many]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  const all = bar.querySelector("[data-all]");
  bar.querySelector("[data-count]").textContent = String(chosen);
  bar.classList.toggle("is-open", chosen > 0 || Boolean(all?.checked));
  const head = document.querySelector("[data-choose-all]");
  if (head) {
    head.checked = chosen > 0 && chosen === boxes().length;
    head.indeterminate = chosen > 0 && chosen < boxes().length;
  }
}

document.addEventListener("click", (event) => {
  const box = event.target.closest?.("td.t-choose input");
  if (!box) return;
  const all = boxes();
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked;
  if (event.target.matches?.(".t-choose input, [data-all]")) count();
});
document.addEventListener("htmx:after:swap", count);

// Columns change places in the box of tools.
document.addEventListener("click", (event) => {
  const column = event.target.closest?.("[data-up]")?.closest(".t-tools-column");
  if (!column?.previousElementSibling?.matches(".t-tools-column")) return;
  column.previousElementSibling.before(column);
  column.querySelector("[data-up]").focus();
});

// The value of a condition is typed as its field wants it: a day, a number, one of the choices.
const OPERATORS = { text: "contains", choice: "is", boolean: "is", date: "least", datetime: "least" };
document.addEventListener("change", (event) => {
  const field = event.target.closest?.("[data-where-field]");
  if (!field) return;
  const row = field.closest(".t-where-row");
  const value = row.querySelector("[data-where-value]");
  const { kind } = field.selectedOptions[0].dataset;
  value.type = kind === "date" || kind === "datetime" ? "date" : "text";
  value.setAttribute("list", `w-${field.value}`);
  row.querySelector("[name='w.op']").value = OPERATORS[kind] || "is";
});

// Cards: a move is the card's own form, so it is checked as any change; the columns are then drawn as they are.
async function move(card, value) {
  const form = card.querySelector(".t-card-move");
  const body = new URLSearchParams(new FormData(form));
  body.set("value", value);
  const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) {
    const said = nodes(answer ? await answer.text() : "").map((one) => one.textContent).join("");
    toast(said.trim() || words().failed);
  }
  const fresh = await fetch(location.href).catch(() => null);
  if (!fresh?.ok) return;
  const boards = page(await fresh.text()).querySelector("[data-boards]");
  if (boards) document.querySelector("[data-boards]").replaceWith(boards);
  document.querySelector(`[data-card="${card.dataset.card}"] a`)?.focus({ preventScroll: true });
}

let dragged = null;
const board = (event) => event.target.closest?.(".t-board");
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-card]");
  if (dragged) event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragover", (event) => {
  if (!dragged || !board(event)) return;
  event.preventDefault();
  for (const one of document.querySelectorAll(".t-board")) one.classList.toggle("is-target", one === board(event));
});
document.addEventListener("dragend", () => {
  dragged = null;
  for (const one of document.querySelectorAll(".t-board.is-target")) one.classList.remove("is-target");
});
document.addEventListener("drop", (event) => {
  const target = board(event);
  if (!dragged || !target) return;
  event.preventDefault();
  if (target !== dragged.closest(".t-board")) move(dragged, target.dataset.value);
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest?.(".t-card-move");
  if (!form) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  move(form.closest("[data-card]"), form.elements.value.value);
}, true);

count();
