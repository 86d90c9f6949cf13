"use strict";
// Draws /openapi.json. Text only ever becomes text nodes: nothing of the document is run.

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
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
  return el("code", {}, document.querySelector && api.components.schemas[target]
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
    el("p", {}, operation.summary + ". " + operation.description),
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
  return el("section", { id: operation.operationId, "data-text": (path + " " + operation.summary).toLowerCase() }, ...parts);
}

let api = null;

function draw() {
  const main = document.getElementById("main");
  const list = document.getElementById("list");
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([method.toUpperCase(), path, operation]);
    }
  }
  main.replaceChildren(el("h2", {}, api.info.title + " " + api.info.version), el("p", {}, api.info.description));
  for (const [tag, found] of groups) {
    list.append(el("h2", {}, tag));
    main.append(el("h2", {}, tag));
    for (const [method, path, operation] of found) {
      list.append(el("a", { href: "#" + operation.operationId }, method + " " + path));
      main.append(operationNode(method, path, operation));
    }
  }
  main.append(el("h2", {}, "Shapes"));
  for (const [name, schema] of Object.entries(api.components.schemas)) {
    main.append(el("section", { id: "schema-" + name, "data-text": name.toLowerCase() },
      el("h3", {}, name), el("p", {}, schema.description || ""), fieldTable(schema)));
  }
  document.getElementById("find").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase();
    for (const section of main.querySelectorAll("section")) section.hidden = !section.dataset.text.includes(words);
  });
}

fetch("/openapi.json")
  .then((response) => response.json())
  .then((found) => { api = found; draw(); })
  .catch((error) => { document.getElementById("main").textContent = "Cannot read /openapi.json: " + error; });
