import { h, visible, plain, count, bytes, moment, link, address, notice } from "/dom.js";
import { get } from "/api.js";

export async function topicNames(signal) {
  const { topics } = await get("topics", {}, signal);
  return topics.map((topic) => topic.name);
}

export function line(row, topic) {
  const record = { topic, partition: row.partition, offset: row.offset };
  return h("div", { class: "line" },
    h("span", { class: "dim" }, moment(row.time)),
    link("record", record, `${row.partition}:${row.offset}`),
    h("div", {}, h("div", { class: "value" }, row.tombstone ? h("span", { class: "tag" }, "deleted key") : visible(row.text)),
      row.cut ? h("a", { class: "more", href: address("record", record) }, `cut: ${bytes(row.bytes)} in all, show the whole`) : null));
}

const froms = [["newest", "newest first"], ["earliest", "from the beginning"], ["offset", "from offset"], ["time", "from time (UTC)"]];

export async function page({ root, title, parameters, signal, say }) {
  const field = (name, label, attributes = {}, grow = false) =>
    h("label", { class: grow ? "grow" : "" }, label, h("input", { name, value: parameters[name] ?? "", autocomplete: "off", spellcheck: false, ...attributes }));
  const topic = h("input", { name: "topic", value: parameters.topic ?? "", required: true, autocomplete: "off", spellcheck: false });
  topic.setAttribute("list", "topics");
  const names = h("datalist", { id: "topics" });
  const from = h("select", { name: "from" }, froms.map(([value, text]) => h("option", { value, selected: value === parameters.from }, text)));
  const parse = h("select", { name: "parse" }, ["auto", "nginx", "json", "journal", "raw"].map((value) => h("option", { value, selected: value === parameters.parse }, value)));
  const at = field("at", "At", { placeholder: "" });
  const form = h("form", { class: "bar", onsubmit: submit }, h("label", { class: "grow" }, "Topic", topic), names,
    field("partition", "Partition", { inputMode: "numeric", size: 6, placeholder: "all" }), h("label", {}, "From", from), at,
    field("contains", "Contains", {}, true), field("key", "Key"),
    field("where", "Where", { placeholder: "status >= 500", class: "mono" }, true), h("label", {}, "Read as", parse),
    h("button", { class: "main" }, "Search"));
  const told = h("p", { class: "lead", role: "status" });
  const results = h("div", {});
  root.append(...title("Messages"), form, told, results);
  from.addEventListener("change", showAt);
  function showAt() {
    at.hidden = !["offset", "time"].includes(from.value);
    at.querySelector("input").placeholder = from.value === "time" ? "2026-11-22T07:00:00Z" : "0";
  }
  showAt();
  topicNames(signal).then((list) => names.replaceChildren(...list.map((value) => h("option", { value }))), () => {});

  function submit(event) {
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].filter(([name, value]) => value !== "" && !(name === "from" && value === "newest") && !(name === "parse" && value === "auto") && !(name === "at" && at.hidden)));
    const target = address("records", values);
    if (location.hash === target) search(); else location.hash = target;
  }

  async function search() {
    told.textContent = "Searching…";
    try {
      const data = await get("records", { ...parameters, limit: 200 }, signal);
      say(null);
      told.textContent = `${count(data.rows.length)} shown, ${count(data.records_read)} records (${bytes(data.bytes_read)}) read in ${count(data.milliseconds)} ms. ${ends[data.end]}`;
      results.replaceChildren(data.rows.length ? h("div", { class: "lines" }, data.rows.map((row) => line(row, parameters.topic)))
        : h("div", { class: "lines empty" }, data.records_read ? "No record fits." : "The topic holds no records there."));
      if (data.next !== null) results.append(h("p", {}, link("records", { ...parameters, from: "offset", at: data.next }, "Go on from offset " + data.next)));
    } catch (error) {
      if (signal.aborted) return;
      told.textContent = "";
      results.replaceChildren(notice(error.message, "bad"));
    }
  }
  if (parameters.topic) search();
  else told.textContent = "Choose a topic. A search reads at most 500 000 records, 128 MiB or 8 seconds, and says where it stopped.";
}

const ends = {
  complete: "All was read.", rows: "There may be more.", records: "Stopped at the limit of records: narrow the search.",
  bytes: "Stopped at the limit of bytes: narrow the search.", time: "Stopped at the limit of time: narrow the search.",
};

export async function one({ root, title, parameters, signal, say }) {
  const { topic, partition, offset } = parameters;
  const body = h("div", {}, "Reading…");
  root.append(...title(`${topic} ${partition}:${offset}`), body);
  let record;
  try {
    record = await get("record", { topic, partition, offset }, signal);
  } catch (error) {
    if (!signal.aborted) { say(error); body.replaceChildren(link("records", { topic }, "To the messages of " + topic)); }
    return;
  }
  const raw = "/api/record/raw?" + new URLSearchParams({ topic, partition, offset });
  const near = Math.max(0, Number(offset) - 20);
  const pairs = (list) => h("dl", { class: "pairs mono" }, list.flatMap(([name, value]) => [h("dt", {}, visible(String(name))), h("dd", {}, visible(typeof value === "string" ? value : JSON.stringify(value)))]));
  body.replaceChildren(
    h("div", { class: "actions" }, link("records", { topic, partition, from: "offset", at: near }, "Around it"), h("a", { href: raw, download: "" }, "Download the bytes")),
    h("section", {}, pairs([["time", moment(record.time) + " UTC"], ["key", record.key ?? "none"], ["bytes", count(record.bytes)], ...record.headers.map((header) => ["header " + plain(header.name), header.value ?? "null"])])),
    h("section", {}, h("h2", {}, record.cut ? "Value, cut" : "Value"), h("div", { class: "card" }, h("pre", { class: "value", tabIndex: 0 }, record.tombstone ? "none: the key is deleted" : visible(record.text, true)))),
    record.fields ? h("section", {}, h("h2", {}, "Fields"), h("div", { class: "card" }, pairs(Object.entries(record.fields)))) : "");
}
