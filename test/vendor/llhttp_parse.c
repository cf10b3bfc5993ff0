// SPDX-License-Identifier: Apache-2.0
// llhttp with no leniency set. Without arguments: parse standard input, say what was found or which error stopped it. With a
// number: parse one typical request of ten headers that often, to count instructions.
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char typical[] = "GET /products/list?page=2&sort=price HTTP/1.1\r\n"
                              "Host: shop.example.com\r\n"
                              "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
                              "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                              "Accept-Language: en-US,en;q=0.5\r\n"
                              "Accept-Encoding: gzip, deflate, br, zstd\r\n"
                              "Connection: keep-alive\r\n"
                              "Cookie: session=0f8fad5bd9cb469fa16570867728950e; theme=dark\r\n"
                              "Referer: https://shop.example.com/products\r\n"
                              "Sec-Fetch-Mode: navigate\r\n"
                              "Cache-Control: max-age=0\r\n\r\n";

static long headers, messages, body, text;

static int on_text(llhttp_t *p, const char *at, size_t n) {
  (void)p, (void)at;
  text += (long)n;
  return 0;
}
static int on_body(llhttp_t *p, const char *at, size_t n) {
  (void)p, (void)at;
  body += (long)n;
  return 0;
}
static int on_header(llhttp_t *p) {
  (void)p;
  headers++;
  return 0;
}
static int on_message(llhttp_t *p) {
  (void)p;
  messages++;
  return 0;
}

int main(int argc, char **argv) {
  llhttp_settings_t settings;
  llhttp_t parser;
  llhttp_settings_init(&settings);
  settings.on_url = settings.on_header_field = settings.on_header_value = on_text;
  settings.on_header_value_complete = on_header;
  settings.on_body = on_body;
  settings.on_message_complete = on_message;
  llhttp_init(&parser, HTTP_REQUEST, &settings);

  llhttp_errno_t error = HPE_OK;
  if (argc > 1) {
    for (long n = atol(argv[1]); n > 0 && error == HPE_OK; n--)
      error = llhttp_execute(&parser, typical, sizeof typical - 1);
  } else {
    // Byte by byte, since a parser that must see a whole token at once would pass with any larger step.
    for (int c; error == HPE_OK && (c = getchar()) != EOF;) {
      const char byte = (char)c;
      error = llhttp_execute(&parser, &byte, 1);
    }
  }
  printf("%d.%d.%d %s messages=%ld headers=%ld body=%ld\n", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
         LLHTTP_VERSION_PATCH, llhttp_errno_name(error), messages, headers, body);
  return 0;
}
