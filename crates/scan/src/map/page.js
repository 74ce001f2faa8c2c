"use strict";
// Pan and zoom, the cards, the switcher and the filters. The page can be read without any of it.
for (const section of document.querySelectorAll(".application")) {
  const map = section.querySelector(".map");
  const svg = map && map.querySelector(".diagram");
  if (!svg) continue;
  const whole = svg.viewBox.baseVal;
  const full = { width: whole.width, height: whole.height };
  const view = { x: 0, y: 0, scale: 1 };
  let size = { width: 0, height: 0 };

  // The open card lies over the right of the map.
  const covered = () => {
    const card = section.querySelector(".card:target");
    return card && card.offsetWidth < map.clientWidth * 0.7 ? card.offsetWidth : 0;
  };
  const show = () => {
    const width = size.width / view.scale;
    const free = (size.width - covered()) / view.scale;
    const height = size.height / view.scale;
    const keep = (at, room, all) =>
      room >= all ? (all - room) / 2 : Math.min(Math.max(at, -room / 4), all - room * 0.75);
    view.x = keep(view.x, free, full.width);
    view.y = height >= full.height ? 0 : keep(view.y, height, full.height);
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${width} ${height}`);
  };
  const zoom = (factor, x, y) => {
    const scale = Math.min(Math.max(view.scale * factor, 0.1), 4);
    view.x += x / view.scale - x / scale;
    view.y += y / view.scale - y / scale;
    view.scale = scale;
    show();
  };
  // As wide as the page, but neither larger than life nor too small to read.
  const fit = (readable) => {
    const width = map.clientWidth;
    if (!width) return;
    const scale = Math.min(1.15, width / full.width);
    view.scale = readable ? Math.max(scale, 0.6) : Math.min(scale, (window.innerHeight * 0.78) / full.height);
    size = { width, height: Math.round(Math.min(full.height * Math.max(scale, 0.6), window.innerHeight * 0.78)) };
    svg.style.height = `${size.height}px`;
    view.x = 0;
    view.y = 0;
    show();
  };
  svg.setAttribute("preserveAspectRatio", "xMinYMin meet");
  map.classList.add("live");
  section.querySelector(".tools").hidden = false;
  section.fit = fit;
  fit(true);
  let seen = "";
  const resized = () => {
    const now = `${map.clientWidth} ${window.innerHeight}`;
    if (now === seen) return;
    seen = now;
    fit(true);
    if (section.chosen) section.chosen();
  };
  new ResizeObserver(resized).observe(map);
  window.addEventListener("resize", resized);

  section.querySelector(".tools").addEventListener("click", (event) => {
    const how = event.target.dataset.zoom;
    if (how === "fit") fit(false);
    else if (how) zoom(how === "in" ? 1.3 : 1 / 1.3, size.width / 2, size.height / 2);
  });
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  let held = null;
  let moved = false;
  map.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    held = { x: event.clientX, y: event.clientY };
    moved = false;
  });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    map.classList.add("held");
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    held = { x: event.clientX, y: event.clientY };
    show();
  });
  window.addEventListener("pointerup", () => {
    held = null;
    map.classList.remove("held");
  });

  // A function's way in and what it touches stand out while its card is open.
  const cards = new Map([...section.querySelectorAll(".card")].map((card) => [card.dataset.function, card]));
  const nodes = [...svg.querySelectorAll(".node")];
  const edges = [...svg.querySelectorAll(".edge")];
  const choose = (node) => {
    for (const other of nodes) other.classList.remove("chosen", "dim");
    for (const edge of edges) edge.classList.remove("dim");
    if (!node) return;
    const near = new Set([node.id]);
    const lines = new Set();
    let waiting = [node.id];
    while (waiting.length) {
      const to = waiting.pop();
      for (const edge of edges) {
        if (edge.dataset.to !== to || !edge.classList.contains("triggers")) continue;
        lines.add(edge);
        if (!near.has(edge.dataset.from)) {
          near.add(edge.dataset.from);
          waiting.push(edge.dataset.from);
        }
      }
    }
    const roles = new Set([node.id]);
    for (const round of [0, 1]) {
      for (const edge of edges) {
        if (!roles.has(edge.dataset.from)) continue;
        lines.add(edge);
        near.add(edge.dataset.to);
        const to = document.getElementById(edge.dataset.to);
        if (round === 0 && to && to.classList.contains("role")) roles.add(edge.dataset.to);
      }
    }
    for (const other of nodes) other.classList.toggle("dim", !near.has(other.id));
    for (const edge of edges) edge.classList.toggle("dim", !lines.has(edge));
    node.classList.add("chosen");
    const box = node.getBBox();
    const free = (size.width - covered()) / view.scale;
    if (box.x + box.width + 20 > view.x + free) view.x = box.x + box.width + 40 - free;
    if (box.x < view.x) view.x = box.x - 20;
    const height = size.height / view.scale;
    if (box.y < view.y || box.y + box.height > view.y + height) view.y = box.y - height / 3;
  };
  const open = (node) => {
    const card = cards.get(node.dataset.node);
    if (!card) return;
    const [x, y] = [window.scrollX, window.scrollY];
    location.hash = card.id;
    window.scrollTo(x, y);
  };
  for (const node of nodes) {
    if (!node.classList.contains("function")) continue;
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "button");
    node.addEventListener("click", () => moved || open(node));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open(node);
    });
  }
  section.chosen = () => {
    const card = document.getElementById(location.hash.slice(1));
    const name = card && section.contains(card) ? card.dataset.function : undefined;
    choose(name === undefined ? null : nodes.find((node) => node.classList.contains("function") && node.dataset.node === name));
    show();
  };

  for (const listing of section.querySelectorAll(".listing")) {
    const filter = listing.querySelector(".filter");
    const [input, select, output] = ["input", "select", "output"].map((name) => filter.querySelector(name));
    const rows = [...listing.querySelectorAll("tbody tr")];
    filter.hidden = rows.length < 6;
    const apply = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const exposure = select ? select.value : "";
      let count = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = words.every((word) => text.includes(word)) && (!exposure || row.dataset.exposure === exposure);
        row.hidden = !fits;
        count += fits;
      }
      output.textContent = count === rows.length ? "" : `${count} of ${rows.length}`;
    };
    input.addEventListener("input", apply);
    if (select) select.addEventListener("change", apply);
  }
}

// One application at a time.
const sections = [...document.querySelectorAll(".application")];
const links = [...document.querySelectorAll(".bar nav a")];
// Many of them are easier to find in a list.
let list = null;
if (links.length > 10) {
  list = document.createElement("select");
  list.setAttribute("aria-label", "Application");
  for (const link of links) list.append(new Option(link.textContent, link.hash));
  list.addEventListener("change", () => (location.hash = list.value));
  links[0].closest("nav").replaceWith(list);
}
const turn = () => {
  const target = document.getElementById(location.hash.slice(1));
  const current = (target && target.closest(".application")) || sections[0];
  sections.forEach((section, index) => {
    const away = section.classList.contains("away");
    section.classList.toggle("away", section !== current);
    if (away && section === current && section.fit) section.fit(true);
    if (section.chosen) section.chosen();
    if (list && section === current) list.selectedIndex = index;
    if (links[index]) {
      if (section === current) links[index].setAttribute("aria-current", "true");
      else links[index].removeAttribute("aria-current");
    }
  });
};
window.addEventListener("hashchange", turn);
window.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !document.querySelector(".card:target")) return;
  const [x, y] = [window.scrollX, window.scrollY];
  location.hash = document.querySelector(".card:target").closest(".application").id;
  window.scrollTo(x, y);
});
turn();
