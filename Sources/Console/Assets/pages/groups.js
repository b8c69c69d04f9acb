import { h, count, seconds, link, figures, notice } from "/dom.js";
import { plot } from "/plot.js";
import { table } from "/table.js";
import { short } from "/dom.js";
import { state } from "/pages/overview.js";

export function page({ root, title, poll }) {
  const list = table([
    { name: "Group", sort: (row) => row.name, cell: (row) => link("group", { group: row.name }, row.name) },
    { name: "State", cell: (row) => state(row.state) },
    { name: "Lag", right: true, sort: (row) => row.lag, cell: (row) => count(row.lag) },
    { name: "Delay", right: true, sort: (row) => row.delay, cell: (row) => seconds(row.delay) },
    { name: "Topics", wide: true, cell: (row) => row.topics.join(", ") || "–" },
  ], (row) => row.name, "No consumer groups. A pipeline or any Kafka consumer makes one.");
  root.append(...title("Consumer groups", "Lag counts records that are not committed yet; delay is how long the oldest of them has waited."), list);
  poll("groups", {}, 3000, (data) => list.update(data.groups));
}

export function one({ root, title, poll, parameters }) {
  const group = parameters.group ?? "";
  const numbers = h("div", {});
  const lag = plot("Lag, records", short);
  const partitions = table([
    { name: "Topic", cell: (row) => link("topic", { topic: row.topic }, row.topic) },
    { name: "Partition", right: true, cell: (row) => String(row.partition) },
    { name: "Committed", right: true, cell: (row) => count(row.committed) },
    { name: "End", right: true, cell: (row) => count(row.end) },
    { name: "Lag", right: true, sort: (row) => row.lag, cell: (row) => count(row.lag) },
    { name: "Held by", cell: (row) => row.member ?? "nobody" },
  ], (row) => row.topic + "/" + row.partition, "Nothing is committed or assigned.");
  const members = table([
    { name: "Client", cell: (row) => row.client }, { name: "Host", cell: (row) => row.host },
    { name: "Partitions", right: true, cell: (row) => count(row.partitions) }, { name: "Member", mono: true, cell: (row) => row.id },
  ], (row) => row.id, "No members: nobody reads as this group now.");
  root.append(...title(group), numbers, h("section", {}, lag), h("section", {}, h("h2", {}, "Partitions"), partitions), h("section", {}, h("h2", {}, "Members"), members));
  poll("group", { group }, 3000, (data) => {
    const picture = data.picture;
    numbers.replaceChildren(figures([["State", data.state], ["Lag", count(picture?.lag)], ["Delay", seconds(picture?.delay)], ["Members", count(data.members.length)], ["Assignor", data.assignor || "–"]]));
    if (picture) lag.update(picture.history_time, picture.history_lag);
    partitions.update(data.partitions);
    members.update(data.members);
  });
}
