// SPDX-License-Identifier: Apache-2.0
/* The subject of a certificate: bytes as PEM, and again as DER behind a PEM made here, so that the walk through it is reached. */
#include "cert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const char *pem, size_t n)
{
	char dn[512], small[16];
	char *exact = malloc(n + 1);
	if (exact == NULL)
		return;
	memcpy(exact, pem, n);
	if (cert_subject(exact, n, dn, sizeof dn)) {
		if (memchr(dn, '\0', sizeof dn) == NULL)
			abort();
		for (const char *p = dn; *p != '\0'; p++)
			if (*p < 0x20 || *p > 0x7e)
				abort(); /* it stands in a header field */
		if (cert_subject(exact, n, small, sizeof small) != (strlen(dn) < sizeof small))
			abort();
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static char pem[20000];
	size_t n = strlen(strcpy(pem, "-----BEGIN CERTIFICATE-----\n"));
	look((const char *)data, size);
	for (size_t i = 0; i < size && n + 64 < sizeof pem; i += 3) {
		const uint32_t v = (uint32_t)data[i] << 16 | (uint32_t)(i + 1 < size ? data[i + 1] : 0) << 8 | (i + 2 < size ? data[i + 2] : 0);
		for (int k = 18; k >= 0; k -= 6)
			pem[n++] = digits[v >> k & 63];
	}
	memcpy(pem + n, "\n-----END CERTIFICATE-----\n", 27);
	look(pem, n + 26);
	return 0;
}
