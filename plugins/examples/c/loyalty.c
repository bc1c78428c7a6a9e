// Counts purchases and tells customers their points.
//
// The contract is in .switchboard/c/plugin.h, made by `switchboard plugin
// build`. What a function of the contract is given belongs to the host's
// bindings until it returns; what it gives back is freed by them, so it must
// come from malloc (`plugin_string_dup`).

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "plugin.h"

static const uint64_t DAY = 24 * 60 * 60 * 1000ull;  // Moments are in milliseconds.

// Set once by `configure`. Nothing else may be kept in memory between two
// events: what matters is in the key-value store.
static struct {
  uint64_t per_purchase;
  uint64_t expire_days;
  char **ask;
  size_t asks;
  const char *answer;
  const char *thanks;
} rules;

// --- Texts ---

// A text for a call: not copied.
static plugin_string_t text(const char *words) {
  plugin_string_t made;
  plugin_string_set(&made, words);
  return made;
}

// A text made as `printf` would. The caller frees it.
static char *format(const char *form, ...) {
  va_list values;
  va_start(values, form);
  char *made = NULL;
  if (vasprintf(&made, form, values) < 0) abort();
  va_end(values);
  return made;
}

// A copy that ends with a zero. The caller frees it.
static char *copied(const uint8_t *bytes, size_t length) {
  char *made = malloc(length + 1);
  if (!made) abort();
  memcpy(made, bytes, length);
  made[length] = 0;
  return made;
}

static char *lower(char *words) {
  for (char *c = words; *c; c++) {
    if (*c >= 'A' && *c <= 'Z') *c += 'a' - 'A';
  }
  return words;
}

// `words` with `{points}` replaced wherever it stands. The caller frees it.
static char *with_points(const char *words, uint64_t points) {
  static const char mark[] = "{points}";
  char *made = format("%s", "");
  for (const char *found; (found = strstr(words, mark)); words = found + strlen(mark)) {
    char *longer = format("%s%.*s%llu", made, (int)(found - words), words, points);
    free(made);
    made = longer;
  }
  char *whole = format("%s%s", made, words);
  free(made);
  return whole;
}

// --- Who we are ---

void guest_describe(guest_descriptor_t *ret) {
  plugin_string_dup(&ret->name, "loyalty");
  plugin_string_dup(&ret->version, "0.1.0");
  plugin_string_dup(&ret->summary, "Counts purchases and tells customers their points");
  ret->rules_schema.is_some = false;
  ret->events.len = 2;
  ret->events.ptr = calloc(2, sizeof *ret->events.ptr);
  plugin_string_dup(&ret->events.ptr[0], "message");
  plugin_string_dup(&ret->events.ptr[1], "timer");
  ret->wants.ptr = NULL;
  ret->wants.len = 0;
}

// --- Rules ---

static void complain(guest_list_problem_t *problems, const char *path, const char *message) {
  size_t size = (problems->len + 1) * sizeof *problems->ptr;
  problems->ptr = realloc(problems->ptr, size);
  if (!problems->ptr) abort();
  types_problem_t *problem = &problems->ptr[problems->len++];
  plugin_string_dup(&problem->path, path);
  plugin_string_dup(&problem->message, message);
}

static int by_path(const void *left, const void *right) {
  const plugin_string_t *a = &((const types_problem_t *)left)->path;
  const plugin_string_t *b = &((const types_problem_t *)right)->path;
  int order = memcmp(a->ptr, b->ptr, a->len < b->len ? a->len : b->len);
  return order ? order : (a->len > b->len) - (a->len < b->len);
}

static bool is_whole(const json *value, double from, double to) {
  return value->kind == JSON_NUMBER && value->number >= from && value->number <= to &&
         floor(value->number) == value->number;
}

static bool has_points(const json *value) {
  return value->kind == JSON_STRING && strstr(value->string, "{points}");
}

static void check_ask(const json *value, guest_list_problem_t *problems) {
  if (value->kind != JSON_ARRAY || !value->first) {
    complain(problems, "/ask", "must be a list of at least one text");
    return;
  }
  int place = 0;
  for (const json *words = value->first; words; words = words->next, place++) {
    if (words->kind == JSON_STRING && words->length > 0) continue;
    char *path = format("/ask/%d", place);
    complain(problems, path, "must be a text that is not empty");
    free(path);
  }
}

