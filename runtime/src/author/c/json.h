// A small reader of JSON, for the rules of a plugin and the bodies of messages.
#ifndef SWITCHBOARD_JSON_H
#define SWITCHBOARD_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
  JSON_NULL,
  JSON_BOOLEAN,
  JSON_NUMBER,
  JSON_STRING,
  JSON_ARRAY,
  JSON_OBJECT,
} json_kind;

// A value. Its parts stand in the order of the text.
typedef struct json {
  json_kind kind;
  bool boolean;
  double number;
  // Of a string: UTF-8 that ends with a zero, which is not counted.
  char *string;
  size_t length;
  // Of an array or an object: the first part, each of which leads to the next.
  struct json *first;
  struct json *next;
  // Of a part of an object.
  char *key;
} json;

// Reads a text. NULL if it is not JSON, or nested deeper than 64.
json *json_parse(const char *text, size_t length);

// Gives back a value with all of its parts.
void json_free(json *value);

// The part of an object with this key; NULL if it has none.
const json *json_get(const json *object, const char *key);

#endif
