"use strict";
// The chat page. Nothing that a bot or a customer wrote becomes markup: every
// text enters the page as a text node.

const $ = (id) => document.getElementById(id);
const HISTORY = 300;
const EMOJI = ["👍", "❤️", "😂", "😮", "🙏"];
const ICONS = {
  plus: "M12 5v14M5 12h14", back: "M15 5l-7 7 7 7", close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-6 16-3-6z", eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 100 6 3 3 0 000-6",
  smile: "M12 3a9 9 0 100 18 9 9 0 000-18M8.5 14.5a4.5 4.5 0 007 0M9 9.5v.01M15 9.5v.01",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9v.01", pin: "M12 21s7-6.5 7-12a7 7 0 10-14 0c0 5.5 7 12 7 12zM12 7a2 2 0 100 4 2 2 0 000-4",
  file: "M6 3h8l4 4v14H6zM14 3v4h4", voice: "M12 4v16M8 8v8M16 8v8M4 11v2M20 11v2", person: "M12 4a4 4 0 100 8 4 4 0 000-8M4 20c1-4 4-6 8-6s7 2 8 6",
  list: "M5 7h14M5 12h14M5 17h14",
};

const state = { phones: new Map(), open: null, messages: new Map(), codes: [], suggestions: [], inspect: false, business: {}, ahead: 0 };

/** The time on the simulator's clock. */
const now = () => Date.now() + state.ahead;

// ---- Building blocks

