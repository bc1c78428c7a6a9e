// Answers a greeting.
//
// The contract is in .switchboard/c/plugin.h, made by `switchboard plugin
// build`. What a function of the contract is given belongs to the host's
// bindings until it returns; what it gives back is freed by them, so it must
// come from malloc (`plugin_string_dup`).

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "plugin.h"

// Set once by `configure`. What matters between two events belongs into the
// key-value store (`kv_get`, `kv_set`), not into memory.
static const char *ask = "hello";
static const char *say = "Hello! What can I do for you?";

void guest_describe(guest_descriptor_t *ret) {
  plugin_string_dup(&ret->name, "{{name}}");
  plugin_string_dup(&ret->version, "0.1.0");
  plugin_string_dup(&ret->summary, "Answers a greeting");
  ret->rules_schema.is_some = false;
  ret->events.len = 1;
  ret->events.ptr = calloc(1, sizeof *ret->events.ptr);
  plugin_string_dup(&ret->events.ptr[0], "message");
  ret->wants.ptr = NULL;
  ret->wants.len = 0;
}

// Takes a rule, or complains of it. The texts are kept for good.
static void take(const json *given, const char *key, const char **into,
                 guest_list_problem_t *problems) {
  const json *rule = json_get(given, key);
  if (!rule) return;
  if (rule->kind == JSON_STRING && rule->length > 0) {
    *into = rule->string;
    return;
  }
  types_problem_t *problem = &problems->ptr[problems->len++];
  char path[16] = "/";
  plugin_string_dup(&problem->path, strcat(path, key));
  plugin_string_dup(&problem->message, "must be a text that is not empty");
}

bool guest_configure(plugin_string_t *rules, guest_list_problem_t *err) {
  json *given = json_parse((const char *)rules->ptr, rules->len);
  err->ptr = calloc(2, sizeof *err->ptr);
  err->len = 0;
  take(given, "ask", &ask, err);
  take(given, "say", &say, err);
  if (err->len > 0) return false;
  free(err->ptr);
  return true;
}

// Whether a text contains a word, both in small letters (of ASCII).
static bool contains(const plugin_string_t *text, const char *word) {
  size_t length = strlen(word);
  for (size_t at = 0; at + length <= text->len; at++) {
    if (!strncasecmp((const char *)text->ptr + at, word, length)) return true;
  }
  return false;
}

static bool on_text(const plugin_string_t *words, guest_verdict_t *ret, plugin_string_t *err) {
  if (!contains(words, ask)) return true;
  effects_outgoing_t message = {.tag = TYPES_OUTGOING_TEXT};
  plugin_string_set(&message.val.text, say);
  plugin_string_t id, reason;
  if (!effects_reply(&message, &id, err)) return false;
  plugin_string_free(&id);
  plugin_string_set(&reason, "it was greeted");
  effects_because(&reason);
  *ret = GUEST_VERDICT_STOP;
  return true;
}

bool guest_handle(guest_event_t *event, guest_verdict_t *ret, plugin_string_t *err) {
  bool done = true;
  *ret = GUEST_VERDICT_CONTINUE;
  if (event->tag == TYPES_EVENT_MESSAGE &&
      event->val.message.content.tag == TYPES_CONTENT_TEXT) {
    done = on_text(&event->val.message.content.val.text, ret, err);
  }
  guest_event_free(event);
  return done;
}
