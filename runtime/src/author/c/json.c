#include "json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64 };

typedef struct {
  const char *at;
  const char *end;
} reader;

static json *read_value(reader *from, int depth);

static void skip_space(reader *from) {
  while (from->at < from->end && strchr(" \t\r\n", *from->at) && *from->at) from->at++;
}

static bool take(reader *from, char wanted) {
  skip_space(from);
  if (from->at >= from->end || *from->at != wanted) return false;
  from->at++;
  return true;
}

static bool take_word(reader *from, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(from->end - from->at) < length || memcmp(from->at, word, length)) return false;
  from->at += length;
  return true;
}

static bool read_hex(reader *from, uint32_t *code) {
  *code = 0;
  for (int digit = 0; digit < 4; digit++) {
    if (from->at >= from->end) return false;
    char c = *from->at++;
    *code <<= 4;
    if (c >= '0' && c <= '9') *code |= (uint32_t)(c - '0');
    else if (c >= 'a' && c <= 'f') *code |= (uint32_t)(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') *code |= (uint32_t)(c - 'A' + 10);
    else return false;
  }
  return true;
}

static char *put_utf8(char *to, uint32_t code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *to++ = (char)(0xe0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  } else {
    *to++ = (char)(0xf0 | code >> 18);
    *to++ = (char)(0x80 | (code >> 12 & 0x3f));
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  }
  return to;
}

// What stands after `\u`; half a surrogate pair becomes the mark of a mistake.
static bool read_escape(reader *from, char **to) {
  uint32_t code, low;
  if (!read_hex(from, &code)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    reader after = *from;
    if (take_word(&after, "\\u") && read_hex(&after, &low) && low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      *from = after;
    }
  }
  if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
  *to = put_utf8(*to, code);
  return true;
}

// A string after its first quotation mark. No escape makes it longer.
static char *read_string(reader *from, size_t *length) {
  char *made = malloc((size_t)(from->end - from->at) + 1), *to = made;
  while (made && from->at < from->end) {
    char c = *from->at++;
    if (c == '"') {
      *to = 0;
      *length = (size_t)(to - made);
      // Only as much as it turned out to be.
      char *fitting = realloc(made, *length + 1);
      return fitting ? fitting : made;
    }
    if ((unsigned char)c < 0x20) break;
    if (c != '\\') {
      *to++ = c;
      continue;
    }
    if (from->at >= from->end) break;
    const char *escapes = "\"\\/bfnrt", *means = "\"\\/\b\f\n\r\t";
    char escape = *from->at++;
    const char *found = escape ? strchr(escapes, escape) : NULL;
    if (found) *to++ = means[found - escapes];
    else if (escape != 'u' || !read_escape(from, &to)) break;
  }
  free(made);
  return NULL;
}

static bool read_number(reader *from, double *number) {
  char digits[64];
  size_t length = 0;
  while (from->at < from->end && length < sizeof digits - 1 && *from->at &&
         strchr("+-.0123456789eE", *from->at)) {
    digits[length++] = *from->at++;
  }
  digits[length] = 0;
  char *end;
  *number = strtod(digits, &end);
  return length > 0 && *end == 0;
}

static bool read_parts(reader *from, json *into, char close, int depth) {
  if (take(from, close)) return true;
  json **place = &into->first;
  do {
    char *key = NULL;
    size_t length;
    if (into->kind == JSON_OBJECT) {
      if (!take(from, '"') || !(key = read_string(from, &length))) return false;
      if (!take(from, ':')) {
        free(key);
        return false;
      }
    }
    json *part = read_value(from, depth + 1);
    if (!part) {
      free(key);
      return false;
    }
    part->key = key;
    *place = part;
    place = &part->next;
  } while (take(from, ','));
  return take(from, close);
}

static bool read_into(reader *from, json *value, int depth) {
  if (depth > DEEPEST) return false;
  if (take(from, '{')) {
    value->kind = JSON_OBJECT;
    return read_parts(from, value, '}', depth);
  }
  if (take(from, '[')) {
    value->kind = JSON_ARRAY;
    return read_parts(from, value, ']', depth);
  }
  if (take(from, '"')) {
    value->kind = JSON_STRING;
    return (value->string = read_string(from, &value->length)) != NULL;
  }
  if (take_word(from, "null")) return true;
  value->kind = JSON_BOOLEAN;
  if (take_word(from, "true")) return value->boolean = true;
  if (take_word(from, "false")) return true;
  value->kind = JSON_NUMBER;
  return read_number(from, &value->number);
}

static json *read_value(reader *from, int depth) {
  json *value = calloc(1, sizeof *value);
  skip_space(from);
  if (value && !read_into(from, value, depth)) {
    json_free(value);
    return NULL;
  }
  return value;
}

json *json_parse(const char *text, size_t length) {
  reader from = {text, text + length};
  json *value = read_value(&from, 0);
  skip_space(&from);
  if (value && from.at != from.end) {
    json_free(value);
    return NULL;
  }
  return value;
}

void json_free(json *value) {
  while (value) {
    json *next = value->next;
    json_free(value->first);
    free(value->string);
    free(value->key);
    free(value);
    value = next;
  }
}

const json *json_get(const json *object, const char *key) {
  if (!object || object->kind != JSON_OBJECT) return NULL;
  const json *found = NULL;
  // The last of two alike, as elsewhere.
  for (const json *part = object->first; part; part = part->next) {
    if (!strcmp(part->key, key)) found = part;
  }
  return found;
}
