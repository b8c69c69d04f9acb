import { h, count, bytes, ago, moment, link, tag, figures, notice, visible } from "/dom.js";
import { table } from "/table.js";

function health(row) {
  if (row.silent) return tag("silent", "bad");
  if (row.stalled) return tag("stalled", "bad");
  return row.last_error ? tag("trouble", "warn") : tag("well", "good");
}

export function page({ root, title, poll }) {
  let told = "";
  const list = table([
    { name: "Agent", sort: (row) => row.name ?? row.key, cell: (row) => link("agent", { agent: row.key }, row.name ?? row.key) },
    { name: "Health", cell: health },
    { name: "Told", right: true, sort: (row) => row.time, cell: (row) => ago(row.time) },
    { name: "Sources", right: true, sort: (row) => row.sources, cell: (row) => count(row.sources) },
    { name: "Lines, 24 h", right: true, sort: (row) => row.lines, cell: (row) => count(row.lines) },
    { name: "Unread", right: true, sort: (row) => row.unread_bytes, cell: (row) => bytes(row.unread_bytes) },
    { name: "Batches pending", right: true, sort: (row) => row.pending_batches, cell: (row) => count(row.pending_batches) },
    { name: "Last error", wide: true, cell: (row) => h("span", {}, visible(row.last_error ?? "")) },
  ], (row) => row.key, "No agent has reported yet. Each writes its state to __millrace_status every ten seconds.");
  const trouble = h("div", {});
  root.append(...title("Agents", "Who ships, from the reports that agents write about themselves. Silent: no report for a minute."), trouble, list);
  poll("agents", {}, 4000, (data) => {
    const text = data.status_trouble && !data.agents.length ? data.status_trouble : "";
    if (text !== told) { told = text; trouble.replaceChildren(text ? notice(`${data.status_topic} can't be read: ${text}`, "warn") : ""); }
    list.update(data.agents);
  });
}

export function one({ root, title, poll, parameters }) {
  const numbers = h("div", {});
  const error = h("div", {});
  const sources = table([
    { name: "Source", mono: true, cell: (row) => h("span", {}, visible(row.source ?? "")) },
    { name: "Lines, 24 h", right: true, sort: (row) => row.lines, cell: (row) => count(row.lines) },
    { name: "Bytes, 24 h", right: true, sort: (row) => row.bytes, cell: (row) => bytes(row.bytes) },
    { name: "Newest hour with lines", cell: (row) => (row.newest === null ? "–" : moment(row.newest).slice(0, 16)) },
  ], (row) => row.source, "No lines in the last 24 hours.");
  const streams = table([
    { name: "Source", mono: true, cell: (row) => h("span", {}, visible(row.source ?? "")) },
    { name: "Place", mono: true, wide: true, cell: (row) => h("span", {}, visible(row.place ?? "")) },
    { name: "Position", right: true, cell: (row) => count(row.offset) },
    { name: "Unread", right: true, sort: (row) => row.unread, cell: (row) => (row.unread === undefined ? "–" : bytes(row.unread)) },
  ], (row) => row.source + "\n" + row.place, "Nothing is being read.");
  const partitions = table([
    { name: "Topic", cell: (row) => link("topic", { topic: row.topic }, row.topic) }, { name: "Partition", right: true, cell: (row) => String(row.partition) },
    { name: "State", cell: (row) => row.state }, { name: "Batches pending", right: true, cell: (row) => count(row.pending_batches) },
    { name: "Acknowledged up to", right: true, cell: (row) => (row.acknowledged_offset < 0 ? "–" : count(row.acknowledged_offset)) },
  ], (row) => row.topic + "/" + row.partition, "Nothing was sent yet.");
  root.append(...title(parameters.agent ?? ""), error, numbers, h("section", {}, h("h2", {}, "Sources"), sources), h("section", {}, h("h2", {}, "Read now"), streams),
    h("section", {}, h("h2", {}, "Shipped to"), partitions));
  poll("agent", { agent: parameters.agent }, 4000, (data) => {
    const report = data.report;
    numbers.replaceChildren(figures([["Health", health({ ...report, silent: data.silent })], ["Told", ago(report.time)], ["Batches pending", count(report.pending_batches)],
      ["Intent ring", `${bytes(report.ring_used_bytes)} of ${bytes(report.ring_bytes)}`], ["Unread", bytes(report.unread_bytes)]]));
    error.replaceChildren(report.last_error ? h("p", { class: "notice warn" }, "Last error: ", visible(report.last_error)) : "");
    sources.update((report.sources ?? []).map((source) => ({
      source: source.source, lines: sum(source.hours, "lines"), bytes: sum(source.hours, "bytes"),
      newest: source.hours.length ? Math.max(...source.hours.map((hour) => hour.hour_start)) : null,
    })));
    streams.update(report.streams ?? []);
    partitions.update(report.partitions ?? []);
  });
}

function sum(list, name) { return list.reduce((all, entry) => all + (entry[name] ?? 0), 0); }