/** An element; children are nodes or texts, nothing is parsed. */
function el(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function svg(path, viewBox) {
  const ns = "http://www.w3.org/2000/svg";
  const node = document.createElementNS(ns, "svg");
  const line = document.createElementNS(ns, "path");
  node.setAttribute("viewBox", viewBox || "0 0 24 24");
  node.setAttribute("aria-hidden", "true");
  const look = { d: path, fill: "none", stroke: "currentColor", "stroke-width": "1.8", "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [name, value] of Object.entries(look)) line.setAttribute(name, value);
  node.append(line);
  return node;
}
const icon = (name) => svg(ICONS[name]);

async function call(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  const text = await answer.text();
  let parsed = null;
  try { parsed = JSON.parse(text); } catch { /* a plain text */ }
  if (!answer.ok) throw new Error((parsed && parsed.error) || text || `HTTP ${answer.status}`);
  return parsed;
}
const phonePath = (rest) => `/sim/phones/${encodeURIComponent(state.open)}/${rest}`;

function fail(error) {
  $("trouble").textContent = error.message;
  $("trouble").hidden = false;
}
const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const moment = (at) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
function took(us) {
  if (us < 1000) return `${us} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(us < 10000 ? 1 : 0)} ms` : `${(us / 1e6).toFixed(1)} s`;
}
const get = (value, ...path) => path.reduce((at, name) => (at === null || at === undefined ? undefined : at[name]), value);
const list = (value) => (Array.isArray(value) ? value : []);

/** `*bold*`, `_italic_`, `~struck~`, `` `code` `` and web addresses. */
function words(text) {
  const node = el("span", { class: "words" });
  const marks = { "*": "strong", _: "em", "~": "s", "`": "code" };
  const pattern = /(https?:\/\/[^\s<>"]+)|(?<![\p{L}\p{N}])([*_~`])(\S(?:[^\n]*?\S)?)\2(?![\p{L}\p{N}])/gu;
  let from = 0;
  for (const found of String(text).matchAll(pattern)) {
    node.append(text.slice(from, found.index));
    from = found.index + found[0].length;
    if (found[1]) node.append(el("a", { href: found[1], target: "_blank", rel: "noopener noreferrer" }, found[1]));
    else node.append(el(marks[found[2]], {}, found[3]));
  }
  node.append(String(text).slice(from));
  return node;
}

function face(name, key) {
  const hue = [...key].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) % 6;
  return el("span", { class: `face h${hue}`, "aria-hidden": "true" }, ([...name][0] || "?").toUpperCase());
}

// ---- What a message says

/** In one line, for the list of phones and for quotes. */
function summary(message) {
  const c = message.content || {};
  switch (message.kind) {
    case "text": return (c.body || "").replace(/(^|\s)[*_~`](\S[^*_~`]*)[*_~`]/g, "$1$2");
    case "interactive": return get(c, "button_reply", "title") || get(c, "list_reply", "title") || get(c, "body", "text") || c.type || "";
    case "button": return c.text || c.payload || "";
    case "template": return message.filled ? message.filled.body : `Template ${c.name || ""}`;
    case "image": return `Photo ${c.caption || ""}`.trim();
    case "document": return c.filename || "Document";
    case "audio": return "Voice note";
    case "location": return c.name || "Location";
    case "reaction": return c.emoji ? `Reacted ${c.emoji}` : "Took a reaction back";
    default: return message.kind;
  }
}

function fileRow(name, text) {
  return el("div", { class: "file" }, icon(name), el("span", {}, text));
}

function picture(name, text) {
  return el("div", { class: "picture" }, el("div", {}, icon(name), el("div", {}, text || "")));
}

/** The nodes within a bubble. */
function body(message) {
  const c = message.content || {};
  const caption = c.caption ? words(c.caption) : null;
  switch (message.kind) {
    case "text": return [words(c.body || "")];
    case "button": return [words(c.text || "")];
    case "image": case "video": case "sticker": return [picture("picture", c.link ? "" : message.kind), caption];
    case "document": return [fileRow("file", c.filename || c.link || "document"), caption];
    case "audio": return [fileRow("voice", "Voice note")];
    case "location": return [picture("pin", `${c.latitude}, ${c.longitude}`), words([c.name, c.address].filter(Boolean).join("\n"))];
    case "contacts": return list(c).map((card) => fileRow("person", get(card, "name", "formatted_name") || "Contact"));
    case "interactive": return interactive(c);
    case "template": return message.filled ? WHATSAPP.filled(message.filled) : template(c);
    default: return [el("span", { class: "label" }, message.kind), el("pre", {}, JSON.stringify(c, null, 1))];
  }
}

function interactive(c) {
  const reply = c.button_reply || c.list_reply;
  if (reply) return [words(reply.title || ""), reply.description ? el("div", { class: "foot" }, reply.description) : null];
  const header = c.header;
  return [
    header && (header.text ? el("div", { class: "head" }, words(header.text)) : picture("picture", header.type)),
    words(get(c, "body", "text") || `(${c.type})`),
    get(c, "footer", "text") ? el("div", { class: "foot" }, c.footer.text) : null,
  ];
}

function template(c) {
  const values = list(c.components)
    .filter((part) => part.type !== "button")
    .flatMap((part) => list(part.parameters))
    .map((p) => p.text || get(p, "currency", "fallback_value") || get(p, "date_time", "fallback_value") || p.type);
  return [
    el("div", {}, el("span", { class: "label" }, `Template · ${get(c, "language", "code") || ""}`)),
    el("div", { class: "head" }, c.name || ""),
    values.length ? el("div", { class: "values" }, values.map((value) => el("span", {}, value))) : null,
  ];
}

/** Buttons below a bubble. */
function choices(message) {
  if (message.by !== "business" || message.status === "failed") return null;
  const c = message.content || {};
  const button = (id, title, act) => el("button", {
    type: "button", disabled: Boolean(message.tapped) && !act,
    class: message.tapped === id ? "chosen" : "", onclick: act || (() => tap(message, id)),
  }, title);
  let buttons = [];
  if (message.kind === "interactive" && c.type === "button") {
    buttons = list(get(c, "action", "buttons")).map((b) => button(b.reply.id, b.reply.title));
  } else if (message.kind === "interactive" && c.type === "list") {
    buttons = [button("", get(c, "action", "button") || "Choose", () => openSheet(message))];
  } else if (message.kind === "interactive" && c.type === "cta_url") {
    const { display_text: title, url } = get(c, "action", "parameters") || {};
    buttons = [button("", `${title} ↗`, () => window.open(url, "_blank", "noopener"))];
  } else if (message.filled) {
    buttons = WHATSAPP.buttons(message, button);
  } else if (message.kind === "interactive" && c.type === "contact_request") {
    buttons = [button("contact", "Share my number", () => act({ kind: "share_number", message: message.id }))];
  } else if (message.kind === "interactive" && c.type === "flow") {
    const title = get(c, "action", "parameters", "flow_cta") || "Open";
    buttons = [button("flow", title, () => act({ kind: "flow", message: message.id, response: { filled_in: true } }))];
  } else if (message.kind === "interactive" && c.type === "location_request_message") {
    buttons = [button("place", "Send my location", () => act({ ...ACTS.location(), reply_to: message.id }))];
  } else if (message.kind === "template") {
    buttons = list(c.components)
      .filter((part) => part.sub_type === "quick_reply")
      .flatMap((part) => list(part.parameters))
      .filter((p) => p.payload)
      .map((p) => button(p.payload, p.payload));
  }
  return buttons.length ? el("div", { class: "choices" }, buttons) : null;
}

const STATUS = { accepted: "taken by WhatsApp", sent: "sent", delivered: "delivered", read: "read", failed: "not delivered" };

function stamp(message) {
  const node = el("span", { class: "stamp" }, clock(message.at));
  const said = el("span", { class: "hidden" }, STATUS[message.status] || "");
  if (message.status === "failed") node.append(el("span", { class: "fail", title: STATUS.failed }, "!"));
  else {
    const two = message.status === "delivered" || message.status === "read";
    const ticks = svg(two ? "M1 6l3.5 3.5 7-8M7 8.5l1 1 7-8" : "M4 6l3.5 3.5 7-8", "0 0 17 11");
    if (message.status === "read") ticks.classList.add("read");
    node.append(ticks);
  }
  node.title = STATUS[message.status] || "";
  node.append(said);
  return node;
}

function bubble(message, before) {
  const mine = message.by === "customer";
  const quoted = message.reply_to && state.messages.get(message.reply_to);
  const reactions = [message.business_reaction, message.customer_reaction].filter(Boolean).join(" ");
  const turn = !before || before.by !== message.by;
  const node = el("article", { class: `message${mine ? " mine" : ""}${turn ? " turn" : ""}${message.status === "failed" ? " failed" : ""}`, "aria-label": mine ? "You" : state.business.name },
    message.by === "app" ? el("div", { class: "label" }, "written by a person in the app") : null,
    el("div", { class: "bubble" }, quoted ? el("div", { class: "quote" }, summary(quoted)) : null, body(message), stamp(message)),
    reactions ? el("div", { class: "reactions" }, reactions) : null,
    choices(message),
    message.problem ? el("div", { class: "why" }, `${mine ? "The bot did not get this" : "Not delivered"}: ${message.problem.details}${message.problem.code ? ` (${message.problem.code})` : ""}`) : null);
  if (!mine && message.status !== "failed") node.append(reactButton(message, node));
  return node;
}

function reactButton(message, node) {
  const button = el("button", { type: "button", class: "icon react", "aria-label": "React", "aria-expanded": "false", onclick: () => {
    const open = node.querySelector(".faces");
    button.setAttribute("aria-expanded", String(!open));
    if (open) { open.remove(); return; }
    const faces = EMOJI.map((emoji) => el("button", { type: "button", onclick: () => {
      node.querySelector(".faces").remove();
      act({ kind: "reaction", message: message.id, emoji: message.customer_reaction === emoji ? "" : emoji });
    } }, emoji));
    node.append(el("div", { class: "faces", role: "group", "aria-label": "Reactions" }, faces));
    node.querySelector(".faces button").focus();
  } }, icon("smile"));
  return button;
}

// ---- The chat

const shown = (message) => message.kind !== "reaction" || message.status === "failed";

function drawLog() {
  const log = $("log");
  log.replaceChildren();
  const messages = [...state.messages.values()].filter(shown);
  if (!messages.length) log.append(emptyChat());
  let before = null;
  for (const message of messages) {
    const day = new Date(message.at).toDateString();
    if (!before || new Date(before.at).toDateString() !== day) {
      const today = day === new Date(now()).toDateString();
      log.append(el("div", { class: "day" }, today ? "Today" : new Date(message.at).toLocaleDateString()));
    }
    message.node = bubble(message, before);
    log.append(message.node);
    before = message;
  }
  drawTyping();
  log.scrollTop = log.scrollHeight;
}

function emptyChat() {
  const phone = state.phones.get(state.open);
  if (!phone) return el("div", { class: "empty" }, el("h3", {}, "No phone yet"), "Add a phone on the left to write to the bot.");
  return el("div", { class: "empty" },
    el("h3", {}, `You are ${phone.name}`),
    `Write to ${state.business.name} as a customer would. Try one of these:`,
    el("div", { class: "chips" }, state.suggestions.map((text) =>
      el("button", { type: "button", onclick: () => act({ kind: "text", body: text }) }, text))));
}

function drawTyping() {
  const phone = state.phones.get(state.open);
  const typing = Boolean(phone) && phone.typing_until > now();
  const old = $("log").querySelector(".typing");
  if (typing && !old) {
    const dots = el("div", { class: "message turn typing", "aria-hidden": "true" }, el("div", { class: "bubble" }, el("span", { class: "dots" }, el("i"), el("i"), el("i"))));
    $("log").append(dots);
    dots.scrollIntoView({ block: "nearest" });
  } else if (!typing && old) old.remove();
  const known = phone && (phone.number ? `+${phone.number}` : `@${phone.username}`);
  $("presence").textContent = typing ? "typing…" : phone ? `you are ${phone.name} · ${known}` : "";
  $("presence").classList.toggle("typing", typing);
}

function drawWindow() {
  const phone = state.phones.get(state.open);
  const until = phone && phone.window_open_until;
  const left = until ? until - now() : 0;
  $("later").hidden = left <= 0;
  $("window-text").hidden = !phone;
  $("window-text").classList.toggle("closed", left <= 0);
  const hours = Math.floor(left / 3.6e6);
  const minutes = Math.floor((left % 3.6e6) / 6e4);
  $("window-text").textContent = left > 0 ? `Window: ${hours} h ${String(minutes).padStart(2, "0")} m` : "Window closed";
}

/** A message that is new, or that got further. */
function place(message) {
  const log = $("log");
  const old = state.messages.get(message.id);
  const before = old ? null : [...state.messages.values()].filter(shown).pop();
  state.messages.set(message.id, message);
  if (old && old.node && shown(message)) {
    const turn = old.node.classList.contains("turn");
    message.node = bubble(message, turn ? null : message);
    old.node.replaceWith(message.node);
  } else if (!old && shown(message)) {
    if (!before) { drawLog(); return; }
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
    message.node = bubble(message, before);
    log.append(message.node);
    const typing = log.querySelector(".typing");
    if (typing) log.append(typing);
    if (near || message.by === "customer") log.scrollTop = log.scrollHeight;
  }
  if (state.messages.size > HISTORY) {
    const [id, first] = state.messages.entries().next().value;
    state.messages.delete(id);
    if (first.node) first.node.remove();
  }
}

async function act(what) {
  if (!state.open) { $("new-phone").showModal(); return; }
  try { await call("POST", phonePath("send"), what); } catch (error) { fail(error); }
}
const tap = (message, id) => act({ kind: "tap", message: message.id, id });

function openSheet(message) {
  const sheet = $("sheet");
  $("sheet-title").textContent = get(message.content, "action", "button") || "Choose";
  const rows = list(get(message.content, "action", "sections")).flatMap((section) => [
    section.title ? el("h3", {}, section.title) : null,
    ...list(section.rows).map((row) => el("button", { type: "button", onclick: () => { sheet.close(); tap(message, row.id); } },
      row.title, row.description ? el("small", {}, row.description) : null)),
  ]);
  $("sheet-body").replaceChildren(...rows.filter(Boolean));
  sheet.showModal();
}

// ---- Phones

let listDue = false;
function drawPhones() {
  if (listDue) return;
  listDue = true;
  requestAnimationFrame(() => {
    listDue = false;
    const last = (phone) => (phone.last ? phone.last.at : 0);
    const phones = [...state.phones.values()].sort((a, b) => last(b) - last(a)).slice(0, 200);
    const focused = document.activeElement && document.activeElement.dataset.phone;
    $("phones").replaceChildren(...phones.map((phone) => el("button", {
      type: "button", class: "phone", "data-phone": phone.id,
      "aria-current": String(phone.id === state.open), onclick: () => openPhone(phone.id),
    },
      face(phone.name, phone.id),
      el("span", { class: "name" }, phone.name),
      el("span", { class: "time" }, phone.last ? clock(phone.last.at) : ""),
      el("span", { class: "last" }, phone.last ? summary(phone.last) : phone.number ? `+${phone.number}` : `@${phone.username}`),
      phone.unread && phone.id !== state.open ? el("span", { class: "badge", "aria-label": `${phone.unread} unread` }, String(phone.unread)) : null)));
    if (focused) {
      const again = $("phones").querySelector(`[data-phone="${CSS.escape(focused)}"]`);
      if (again) again.focus();
    }
  });
}

async function openPhone(id) {
  state.open = id;
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  $("app").dataset.view = "chat";
  const answer = await call("GET", phonePath(`messages?limit=${HISTORY}`));
  if (state.open !== id) return;
  state.messages = new Map(answer.messages.map((message) => [message.id, message]));
  state.phones.set(id, answer.phone);
  $("trouble").hidden = true;
  drawPhones();
  drawLog();
  drawWindow();
  WHATSAPP.phone(answer.phone);
  markRead();
  inspect();
}

let readDue = null;
function markRead() {
  clearTimeout(readDue);
  readDue = setTimeout(() => {
    const phone = state.phones.get(state.open);
    const unread = [...state.messages.values()].some((m) => m.by === "business" && m.kind !== "reaction" && m.status === "delivered");
    if (document.visibilityState !== "visible" || !phone || (!unread && !phone.unread)) return;
    phone.unread = 0;
    drawPhones();
    call("POST", phonePath("read"), {}).catch(fail);
  }, 150);
}

// ---- Behind the answer

let inspectDue = [];
function inspectSoon() {
  inspectDue.forEach(clearTimeout);
  inspectDue = [200, 900].map((pause) => setTimeout(inspect, pause));
}

async function inspect() {
  const id = state.open;
  if (!state.inspect || !id || $("app").classList.contains("plain")) return;
  const phone = state.phones.get(id);
  $("behind-who").textContent = phone ? phone.name : "";
  let found = null;
  let why = "";
  try { found = await call("GET", `/sim/inspect?phone=${encodeURIComponent(id)}`); } catch (error) { why = error.message; }
  if (state.open !== id) return;
  // Drawn only if something changed: a person may be reading or selecting.
  const seen = JSON.stringify([id, found, why]);
  if (seen === state.inspected) return;
  state.inspected = seen;
  const open = new Set([...$("behind-body").querySelectorAll("details:not([open])")].map((node) => node.dataset.turn));
  if (!found || !found.contact) {
    const text = state.messages.size ? `Nothing to show: ${why || "the runtime does not know this contact yet"}.` : "Write something: this side then shows what each plugin thought of it.";
    $("behind-body").replaceChildren(el("p", { class: "note" }, text));
    return;
  }
  const turns = list(found.turns).slice().sort((a, b) => b.at - a.at);
  $("behind-body").replaceChildren(contactCard(found.contact),
    el("div", {}, el("h3", {}, "Turns, newest first")), ...turns.map((turn, n) => turnCard(turn, !open.has(String(turn.turn)) && n < 8)));
}

/** What became of the last edit of the rules. */
async function watchRules() {
  if (!state.inspect || document.visibilityState !== "visible") return;
  let found = null;
  try { found = get(await call("GET", "/sim/inspect/ready"), "generation"); } catch { /* the webhooks tell */ }
  if (!found) return;
  const problems = list(found.problems);
  $("edit").hidden = !problems.length;
  if (problems.length) {
    const { file, line, key, message } = problems[0];
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
    $("edit").textContent = `The last edit is not live: ${[line ? `${file}:${line}` : file, key, message].filter(Boolean).join(": ")}${more}`;
  }
  if (state.generation !== undefined && state.generation !== found.generation) link(true, `New rules are live (generation ${found.generation})`);
  state.generation = found.generation;
}

function contactCard(contact) {
  const tags = list(contact.tags).map((tag) => el("span", { class: "tag", title: tag.expires ? `until ${moment(tag.expires)}` : "" },
    tag.name || String(tag), tag.by ? el("small", {}, ` by ${plain(tag.by)}`) : null));
  const rows = [];
  const row = (name, value) => { if (value) rows.push(el("dt", {}, name), el("dd", {}, value)); };
  row("Promotions", consent(contact.consent));
  row("Handed to a person", plain(contact.handoff));
  const attributes = contact.attributes || {};
  const pairs = Array.isArray(attributes) ? attributes.map((a) => (Array.isArray(a) ? a : [a.name, a.value])) : Object.entries(attributes);
  for (const [name, value] of pairs) row(String(name), plain(value));
  row("Contact", plain(contact.id));
  return el("div", {}, el("h3", {}, "The runtime knows"),
    el("div", { class: "tags" }, tags.length ? tags : el("span", { class: "quiet" }, "no tags")),
    el("dl", { class: "facts" }, rows));
}

/** Whether promotions may be sent, and since when. */
function consent(value) {
  if (!value) return "";
  const word = { "opted-in": "wanted", "opted-out": "not wanted", unknown: "not asked" }[value.marketing] || plain(value.marketing);
  return value.at ? `${word}, since ${moment(value.at)}${value.by ? ` (${value.by})` : ""}` : word;
}

/** Any value as a short text; empty for what says nothing. */
function plain(value) {
  if (value === null || value === undefined || value === false) return "";
  if (value === true) return "yes";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(plain).filter(Boolean).join(", ");
  return Object.entries(value)
    .map(([name, part]) => [name, /(^|_)(at|until|since|expires)$/.test(name) && typeof part === "number" ? moment(part) : plain(part)])
    .filter(([, part]) => part)
    .map(([name, part]) => `${name.replaceAll("_", " ")} ${part}`)
    .join(", ");
}

function turnCard(turn, open) {
  const steps = list(turn.steps);
  return el("details", { class: "turn-card", open, "data-turn": String(turn.turn) },
    el("summary", {}, el("span", { class: "said" }, turn.text ? said(turn.text) : turn.event || "turn"),
      el("span", { class: "quiet" }, [turn.text ? turn.event : null, clock(turn.at), took(turn.duration_us || 0), turn.generation !== undefined ? `generation ${turn.generation}` : null].filter(Boolean).join(" · "))),
    el("div", { class: "steps" }, steps.length ? steps.map(stepRow) : el("p", { class: "quiet" }, "no step ran")),
    list(turn.remarks).map((remark) => el("p", { class: "remark" }, plain(remark))));
}

/** What was not written, such as `[location]`, is not quoted. */
const said = (text) => (/^\[.*\]$/s.test(text) ? text : `“${text}”`);

function stepRow(step) {
  const effects = list(step.effects).map(effectInWords).filter(Boolean);
  const verdict = String(step.verdict || "").toLowerCase();
  const look = step.error ? "broke" : verdict === "stop" ? "stop" : effects.length ? "did" : "";
  return el("div", { class: `step ${look}` },
    el("div", { class: "step-head" }, el("b", { title: step.plugin || "" }, step.step || ""),
      el("span", { class: `verdict ${verdict}` }, verdict === "stop" ? "stops the chain" : "passes on"),
      el("span", { class: "quiet" }, took(step.duration_us || 0))),
    list(step.because).map((reason) => el("div", { class: "because" }, plain(reason))),
    effects.map((effect) => el("div", { class: "effect" }, effect)),
    list(step.logs).map((line) => el("div", { class: "log" }, typeof line === "string" ? line : `${line.level || ""} ${line.message || ""}`)),
    step.error ? el("div", { class: "error" }, plain(step.error)) : null);
}

const short = (text) => { const line = String(text).replaceAll("\n", " "); return line.length > 90 ? `${line.slice(0, 89)}…` : line; };

/** An effect is a text, or one name with its fields. */
function effectInWords(effect) {
  if (typeof effect !== "object" || effect === null) return effect === "Resume" ? "gives the chat back to the bot" : String(effect);
  const [name, fields] = Object.entries(effect)[0] || ["", {}];
  const f = fields || {};
  switch (name) {
    case "Send": return `sends ${messageInWords(f.message)}`;
    case "MarkRead": return f.typing ? "marks it read, shows typing…" : "marks it read";
    case "Tag": return `tags ${f.name}${f.expires ? ` until ${moment(f.expires)}` : ""}`;
    case "Untag": return `takes the tag ${f.name} away`;
    case "SetAttribute": return f.value === null ? `forgets ${f.name}` : `notes ${f.name} = ${f.value}`;
    case "SetTimer": return `sets timer ${f.name} for ${moment(f.due)}`;
    case "CancelTimer": return `cancels timer ${f.name}`;
    case "Handoff": return `hands over to a person: ${f.reason}`;
    case "OptIn": return "records consent to promotions";
    case "OptOut": return "records that promotions must stop";
    case "Broadcast": return `starts broadcast ${f.id}`;
    case "Note": return `notes: ${short(f.text)}`;
    default: return `${name} ${plain(fields)}`.trim();
  }
}

function messageInWords(message) {
  const [kind, m] = typeof message === "object" && message !== null ? Object.entries(message)[0] || ["", {}] : ["", message];
  if (kind === "Text") return `“${short(m)}”`;
  if (kind === "Buttons") return `“${short(m.body)}” with ${list(m.buttons).length} buttons`;
  if (kind === "List") return `“${short(m.body)}” with a list`;
  if (kind === "Template") return `template ${m.name}`;
  if (kind === "Reaction") return `reaction ${m.emoji}`;
  return kind ? kind.toLowerCase() : plain(message);
}

// ---- Faults and settings

function drawFaults(faults) {
  $("fault-count").hidden = !faults.length;
  $("fault-count").textContent = String(faults.length);
  const name = { error: "refused", failed: "fails later", timeout: "no answer", http_500: "HTTP 500", http: "HTTP", hang: "hangs", slow: "late answer" };
  $("fault-list").replaceChildren(...faults.map((fault) =>
    el("li", {}, `${fault.count} × ${name[fault.kind] || fault.kind}${fault.code ? ` with ${fault.code}` : ""}`)));
}

function drawSettings(settings) {
  const form = $("receipt-form");
  for (const name of ["hold", "reorder", "drop"]) form[name].checked = settings.receipts[name];
  form.twice.checked = settings.receipts.copies > 1;
}

function link(good, text) {
  $("link").className = `quiet ${good ? "good" : "bad"}`;
  $("link").lastElementChild.textContent = text;
}

// ---- Updates

const HEARD = {
  message({ message, phone }) {
    if (phone) { state.phones.set(phone.id, phone); drawPhones(); }
    if (!phone || phone.id !== state.open) return;
    place(message);
    drawWindow();
    drawTyping();
    if (message.by === "business") markRead();
    inspectSoon();
  },
  phone({ phone }) {
    state.phones.set(phone.id, phone);
    drawPhones();
    if (phone.id === state.open) { drawWindow(); drawTyping(); WHATSAPP.phone(phone); }
  },
  webhook({ status, error, again_in_ms: pause }) {
    $("trouble").hidden = status === 200;
    if (status === 200) { link(true, "The bot answers"); return; }
    const again = pause ? ` Trying again in ${Math.max(1, Math.round(pause / 1000))} s.` : " Given up.";
    const why = status ? `The bot answered ${status}.` : `The bot did not answer: ${error}.`;
    $("trouble").textContent = why + again;
    link(false, status ? `The bot answered ${status}` : "The bot does not answer");
  },
  verification({ verification }) { link(verification.ok, verification.ok ? "Webhook verified" : verification.details); },
  faults({ faults }) { drawFaults(faults); },
  settings({ settings }) { drawSettings(settings); WHATSAPP.settings(settings); },
  clock({ clock }) { WHATSAPP.clock(clock); },
  account({ account }) { WHATSAPP.account(account); },
  templates({ templates }) { WHATSAPP.templates(templates); },
  lost({ to }) { fail(new Error(`The bot wrote to the user id ${to} in “to”: nobody gets that. A user id belongs in “recipient”.`)); },
  resync() { load(); },
};

async function load() {
  const all = await call("GET", "/sim/state");
  Object.assign(state, { business: all.business, codes: all.codes, suggestions: all.suggestions, inspect: all.inspect });
  state.phones = new Map(all.phones.map((phone) => [phone.id, phone]));
  document.title = `${all.business.name} · simulator`;
  $("business").textContent = all.business.name;
  $("business-face").textContent = ([...all.business.name][0] || "?").toUpperCase();
  $("behind-toggle").hidden = !all.inspect;
  if (!all.inspect) $("app").classList.add("plain");
  const codes = $("fault-form").code;
  if (!codes.options.length) codes.append(...all.codes.map((c) => el("option", { value: c.code, selected: c.code === 131056 }, `${c.code} ${c.plain}`)));
  drawFaults(all.faults);
  drawSettings(all.settings);
  WHATSAPP.state(all);
  if (all.verification) HEARD.verification(all);
  watchRules();
  drawPhones();
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = [wanted, state.open, all.phones.length ? all.phones[0].id : null].find((id) => state.phones.has(id));
  const narrow = matchMedia("(max-width: 720px)").matches;
  if (first && (!narrow || wanted)) await openPhone(first);
  else { drawLog(); drawWindow(); }
}

function listen() {
  // A browser that takes a picture waits for the stream to end, which it never does.
  if (new URLSearchParams(location.search).has("still")) { load().catch(fail); return; }
  const feed = new EventSource("/sim/events");
  feed.onmessage = (event) => {
    const heard = JSON.parse(event.data);
    if (HEARD[heard.type]) HEARD[heard.type](heard);
  };
  feed.onerror = () => link(false, "The simulator does not answer");
  // Only now, so that nothing happens unheard between the two.
  feed.onopen = () => load().catch(fail);
  setInterval(watchRules, 1500);
}

// ---- What the person does

function wire() {
  for (const [id, name] of [["add", "plus"], ["back", "back"], ["behind-toggle", "eye"], ["behind-close", "close"], ["attach", "plus"], ["send", "send"], ["sheet-close", "close"]]) $(id).append(icon(name));
  const text = $("text");
  const send = (copies) => {
    const written = text.value.trim();
    if (!written) return;
    act({ kind: "text", body: written, copies });
    text.value = "";
    text.style.height = "";
  };
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); send(1); });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(1); }
  });
  text.addEventListener("input", () => { text.style.height = "auto"; text.style.height = `${text.scrollHeight + 2}px`; });

  const menu = $("attach-menu");
  const showMenu = (show) => { menu.hidden = !show; $("attach").setAttribute("aria-expanded", String(show)); if (show) menu.querySelector("button").focus(); };
  $("attach").addEventListener("click", () => showMenu(menu.hidden));
  document.addEventListener("click", (event) => { if (!event.target.closest(".menu-holder")) showMenu(false); });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus(); }
    if (event.key === "Escape") { showMenu(false); $("attach").focus(); }
  });
  menu.addEventListener("click", (event) => {
    const kind = event.target.dataset.act;
    if (!kind) return;
    showMenu(false);
    if (kind === "twice") { send(2); return; }
    const what = ACTS[kind]();
    act(what);
    if ("caption" in what || what.referral) text.value = "";
  });

  $("later").addEventListener("click", () => call("POST", phonePath("window"), { hours: 25 }).catch(fail));
  $("back").addEventListener("click", () => { $("app").dataset.view = "list"; });
  const behind = () => {
    const hidden = $("app").classList.toggle("plain");
    $("behind-toggle").setAttribute("aria-expanded", String(!hidden));
    inspect();
  };
  $("behind-toggle").addEventListener("click", behind);
  $("behind-close").addEventListener("click", behind);
  $("sheet-close").addEventListener("click", () => $("sheet").close());
  if (matchMedia("(max-width: 1120px)").matches) $("app").classList.add("plain");
  wirePhones();
  wireFaults();
  WHATSAPP.wire();
  document.addEventListener("visibilitychange", markRead);
  setInterval(() => { drawWindow(); drawTyping(); }, 1000);
}

function wirePhones() {
  const form = $("new-phone-form");
  $("add").addEventListener("click", () => { $("new-phone-error").textContent = ""; $("new-phone").showModal(); });
  $("new-phone-cancel").addEventListener("click", () => $("new-phone").close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const phone = await call("POST", "/sim/phones", { name: form.name.value, number: form.number.value || null, username: form.username.value || null });
      state.phones.set(phone.id, phone);
      form.reset();
      $("new-phone").close();
      await openPhone(phone.id);
      $("text").focus();
    } catch (error) { $("new-phone-error").textContent = error.message; }
  });
}

function wireFaults() {
  const form = $("fault-form");
  const receipts = $("receipt-form");
  const coded = () => ["error", "failed"].includes(form.kind.value);
  const body = (kind) => (/^http_\d+$/.test(kind) && kind !== "http_500" ? { kind: "http", code: Number(kind.slice(5)) } : { kind });
  form.kind.addEventListener("change", () => { $("code-label").hidden = !coded(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fault = { ...body(form.kind.value), count: Number(form.count.value) || 1 };
    if (coded()) fault.code = Number(form.code.value);
    call("POST", "/sim/faults", fault).then(drawFaults).catch(fail);
  });
  receipts.addEventListener("change", () => call("PATCH", "/sim/settings", { receipts: {
    hold: receipts.hold.checked, reorder: receipts.reorder.checked, drop: receipts.drop.checked, copies: receipts.twice.checked ? 2 : 1,
  } }).catch(fail));
  $("release").addEventListener("click", () => call("POST", "/sim/receipts/release", {}).catch(fail));
  $("clear-faults").addEventListener("click", async () => {
    try {
      drawFaults(await call("DELETE", "/sim/faults"));
      drawSettings(await call("GET", "/sim/settings"));
      await call("POST", "/sim/receipts/release", {});
    } catch (error) { fail(error); }
  });
}

wire();
listen();
