// The console's script: puts what the live stream brings in its place. Everything works without it, only not by itself.
"use strict";

const STREAM_LENGTH = 60;

// Times are rendered in UTC; show them in the reader's own.
function localTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const today = moment.toDateString() === new Date().toDateString();
    element.textContent = today
      ? moment.toLocaleTimeString([], { hour12: false })
      : moment.toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false });
  }
}

function number(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

function duration(microseconds) {
  if (microseconds === 0) return "–";
  if (microseconds < 1000) return `${microseconds} µs`;
  if (microseconds < 10000) return `${Math.floor(microseconds / 100) / 10} ms`.replace(/^(\d+) /, "$1.0 ");
  if (microseconds < 1000000) return `${Math.floor(microseconds / 1000)} ms`;
  return `${(Math.floor(microseconds / 100000) / 10).toFixed(1)} s`;
}

// "CreateOrder/stopped" in the summary; a function's name may hold a slash, a counter's doesn't.
function counter(summary, path) {
  const cut = path.lastIndexOf("/");
  const name = path.slice(0, cut);
  const counts = name === "all" ? summary.all : summary.functions[name];
  return counts ? counts[path.slice(cut + 1)] : 0;
}

function showSummary(summary) {
  for (const element of document.querySelectorAll("[data-count]")) {
    const value = counter(summary, element.dataset.count);
    const text = number(value);
    if (element.textContent !== text) element.textContent = text;
    if (element.parentElement.hasAttribute("data-zero") && value > 0) element.parentElement.removeAttribute("data-zero");
  }
  for (const element of document.querySelectorAll("[data-duration]")) {
    element.textContent = duration(counter(summary, element.dataset.duration));
  }
  setState(summary.lake_error ? "failing" : "", summary.lake_error ? `not storing: ${summary.lake_error}` : "recording");
}

function setState(kind, text) {
  const state = document.querySelector("[data-state]");
  state.className = `state ${kind}`;
  state.lastElementChild.textContent = text;
}

function flash(element, name) {
  element.classList.remove(name);
  // Asking for the size makes the browser notice that the class was gone.
  void element.getBoundingClientRect();
  element.classList.add(name);
}

const HTTP = new Set(["http-api", "rest-api", "function-url", "load-balancer", "websocket"]);

function pulse(news, name) {
  for (const core of document.querySelectorAll("[data-core]")) {
    if (core.dataset.core === news.function) flash(core, name);
  }
  for (const edge of document.querySelectorAll("path.edge")) {
    const kind = edge.dataset.kind;
    const same = kind === news.trigger || (news.trigger === "http" && HTTP.has(kind));
    if (edge.dataset.function === news.function && same) flash(edge, name);
  }
}

function showVerdict(news) {
  pulse(news, "struck");
  const stream = document.querySelector("[data-stream]");
  if (!stream) return;
  // The server made this card and escaped what is in it; scripts in a template never run, and the page's policy forbids them.
  const template = document.createElement("template");
  template.innerHTML = news.html;
  localTimes(template.content);
  for (const card of template.content.children) card.classList.add("new");
  stream.prepend(template.content);
  while (stream.children.length > STREAM_LENGTH) stream.lastElementChild.remove();
}

function follow() {
  const page = document.querySelector(".title[data-function]");
  const wanted = document.querySelector("[data-stream]");
  if (!wanted) return;
  const filter = page ? `?function=${encodeURIComponent(page.dataset.function)}` : "";
  const source = new EventSource(`/live${filter}`);
  source.addEventListener("summary", (message) => showSummary(JSON.parse(message.data)));
  source.addEventListener("verdict", (message) => showVerdict(JSON.parse(message.data)));
  source.addEventListener("pulse", (message) => {
    const news = JSON.parse(message.data);
    if (news.outcome !== "refused") pulse(news, "alive");
  });
  // What was missed is in the lake, and a new page begins with it; but not over and over while there is too much to follow.
  let again = 0;
  source.addEventListener("missed", () => {
    again = again || setTimeout(() => location.reload(), 5000);
  });
  source.addEventListener("open", () => document.documentElement.classList.add("following"));
  source.addEventListener("error", () => {
    document.documentElement.classList.remove("following");
    setState("failing", "not connected");
  });
}

localTimes(document);
follow();

const question = document.querySelector("[data-sql]");
if (question) {
  question.addEventListener("keydown", (key) => {
    if (key.key === "Enter" && (key.ctrlKey || key.metaKey)) question.form.submit();
  });
}
