// SPDX-License-Identifier: Apache-2.0
/* Answers to an HTTP check: at most one verdict, the same one in whatever pieces they come, and a good one only after 2xx or 3xx. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int what)
{
	if (!what)
		abort();
}

static enum check_result in_pieces(const char *bytes, size_t n, size_t piece, unsigned *why)
{
	struct checking c = {.fd = -1};
	enum check_result verdict = CHECK_GOING;
	for (size_t i = 0; i < n; i += piece) {
		const size_t len = n - i < piece ? n - i : piece;
		char *exact = malloc(len); /* so that reading past it shows */
		expect(exact != NULL);
		memcpy(exact, bytes + i, len);
		const enum check_result r = check_answer(&c, exact, len, why);
		free(exact);
		expect(r == CHECK_GOING || verdict == CHECK_GOING);
		if (r != CHECK_GOING)
			verdict = r;
	}
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	unsigned whole_why = 0, why = 0;
	const enum check_result whole = in_pieces(bytes, size, size + 1, &whole_why);
	for (size_t piece = 1; piece <= 13; piece += 4) {
		expect(in_pieces(bytes, size, piece, &why) == whole);
		expect(whole == CHECK_GOING || why == whole_why);
	}
	if (whole == CHECK_GOOD)
		expect(whole_why >= CHECK_STATUS + 200 && whole_why < CHECK_STATUS + 400);
	if (size < 12)
		expect(whole == CHECK_GOING);
	return 0;
}
