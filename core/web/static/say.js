// What scripts say comes translated from the page.
export function words() {
  try {
    return JSON.parse(document.body.dataset.words || "{}");
  } catch {
    return {};
  }
}

export function toast(text, link) {
  const box = document.getElementById("toasts");
  if (!box || !text) return;
  const note = document.createElement("div");
  note.className = "t-toast";
  note.textContent = text + " ";
  if (link) {
    const anchor = Object.assign(document.createElement("a"), { href: link.href, textContent: link.text, target: "_blank", rel: "noopener" });
    note.append(anchor);
  }
  box.append(note);
  setTimeout(() => note.remove(), link ? 20000 : 6000);
}
