import { h, svg, count, bytes, seconds, moment, figures, address, visible } from "/dom.js";
import { table } from "/table.js";

export function page({ root, title, poll }) {
  const numbers = h("div", {});
  const picture = svg("svg", { class: "stack", role: "img" });
  const figure = h("figure", { class: "card plot" }, h("figcaption", {}, h("span", {}, "Requests by status"),
    h("div", { class: "legend" }, [["c2", "2xx"], ["c3", "1xx, 3xx"], ["c4", "4xx"], ["c5", "5xx"]].map(([kind, text]) =>
      h("span", {}, svg("svg", { viewBox: "0 0 10 10" }, svg("rect", { class: kind, width: 10, height: 10, rx: 2 })), text)))), picture);
  let most = 1;
  const paths = table([
    { name: "Path", wide: true, mono: true, cell: (row) => h("a", { href: address("records", { topic: "nginx.access", contains: row.path }) }, visible(row.path)) },
    { name: "Requests", right: true, cell: (row) => count(row.count) },
    { name: "5xx", right: true, cell: (row) => (row.errors ? count(row.errors) : "–") },
    { name: "Share", cell: (row) => { const bar = h("i", {}); bar.style.width = (100 * row.count) / most + "%"; return h("div", { class: "meter", title: count(row.count) }, bar); } },
  ], (row) => row.path, "No requests in the last quarter of an hour.");
  root.append(...title("nginx", "The last quarter of an hour of nginx.access, at most its newest 50 000 lines."), numbers, h("section", {}, figure), h("section", {}, h("h2", {}, "Top paths"), paths));
  poll("nginx", {}, 5000, (data) => {
    const all = Object.values(data.classes).flat().reduce((sum, number) => sum + number, 0);
    const of = (name) => (data.classes[name] ?? []).reduce((sum, number) => sum + number, 0);
    const share = (number) => (all ? ((100 * number) / all).toFixed(number && number / all < 0.1 ? 2 : 1) + "\u202f%" : "–");
    const latency = data.p50 === null ? [["Latency", "not in this log format"]] : [["p50", seconds(data.p50)], ["p90", seconds(data.p90)], ["p99", seconds(data.p99)]];
    numbers.replaceChildren(figures([["Requests", count(data.lines - data.unparsed)], ["4xx", share(of("4xx"))], ["5xx", share(of("5xx"))], ["Sent", bytes(data.bytes)], ...latency,
      ...(data.unparsed ? [["Lines of another shape", count(data.unparsed)]] : [])]));
    draw(picture, data);
    most = Math.max(1, ...data.paths.map((row) => row.count));
    paths.update(data.paths);
  });
}

const order = [["2xx", "c2"], ["1xx", "c1"], ["3xx", "c3"], ["4xx", "c4"], ["5xx", "c5"]];

function draw(picture, data) {
  const width = Math.max(240, picture.clientWidth || 600), height = 132, left = 46, bottom = 18, top = 6;
  const size = Math.max(0, ...Object.values(data.classes).map((list) => list.length));
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.replaceChildren();
  if (!size) return void picture.append(svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "no requests"));
  const sums = Array.from({ length: size }, (_, place) => order.reduce((sum, [name]) => sum + (data.classes[name]?.[place] ?? 0), 0));
  const highest = Math.max(1, ...sums);
  const step = (width - left) / size;
  const tall = height - top - bottom;
  for (const part of [0, 0.5, 1]) {
    const y = top + tall * (1 - part);
    picture.append(svg("line", { class: "rule", x1: left, x2: width, y1: y, y2: y }), svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, count((highest * part) / data.step_seconds) + "/s"));
  }
  for (let place = 0; place < size; place += 1) {
    let y = top + tall;
    for (const [name, kind] of order) {
      const part = ((data.classes[name]?.[place] ?? 0) / highest) * tall;
      y -= part;
      if (part > 0) picture.append(svg("rect", { class: kind, x: left + place * step, y, width: Math.max(1, step - 1), height: part }));
    }
  }
  picture.append(svg("text", { x: left, y: height - 3 }, moment(data.begin, false)));
  picture.append(svg("text", { x: width, y: height - 3, "text-anchor": "end" }, moment(data.begin + size * data.step_seconds * 1000, false) + " UTC"));
  picture.setAttribute("aria-label", `Requests by status class: ${order.map(([name]) => name + " " + (data.classes[name] ?? []).reduce((a, b) => a + b, 0)).join(", ")}`);
}