// `a/b~c` → `/a~1b~0c`, as a JSON pointer wants it.
static char *pointer(const char *key) {
  char *made = malloc(2 * strlen(key) + 2), *to = made;
  if (!made) abort();
  *to++ = '/';
  for (; *key; key++) {
    if (*key == '~' || *key == '/') {
      *to++ = '~';
      *to++ = *key == '~' ? '0' : '1';
    } else {
      *to++ = *key;
    }
  }
  *to = 0;
  return made;
}

static void check_rule(const json *rule, guest_list_problem_t *problems) {
  const char *key = rule->key, *wrong = NULL;
  if (!strcmp(key, "per_purchase")) {
    if (!is_whole(rule, 1, 9e18)) wrong = "must be a whole number of at least 1";
  } else if (!strcmp(key, "expire_days")) {
    if (!is_whole(rule, 1, 3650)) wrong = "must be a whole number from 1 to 3650";
  } else if (!strcmp(key, "ask")) {
    check_ask(rule, problems);
  } else if (!strcmp(key, "answer") || !strcmp(key, "thanks")) {
    if (!has_points(rule)) wrong = "must be a text that contains {points}";
  } else {
    wrong = "is not known; known are answer, ask, expire_days, per_purchase, thanks";
  }
  if (!wrong) return;
  char *path = pointer(key);
  complain(problems, path, wrong);
  free(path);
}

static uint64_t number_or(const json *given, const char *key, uint64_t otherwise) {
  const json *value = json_get(given, key);
  return value ? (uint64_t)value->number : otherwise;
}

static const char *text_or(const json *given, const char *key, const char *otherwise) {
  const json *value = json_get(given, key);
  return value ? value->string : otherwise;
}

static void take_rules(const json *given) {
  rules.per_purchase = number_or(given, "per_purchase", 10);
  rules.expire_days = number_or(given, "expire_days", 365);
  rules.answer = text_or(given, "answer", "You have {points} points.");
  rules.thanks = text_or(given, "thanks", "Thank you! You now have {points} points.");
  const json *ask = json_get(given, "ask");
  rules.asks = 0;
  for (const json *words = ask ? ask->first : NULL; words; words = words->next) rules.asks++;
  rules.ask = calloc(rules.asks + 1, sizeof *rules.ask);
  if (!rules.ask) abort();
  if (!ask) {
    rules.ask[rules.asks++] = "points";
    return;
  }
  size_t place = 0;
  for (const json *words = ask->first; words; words = words->next) {
    rules.ask[place++] = lower(words->string);
  }
}

bool guest_configure(plugin_string_t *rules_json, guest_list_problem_t *err) {
  // Kept for good: the rules point into it.
  json *given = json_parse((const char *)rules_json->ptr, rules_json->len);
  err->ptr = NULL;
  err->len = 0;
  if (!given || given->kind != JSON_OBJECT) {
    complain(err, "", "must be a table");
    return false;
  }
  for (const json *rule = given->first; rule; rule = rule->next) check_rule(rule, err);
  if (err->len > 0) {
    qsort(err->ptr, err->len, sizeof *err->ptr, by_path);
    return false;
  }
  take_rules(given);
  return true;
}

// --- Events ---

// The points of this contact. False, with the reason, if they can't be read.
static bool stored_points(uint64_t *points, plugin_string_t *err) {
  plugin_string_t key = text("points");
  plugin_list_u8_t stored;
  *points = 0;
  if (!kv_get(TYPES_SCOPE_CONTACT, &key, &stored)) return true;
  char *digits = copied(stored.ptr, stored.len);
  plugin_list_u8_free(&stored);
  bool is_number = *digits && strlen(digits) <= 15 && strspn(digits, "0123456789") == strlen(digits);
  if (is_number) {
    *points = strtoull(digits, NULL, 10);
  } else {
    char *reason = format("the stored points are not a number: %s", digits);
    plugin_string_dup(err, reason);
    free(reason);
  }
  free(digits);
  return is_number;
}

