// Elements and texts. Nothing here, or anywhere in the console, turns a text into markup: texts only ever become text nodes.

export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  fill(element, properties, children);
  return element;
}

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

// Controls, and what turns the direction of text or hides in it, are shown as marks; newlines and tabs within a value too.
const unseen = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

export function visible(text, keepLines = false) {
  const parts = document.createDocumentFragment();
  let start = 0;
  for (const match of text.matchAll(unseen)) {
    if (keepLines && (match[0] === "\n" || match[0] === "\t")) continue;
    if (match.index > start) parts.append(text.slice(start, match.index));
    parts.append(h("span", { class: "ctl", textContent: mark(match[0].codePointAt(0)) }));
    start = match.index + match[0].length;
  }
  if (start < text.length) parts.append(text.slice(start));
  return parts;
}

function mark(code) {
  if (code === 9) return "⇥";
  if (code === 10) return "⏎";
  if (code < 256) return "\\x" + code.toString(16).padStart(2, "0");
  return "\\u{" + code.toString(16) + "}";
}

export function plain(text) { return text.replace(unseen, (c) => mark(c.codePointAt(0))); }

// Numbers, each with its unit.

export function count(number) {
  return number === null || number === undefined ? "–" : Math.round(number).toLocaleString("en-US").replaceAll(",", "\u2009");
}

export function short(number) {
  if (number === null || number === undefined) return "–";
  for (const [size, unit] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (Math.abs(number) >= size) return (number / (unit === "k" ? 1e3 : size)).toFixed(1) + unit;
  }
  return number >= 100 || Number.isInteger(number) ? count(number) : number.toFixed(1);
}

export function bytes(number) {
  if (number === null || number === undefined) return "–";
  let unit = 0;
  while (number >= 1024 && unit < 5) { number /= 1024; unit += 1; }
  return (unit === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)) + "\u202f" + ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit];
}

export function seconds(number) {
  if (number === null || number === undefined) return "–";
  if (number < 1) return Math.round(number * 1000) + "\u202fms";
  if (number < 120) return number.toFixed(number < 10 ? 1 : 0) + "\u202fs";
  if (number < 7200) return Math.round(number / 60) + "\u202fmin";
  if (number < 172800) return Math.round(number / 3600) + "\u202fh";
  return Math.round(number / 86400) + "\u202fd";
}

export function moment(milliseconds, withDate = true) {
  if (!(milliseconds >= 0)) return "no time";
  const text = new Date(milliseconds).toISOString();
  return withDate ? text.slice(0, 10) + " " + text.slice(11, 23) : text.slice(11, 19);
}

export function ago(milliseconds, now = Date.now()) { return seconds(Math.max(0, (now - milliseconds) / 1000)) + " ago"; }

export function link(page, parameters, text) { return h("a", { href: address(page, parameters) }, text); }

export function address(page, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== "")).toString();
  return "#/" + page + (query ? "?" + query : "");
}

export function tag(text, kind = "") { return h("span", { class: "tag " + kind }, text); }

export function notice(text, kind = "") { return h("p", { class: "notice " + kind, role: kind === "bad" ? "alert" : null }, text); }

export function figures(pairs) {
  return h("dl", { class: "figures" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}
