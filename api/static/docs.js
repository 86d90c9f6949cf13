"use strict";
// Draws /openapi.json. Text only ever becomes text nodes: nothing of the document is run.

const SOURCE = "/openapi.json";
const main = document.getElementById("main");
const list = document.getElementById("list");
const find = document.getElementById("find");
const menu = document.getElementById("menu");
const nothing = el("p", { role: "status", hidden: "" }, "Nothing found");
const wide = matchMedia("(min-width: 701px)");
let api = null;
// Each has headings and items; an item has nodes, and the text that it is found by.
let groups = [];

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// An empty line begins a paragraph; what stands between backticks is code.
function prose(text) {
  return text.split(/\n\s*\n\s*/).map((paragraph) => el("p", {},
    ...paragraph.split("`").map((part, place) => place % 2 ? el("code", {}, part) : part)));
}

function nameOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(nameOf).join(" | ");
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.type === "array") return schema.prefixItems ? "[" + schema.prefixItems.map(nameOf).join(", ") + "]" : nameOf(schema.items) + "[]";
  return schema.type || "any";
}

function typeNode(schema) {
  const name = nameOf(schema);
  const target = name.replace(/\[\]$/, "");
  return el("code", {}, api.components.schemas[target]
    ? el("a", { href: "#schema-" + target }, name) : name);
}

function fieldTable(schema) {
  const rows = Object.entries(schema.properties || {}).map(([name, field]) =>
    el("tr", {},
      el("td", {}, el("code", {}, name)),
      el("td", {}, typeNode(field)),
      el("td", { class: "soft" }, (schema.required || []).includes(name) ? "due" : "optional")));
  return rows.length ? el("table", {}, ...rows) : el("p", { class: "soft" }, "no fields");
}

function operationNode(method, path, operation) {
  const parts = [
    el("h3", {}, el("b", { class: "m " + method }, method), el("code", {}, path)),
    ...prose(operation.summary + ". " + operation.description),
  ];
  if (operation["x-scope"]) parts.push(el("p", { class: "soft" }, "Signed, scope ", el("code", {}, operation["x-scope"])));
  if (operation.parameters.length) {
    const rows = operation.parameters.map((parameter) =>
      el("tr", {}, el("td", {}, el("code", {}, parameter.name)), el("td", {}, parameter.in)));
    parts.push(el("details", { open: "" }, el("summary", {}, "Parameters"), el("table", {}, ...rows)));
  }
  if (operation.requestBody) {
    const schema = operation.requestBody.content["application/json"].schema;
    parts.push(el("p", {}, "Body ", typeNode(schema)));
  }
  const answers = Object.entries(operation.responses).map(([status, response]) =>
    el("tr", {},
      el("td", {}, el("code", {}, status)),
      el("td", {}, response.description),
      el("td", {}, typeNode(Object.values(response.content)[0].schema))));
  parts.push(el("table", {}, ...answers));
  return el("section", { id: operation.operationId }, ...parts);
}

function fieldNames(schema) {
  return Object.keys((schema && schema.properties) || {});
}

function operationWords(method, path, operation) {
  const body = operation.requestBody && operation.requestBody.content["application/json"].schema;
  const name = nameOf(body);
  return [method, path, operation.operationId, operation.summary, name,
    ...operation.parameters.map((parameter) => parameter.name),
    ...fieldNames(api.components.schemas[name])];
}

function drawItem(group, node, link, words) {
  main.append(node);
  if (link) list.append(link);
  group.items.push({ nodes: link ? [node, link] : [node], text: words.join(" ").toLowerCase() });
}

function drawGroup(title, listed) {
  const group = { headings: [el("h2", {}, title)], items: [] };
  main.append(group.headings[0]);
  if (listed) {
    group.headings.push(el("h2", {}, title));
    list.append(group.headings[1]);
  }
  groups.push(group);
  return group;
}

function byTag() {
  const tags = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push([method.toUpperCase(), path, operation]);
    }
  }
  return tags;
}

function draw() {
  groups = [];
  list.replaceChildren();
  main.replaceChildren(el("h2", {}, api.info.title + " " + api.info.version),
    ...prose(api.info.description), nothing);
  for (const [tag, found] of byTag()) {
    const group = drawGroup(tag, true);
    for (const [method, path, operation] of found) {
      const link = el("a", { href: "#" + operation.operationId }, method + " " + path);
      drawItem(group, operationNode(method, path, operation), link,
        operationWords(method, path, operation));
    }
  }
  const group = drawGroup("Shapes", false);
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    const node = el("section", { id: "schema-" + name },
      el("h3", {}, name), ...prose(schema.description || ""), fieldTable(schema));
    drawItem(group, node, null, [name, ...fieldNames(schema)]);
  }
}

// Show what has every word of the query, and the headings of groups that have such.
function filter() {
  const words = find.value.trim().toLowerCase().split(/\s+/);
  let any = false;
  for (const group of groups) {
    let some = false;
    for (const item of group.items) {
      const fits = words.every((word) => item.text.includes(word));
      for (const node of item.nodes) node.hidden = !fits;
      some = some || fits;
    }
    for (const heading of group.headings) heading.hidden = !some;
    any = any || some;
  }
  nothing.hidden = any;
}

// What a #hash names, or null: also where it is no text that an id could be.
function targetOf(hash) {
  try {
    return document.getElementById(decodeURIComponent(hash.slice(1)));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function reveal(target) {
  if (!target.closest("[hidden]")) return;
  find.value = "";
  filter();
}

// The page is drawn after it was loaded: the browser has looked for the target too early.
function land() {
  const target = targetOf(location.hash);
  if (!target) return;
  reveal(target);
  target.scrollIntoView();
}

function follow(event) {
  const link = event.target.closest("a[href^='#']");
  const target = link && targetOf(link.hash);
  if (!target) return;
  reveal(target);
  if (!wide.matches) menu.open = false;
}

function say(...parts) {
  main.replaceChildren(el("p", { role: "status" }, ...parts));
}

function sayFailed(why) {
  const again = el("button", { type: "button" }, "Try again");
  again.addEventListener("click", load);
  say("The document of the API, ", el("code", {}, SOURCE), ", could not be loaded. " + why +
    " Wait a moment, then try again.");
  main.append(again);
}

async function load() {
  say("Loading " + SOURCE);
  let why = "The server cannot be reached.";
  try {
    const response = await fetch(SOURCE);
    why = "The server answered with status " + response.status + ".";
    if (!response.ok) throw new Error(why);
    why = "What the server sent cannot be read as such a document.";
    api = await response.json();
    draw();
  } catch (error) {
    console.warn(error);
    return sayFailed(why);
  }
  find.hidden = menu.hidden = false;
  filter();
  land();
}

function fitMenu() {
  menu.open = wide.matches;
}

find.addEventListener("input", () => { filter(); scrollTo(0, 0); });
document.addEventListener("click", follow);
addEventListener("hashchange", land);
wide.addEventListener("change", fitMenu);
fitMenu();
load();