static bool say(const char *words, uint64_t points, plugin_string_t *err) {
  char *whole = with_points(words, points);
  effects_outgoing_t message = {.tag = TYPES_OUTGOING_TEXT, .val.text = text(whole)};
  plugin_string_t id;
  bool said = effects_reply(&message, &id, err);
  if (said) plugin_string_free(&id);
  free(whole);
  return said;
}

static void because(const char *reason) {
  plugin_string_t words = text(reason);
  effects_because(&words);
}

static bool on_order(guest_verdict_t *ret, plugin_string_t *err) {
  uint64_t points;
  if (!stored_points(&points, err)) return false;
  points += rules.per_purchase;
  char *digits = format("%llu", points);
  plugin_string_t key = text("points"), timer = text("expiry"), tag = text("customer");
  plugin_string_t payload = text(digits);
  plugin_list_u8_t value = {payload.ptr, payload.len};
  uint64_t expiry = business_now() + rules.expire_days * DAY;
  bool done = kv_set(TYPES_SCOPE_CONTACT, &key, &value, NULL, err) &&
              effects_set_timer(&timer, expiry, &payload, err) &&
              effects_tag(&tag, NULL, err) && say(rules.thanks, points, err);
  free(digits);
  if (!done) return false;
  char *reason = format("a purchase: +%llu, now %llu", rules.per_purchase, points);
  because(reason);
  free(reason);
  *ret = GUEST_VERDICT_CONTINUE;
  return true;
}

static bool is_asked(const plugin_string_t *given) {
  char *words = lower(copied(given->ptr, given->len));
  bool found = false;
  for (size_t place = 0; place < rules.asks; place++) {
    found |= strstr(words, rules.ask[place]) != NULL;
  }
  free(words);
  return found;
}

static bool on_words(const plugin_string_t *words, guest_verdict_t *ret, plugin_string_t *err) {
  *ret = GUEST_VERDICT_CONTINUE;
  if (!is_asked(words)) return true;
  uint64_t points;
  if (!stored_points(&points, err) || !say(rules.answer, points, err)) return false;
  because("asked for points");
  *ret = GUEST_VERDICT_STOP;
  return true;
}

static bool equals(const plugin_string_t *given, const char *words) {
  return given->len == strlen(words) && !memcmp(given->ptr, words, given->len);
}

static bool on_message(const types_message_t *message, guest_verdict_t *ret, plugin_string_t *err) {
  const types_content_t *content = &message->content;
  *ret = GUEST_VERDICT_CONTINUE;
  switch (content->tag) {
    case TYPES_CONTENT_TEXT: return on_words(&content->val.text, ret, err);
    case TYPES_CONTENT_CHOICE: return on_words(&content->val.choice.title, ret, err);
    case TYPES_CONTENT_OTHER:
      return equals(&content->val.other.kind, "order") ? on_order(ret, err) : true;
    default: return true;
  }
}

static bool on_timer(const types_timer_t *timer, guest_verdict_t *ret, plugin_string_t *err) {
  *ret = GUEST_VERDICT_CONTINUE;
  if (!equals(&timer->name, "expiry")) return true;
  plugin_string_t key = text("points"), tag = text("customer");
  char *words = format("%.*s points expired", (int)timer->payload.len, timer->payload.ptr);
  plugin_string_t note = text(words);
  bool done = kv_delete(TYPES_SCOPE_CONTACT, &key, err) && effects_untag(&tag, err) &&
              effects_note(&note, err);
  free(words);
  if (done) because("points expired");
  return done;
}

bool guest_handle(guest_event_t *event, guest_verdict_t *ret, plugin_string_t *err) {
  bool done;
  switch (event->tag) {
    case TYPES_EVENT_MESSAGE: done = on_message(&event->val.message, ret, err); break;
    case TYPES_EVENT_TIMER: done = on_timer(&event->val.timer, ret, err); break;
    default:
      *ret = GUEST_VERDICT_CONTINUE;
      done = true;
  }
  guest_event_free(event);
  return done;
}
