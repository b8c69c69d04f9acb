// A line over time, drawn again with each new point.
import { h, svg, moment } from "/dom.js";

const width = 600, height = 132, left = 46, bottom = 18, top = 6;

// `base` is what the scale's steps are made of: 1024 for bytes.
export function plot(title, format, base = 10) {
  const value = h("output", {});
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
  const figure = h("figure", { class: "card plot" }, h("figcaption", {}, h("span", {}, title), value), picture);
  let points = [];
  let hovered = null;

  function draw() {
    // The text must not be stretched: the drawing is as wide as it stands on the page.
    const wide = Math.max(240, picture.clientWidth || width);
    picture.setAttribute("viewBox", `0 0 ${wide} ${height}`);
    picture.replaceChildren();
    const last = points.at(-1);
    value.textContent = last ? format(last.value) : "–";
    if (points.length < 2) {
      picture.append(svg("text", { x: wide / 2, y: height / 2, "text-anchor": "middle" }, "waiting for two measurements"));
      picture.setAttribute("aria-label", title + ": no points yet");
      return;
    }
    const highest = nice(Math.max(...points.map((point) => point.value)), base);
    const [from, to] = [points[0].time, last.time];
    const x = (time) => left + ((time - from) / (to - from || 1)) * (wide - left - 2);
    const y = (number) => top + (1 - number / highest) * (height - top - bottom);
    for (const share of [0, 0.5, 1]) {
      picture.append(svg("line", { class: "rule", x1: left, x2: wide, y1: y(highest * share), y2: y(highest * share) }));
      picture.append(svg("text", { x: left - 6, y: y(highest * share) + 4, "text-anchor": "end" }, format(highest * share)));
    }
    picture.append(svg("text", { x: left, y: height - 3 }, moment(from, false)));
    picture.append(svg("text", { x: wide, y: height - 3, "text-anchor": "end" }, moment(to, false) + " UTC"));
    const trace = points.map((point) => `${x(point.time).toFixed(1)},${y(point.value).toFixed(1)}`).join(" ");
    picture.append(svg("polygon", { class: "area", points: `${x(from)},${y(0)} ${trace} ${x(to)},${y(0)}` }));
    picture.append(svg("polyline", { class: "trace", points: trace }));
    if (hovered !== null) {
      const time = from + ((hovered * wide - left) / (wide - left)) * (to - from);
      const near = points.reduce((best, point) => (Math.abs(point.time - time) < Math.abs(best.time - time) ? point : best));
      picture.append(svg("line", { class: "cross", x1: x(near.time), x2: x(near.time), y1: top, y2: y(0) }));
      value.textContent = `${moment(near.time, false)}  ${format(near.value)}`;
    }
    picture.setAttribute("aria-label", `${title}: now ${format(last.value)}, at most ${format(Math.max(...points.map((point) => point.value)))}`);
    picture.setAttribute("data-points", points.length);
    picture.setAttribute("data-last", last.time);
  }

  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    hovered = (event.clientX - box.left) / box.width;
    draw();
  });
  picture.addEventListener("pointerleave", () => { hovered = null; draw(); });
  figure.update = (times, values) => {
    points = times.map((time, place) => ({ time, value: values[place] })).filter((point) => point.value !== null && point.value !== undefined);
    draw();
  };
  draw();
  return figure;
}

// The next of 1, 2, 5 times a power of ten, counted in the unit that fits.
function nice(number, base) {
  if (!(number > 0)) return 1;
  if (base === 1024 && number >= 1024) return 1024 * nice(number / 1024, base);
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= number * 1.02) ?? 10 * power;
}
