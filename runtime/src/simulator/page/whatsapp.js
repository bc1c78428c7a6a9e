"use strict";
// WhatsApp's side of the page: time, account, templates, and the rarer things
// that a customer can do. Loaded before chat.js, whose building blocks it uses
// once both are there.

const ACTS = {
  image: () => ({ kind: "image", caption: written() }),
  video: () => ({ kind: "video", caption: written() }),
  document: () => ({ kind: "document", caption: written(), filename: "receipt.pdf" }),
  audio: () => ({ kind: "audio" }),
  sticker: () => ({ kind: "sticker" }),
  location: () => ({ kind: "location", latitude: 52.52, longitude: 13.405, name: "Alexanderplatz", address: "Berlin" }),
  contacts: () => ({ kind: "contacts" }),
  order: () => ({ kind: "order", catalog_id: "7", items: [{ product_retailer_id: "cake", quantity: 1, item_price: 20, currency: "EUR" }] }),
  ad: () => ({ kind: "text", body: written() || "Hello! I saw your ad.", referral: true }),
  call: () => ({ kind: "call" }),
  unsupported: () => ({ kind: "unsupported" }),
  hide_number: () => ({ kind: "hide_number" }),
  show_number: () => ({ kind: "show_number" }),
  change_user_id: () => ({ kind: "change_user_id" }),
};

const written = () => $("text").value.trim() || undefined;

const WHATSAPP = {
  /** What the page begins with. */
  state(all) {
    WHATSAPP.clock(all.clock);
    WHATSAPP.account(all.account);
    WHATSAPP.templates(all.templates);
    WHATSAPP.settings(all.settings);
  },

  clock(clock) {
    state.ahead = clock.ahead_ms;
    const hours = clock.ahead_ms / 3.6e6;
    const far = hours < 48 ? `${Math.round(hours * 10) / 10} h` : `${Math.round(hours / 2.4) / 10} days`;
    $("ahead").textContent = clock.ahead_ms ? `WhatsApp's clock is ${far} ahead; the bot's is its own.` : "WhatsApp's clock is the machine's.";
    drawWindow();
    drawTyping();
  },

  account(account) {
    const form = $("account-form");
    for (const name of ["token", "payment", "quality", "restricted", "display_name"]) form[name].value = account[name];
    form.subscribed.checked = account.subscribed;
    form.daily_contacts.value = account.daily_contacts;
  },

  templates(templates) {
    const decide = (one, status) => el("button", { type: "button", onclick: () => WHATSAPP.decide(one, status) }, status.toLowerCase());
    $("template-list").replaceChildren(...templates.slice(0, 50).map((one) => el("li", {},
      el("b", {}, one.name), ` ${one.language} · ${one.category.toLowerCase()} · ${one.status.toLowerCase()}`,
      el("div", { class: "row" }, ["APPROVED", "PAUSED", "REJECTED", "DISABLED"].filter((s) => s !== one.status).map((s) => decide(one, s))))));
    if (!templates.length) $("template-list").replaceChildren(el("li", { class: "quiet" }, "None is registered: any may be sent, if the settings say so."));
  },

  settings(settings) {
    const form = $("inbound-form");
    for (const name of ["hold", "reorder", "drop"]) form[name].checked = settings.messages[name];
    form.twice.checked = settings.messages.copies > 1;
    form.lose.checked = settings.lose_attempts > 0;
    form.wrong_hash.checked = settings.media.wrong_hash;
    form.dead.checked = settings.media.dead;
    form.slow.checked = settings.media.slow_ms > 0;
  },

  decide(one, status) {
    const path = `/sim/templates/${encodeURIComponent(one.name)}/${encodeURIComponent(one.language)}`;
    call("PATCH", path, { status }).catch(fail);
  },

  /** A registered template as the customer sees it. */
  filled(filled) {
    const header = filled.header;
    return [
      header && (header.text ? el("div", { class: "head" }, words(header.text)) : picture("picture", "")),
      words(filled.body),
      filled.footer ? el("div", { class: "foot" }, filled.footer) : null,
    ];
  },

  /** Its buttons; only quick replies answer the bot. */
  buttons(message, button) {
    return message.filled.buttons.map((b) => (b.kind === "quick_reply"
      ? button(b.payload, b.text)
      : button("", b.kind === "url" ? `${b.text} ↗` : b.text, () => { if (b.kind === "url") window.open(b.payload, "_blank", "noopener"); })));
  },

  wire() {
    for (const button of document.querySelectorAll("[data-advance]")) {
      button.addEventListener("click", () => call("POST", "/sim/clock", { advance_ms: Number(button.dataset.advance) }).catch(fail));
    }
    const account = $("account-form");
    account.addEventListener("change", (event) => {
      const field = event.target;
      const value = field.type === "checkbox" ? field.checked : field.type === "number" ? Number(field.value) || 0 : field.value;
      call("POST", "/sim/account", { [field.name]: value }).catch(fail);
    });
    account.addEventListener("submit", (event) => event.preventDefault());
    const inbound = $("inbound-form");
    inbound.addEventListener("change", () => call("PATCH", "/sim/settings", {
      messages: { hold: inbound.hold.checked, reorder: inbound.reorder.checked, drop: inbound.drop.checked, copies: inbound.twice.checked ? 2 : 1 },
      lose_attempts: inbound.lose.checked ? 2 : 0,
      media: { wrong_hash: inbound.wrong_hash.checked, dead: inbound.dead.checked, slow_ms: inbound.slow.checked ? 5000 : 0 },
    }).catch(fail));
    $("promotions").addEventListener("click", () => {
      const phone = state.phones.get(state.open);
      if (phone) call("POST", phonePath("preferences"), { marketing: phone.stopped_marketing ? "resume" : "stop" }).catch(fail);
    });
    $("reach").addEventListener("click", () => {
      const phone = state.phones.get(state.open);
      if (phone) call("POST", phonePath("presence"), { online: !phone.online }).catch(fail);
    });
  },

  /** What the buttons about the open phone say. */
  phone(phone) {
    $("promotions").textContent = phone && phone.stopped_marketing ? "Want promotions again" : "Stop promotions";
    $("reach").textContent = phone && !phone.online ? "Switch this phone on" : "Switch this phone off";
  },
};
