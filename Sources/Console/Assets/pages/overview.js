import { h, count, short, bytes, seconds, link, tag, figures } from "/dom.js";
import { plot } from "/plot.js";
import { table } from "/table.js";

export function page({ root, title, poll }) {
  const lines = plot("Lines per second", short);
  const volume = plot("Bytes per second", bytes, 1024);
  const delay = plot("End-to-end delay", seconds);
  const lag = plot("Lag, lines", short);
  const numbers = h("div", {});
  const topics = table([
    { name: "Topic", cell: (row) => link("topic", { topic: row.name }, row.name) },
    { name: "Lines/s", right: true, cell: (row) => short(row.rate) },
    { name: "Records", right: true, cell: (row) => count(row.records) },
    { name: "Size", right: true, cell: (row) => bytes(row.bytes) },
  ], (row) => row.name, "No topics yet. Start an agent: millrace-agent run --broker …");
  const groups = table([
    { name: "Group", cell: (row) => link("group", { group: row.name }, row.name) },
    { name: "State", cell: (row) => state(row.state) },
    { name: "Lag", right: true, cell: (row) => count(row.lag) },
    { name: "Delay", right: true, cell: (row) => seconds(row.delay) },
  ], (row) => row.name, "No consumer groups yet.");
  root.append(...title("Overview", "What flows through the cluster now. Delay: how long the record that the slowest group will commit next has been in the log."),
    numbers, h("div", { class: "grid" }, lines, volume, delay, lag),
    h("div", { class: "grid" }, h("section", {}, h("h2", {}, "Busiest topics"), topics), h("section", {}, h("h2", {}, "Groups furthest behind"), groups)));
  poll("overview", {}, 2000, (data) => {
    const points = data.points;
    lines.update(points.time, points.lines);
    volume.update(points.time, points.bytes);
    delay.update(points.time, points.delay);
    lag.update(points.time, points.lag);
    const agents = data.agents_silent ? `${count(data.agents_total)}, ${count(data.agents_silent)} silent` : count(data.agents_total);
    numbers.replaceChildren(figures([["Brokers", count(data.brokers.length)], ["Topics", count(data.topics_total)], ["Partitions", count(data.partitions_total)],
      ["On disk", bytes(data.bytes_total)], ["Groups", count(data.groups_total)], ["Agents", agents],
      ...(data.leaderless ? [["Without a leader", count(data.leaderless)]] : [])]));
    topics.update(data.topics);
    groups.update(data.groups);
  });
}

export function state(text) {
  return tag(text || "unknown", text === "Stable" ? "good" : text === "Empty" || text === "" ? "" : "warn");
}
