// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "cert.h"
#include "cert_examples.h"

static bool subject(const char *pem, size_t n, char *dn, size_t size)
{
	struct guarded g = guard(pem, n);
	bool ok = cert_subject((char *)g.at, n, dn, size);
	unguard(g);
	return ok;
}

static void as_openssl_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		char dn[512];
		assert_true(subject(examples[i].pem, strlen(examples[i].pem), dn, sizeof dn));
		assert_string_equal(dn, examples[i].dn);
	}
}

static void fits_to_the_byte(void **state)
{
	char dn[512];
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const size_t n = strlen(examples[i].dn);
		for (size_t size = 0; size <= n; size++) {
			char *room = malloc(size);
			assert_false(subject(examples[i].pem, strlen(examples[i].pem), room, size));
			free(room);
		}
		assert_true(subject(examples[i].pem, strlen(examples[i].pem), dn, n + 1));
		assert_string_equal(dn, examples[i].dn);
	}
}

/* Cut off anywhere: no answer, or the whole one. */
static void cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const size_t n = strlen(examples[i].pem);
		for (size_t k = 0; k < n; k++) {
			char dn[512] = "";
			if (subject(examples[i].pem, k, dn, sizeof dn))
				assert_string_equal(dn, examples[i].dn);
		}
	}
}

/* Any one byte changed: an answer fit for a header field, or none. */
static void one_byte_changed(void **state)
{
	uint64_t seed = 9;
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		char *pem = strdup(examples[i].pem);
		const size_t n = strlen(pem);
		for (size_t k = 0; k < n; k++) {
			for (int round = 0; round < 8; round++) {
				const char was = pem[k];
				char dn[512];
				pem[k] = (char)random_next(&seed);
				if (cert_subject(pem, n, dn, sizeof dn))
					for (const char *p = dn; *p != '\0'; p++)
						assert_in_range(*p, 0x20, 0x7e);
				pem[k] = was;
			}
		}
		free(pem);
	}
}

static void no_certificate(void **state)
{
	static const char *const rows[] = {
	    "", "-----BEGIN ", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "MIIB", "-----BEGIN X\n\x80\xff\n",
	};
	char dn[64];
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_false(subject(rows[i], strlen(rows[i]), dn, sizeof dn));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_openssl_says), cmocka_unit_test(fits_to_the_byte), cmocka_unit_test(cut_off),
	    cmocka_unit_test(one_byte_changed), cmocka_unit_test(no_certificate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
