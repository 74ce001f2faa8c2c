"use strict";
// Filters, and what opens of itself. Without this script the page shows everything.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const words = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

const section = document.getElementById("findings");
const form = section.querySelector(".filters");
const cards = all(".finding", section);
let apply = () => {};
if (form) {
  form.hidden = false;
  const texts = new Map();
  const text = (card) => {
    if (!texts.has(card)) texts.set(card, card.textContent.toLowerCase());
    return texts.get(card);
  };
  const fields = form.elements;
  const nothing = section.querySelector(".nothing");
  const output = form.querySelector("output");
  apply = () => {
    const severities = new Set(all("input[name=severity]:checked", form).map((box) => box.value));
    const wanted = words(fields.text.value);
    let shown = 0;
    for (const card of cards) {
      const fits =
        severities.has(card.dataset.severity) &&
        (!fields.function.value || card.dataset.function === fields.function.value) &&
        (!fields.audit.value || card.dataset.audit === fields.audit.value) &&
        wanted.every((word) => text(card).includes(word));
      card.hidden = !fits;
      shown += fits;
    }
    output.textContent = shown === cards.length ? `${shown}` : `${shown} of ${cards.length}`;
    nothing.hidden = shown > 0;
  };
  form.addEventListener("input", apply);
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  fields.open.addEventListener("click", () => {
    const visible = cards.filter((card) => !card.hidden);
    const open = visible.some((card) => !card.open);
    for (const card of visible) card.open = open;
    fields.open.textContent = open ? "Close all" : "Open all";
  });
  // A name in a table shows its findings.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-pick]");
    if (!link) return;
    form.reset();
    fields[link.dataset.pick].value = link.dataset.value;
    setTimeout(apply);
  });
  apply();
}

const functions = document.getElementById("functions");
const filter = functions && functions.querySelector(".filters");
const rows = functions ? all("tbody tr", functions) : [];
if (filter && rows.length > 5) {
  filter.hidden = false;
  const narrow = () => {
    const wanted = words(filter.elements.text.value);
    const exposure = filter.elements.exposure.value;
    let shown = 0;
    for (const row of rows) {
      const fits = (!exposure || row.dataset.exposure === exposure) && wanted.every((word) => row.textContent.toLowerCase().includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    filter.querySelector("output").textContent = shown === rows.length ? "" : `${shown} of ${rows.length}`;
  };
  filter.addEventListener("input", narrow);
  filter.addEventListener("change", narrow);
  filter.addEventListener("submit", (event) => event.preventDefault());
}

// A map fits the page, and shows its text at full size where it is clicked.
for (const figure of all("details.map figure")) {
  const toggle = (x, y) => {
    const before = figure.firstElementChild.getBoundingClientRect();
    const at = [(x - before.left) / before.width, (y - before.top) / before.height];
    figure.classList.toggle("whole");
    const after = figure.firstElementChild.getBoundingClientRect();
    figure.scrollLeft = at[0] * after.width - figure.clientWidth / 2;
    figure.scrollTop = at[1] * after.height - figure.clientHeight / 2;
  };
  figure.addEventListener("click", (event) => toggle(event.clientX, event.clientY));
  figure.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const box = figure.firstElementChild.getBoundingClientRect();
    toggle(box.left, box.top);
  });
}

// What is linked to is open and visible.
const arrive = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!target || target.tagName !== "DETAILS") return;
  if (target.hidden && form) form.reset();
  setTimeout(() => {
    apply();
    target.open = true;
    target.scrollIntoView({ block: "start" });
    target.querySelector("summary").focus({ preventScroll: true });
  });
};
window.addEventListener("hashchange", arrive);
arrive();

// On paper nothing can be opened.
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = all("details:not([open])");
  for (const part of closed) part.open = true;
});
window.addEventListener("afterprint", () => {
  for (const part of closed) part.open = false;
  closed = [];
});
