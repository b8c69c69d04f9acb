import { h, count, short, bytes, seconds, link, tag, figures } from "/dom.js";
import { table } from "/table.js";

export function retention(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "–";
  return Number(milliseconds) < 0 ? "for ever" : seconds(Number(milliseconds) / 1000);
}

export function page({ root, title, poll }) {
  let all = [];
  const search = h("input", { type: "search", placeholder: "Part of a name", oninput: draw, "aria-label": "Filter topics by name" });
  const internal = h("input", { type: "checkbox", onchange: draw, id: "internal" });
  internal.className = "box";
  const list = table([
    { name: "Topic", sort: (row) => row.name, cell: (row) => link("topic", { topic: row.name }, row.name) },
    { name: "Partitions", right: true, sort: (row) => row.partitions, cell: (row) => count(row.partitions) },
    { name: "Lines/s", right: true, sort: (row) => row.rate, cell: (row) => short(row.rate) },
    { name: "Records", right: true, sort: (row) => row.records, cell: (row) => count(row.records) },
    { name: "Size", right: true, sort: (row) => row.bytes, cell: (row) => bytes(row.bytes) },
    { name: "Kept for", right: true, cell: (row) => (row.cleanup === "compact" ? "compacted" : retention(row.retention)) },
    { name: "", cell: (row) => (row.leaderless ? tag(`${row.leaderless} without a leader`, "bad") : "") },
  ], (row) => row.name, "No topic fits.");
  function draw() {
    list.update(all.filter((row) => (internal.checked || !row.internal) && row.name.includes(search.value)));
  }
  root.append(...title("Topics"), h("div", { class: "actions" }, h("div", { class: "grow" }, search),
    h("label", { for: "internal" }, internal, " the machinery's own topics")), list);
  poll("topics", {}, 4000, (data) => { all = data.topics; draw(); });
}

export function one({ root, title, poll, parameters }) {
  const topic = parameters.topic ?? "";
  const numbers = h("div", {});
  const partitions = table([
    { name: "Partition", cell: (row) => link("records", { topic, partition: row.partition }, String(row.partition)) },
    { name: "Leader", right: true, cell: (row) => (row.leader === null ? tag("none", "bad") : String(row.leader)) },
    { name: "In sync", right: true, cell: (row) => `${row.in_sync} of ${row.replicas}` },
    { name: "First offset", right: true, cell: (row) => count(row.first) },
    { name: "End", right: true, cell: (row) => count(row.end) },
    { name: "Size", right: true, cell: (row) => bytes(row.bytes) },
  ], (row) => row.partition, "No partitions.");
  const configs = table([
    { name: "Setting", mono: true, cell: (row) => row.name },
    { name: "Value", mono: true, wide: true, cell: (row) => row.value ?? "secret" },
    { name: "", cell: (row) => (row.default ? "" : tag("set", "good")) },
  ], (row) => row.name, "The cluster tells no settings.");
  const readers = h("p", { class: "lead" });
  root.append(...title(topic, ""), h("div", { class: "actions" }, link("records", { topic }, "Browse messages"), link("tail", { topic }, "Live tail")),
    numbers, readers, h("section", {}, h("h2", {}, "Partitions"), partitions), h("section", {}, h("h2", {}, "Settings"), configs));
  poll("topic", { topic }, 4000, (data) => {
    const picture = data.picture;
    numbers.replaceChildren(figures([["Lines/s", short(picture?.rate)], ["Records", count(picture?.records)], ["Size", bytes(picture?.bytes)],
      ["Kept for", picture?.cleanup === "compact" ? "compacted" : retention(picture?.retention)]]));
    readers.replaceChildren(...(data.groups.length ? ["Read by ", ...data.groups.flatMap((group, place) => [place ? ", " : "", link("group", { group }, group)])] : ["No group reads it."]));
    partitions.update(data.partitions);
    configs.update(data.configs);
  });
}
