// SPDX-License-Identifier: Apache-2.0
/* hitch_crypto over a made-up evp_generic_fetch, which counts how often it is asked. */
#include "test.h"

#include "../../../src/dataplane/hitch_crypto.c"

#include <sys/wait.h>

struct found {
	void *libctx;
	int operation, references;
	char name[40];
};

static struct found all[700];
static int asked;
static bool none, refuse;

void *evp_generic_fetch(void *libctx, int operation, const char *name, const char *properties, hitch_method_new *make, int (*up_ref)(void *),
                        void (*release)(void *))
{
	(void)properties, (void)make, (void)up_ref, (void)release;
	if (none)
		return NULL;
	struct found *f = &all[asked++];
	*f = (struct found){.libctx = libctx, .operation = operation, .references = 1};
	snprintf(f->name, sizeof f->name, "%s", name != NULL ? name : "");
	return f;
}

static int numbers, numbers_asked;

int ossl_namemap_name2num(const void *map, const char *name)
{
	numbers_asked++;
	return map != NULL || strcmp(name, "new") == 0 ? numbers : 0;
}

static int up(void *at)
{
	struct found *f = at;
	if (refuse)
		return 0;
	f->references++;
	return 1;
}

static struct found *fetch(void *libctx, int operation, const char *name, const char *properties)
{
	return hitch_evp_generic_fetch(libctx, operation, name, properties, NULL, up, NULL);
}

static int start(void **state)
{
	(void)state;
	memset(entries, 0, sizeof entries);
	asked = 0;
	none = refuse = false;
	return 0;
}

static void test_what_was_found_is_found_again(void **state)
{
	(void)state;
	struct found *first = fetch(NULL, 1, "SHA2-384", NULL);
	assert_int_equal(first->references, 2); /* the caller's and ours */
	assert_ptr_equal(fetch(NULL, 1, "SHA2-384", ""), first);
	assert_int_equal(first->references, 3);
	assert_int_equal(asked, 1);
}

static void test_nothing_but_the_same_is_the_same(void **state)
{
	(void)state;
	struct found *first = fetch(NULL, 1, "HMAC", NULL);
	assert_ptr_not_equal(fetch(&all, 1, "HMAC", NULL), first);
	assert_ptr_not_equal(fetch(NULL, 2, "HMAC", NULL), first);
	assert_ptr_not_equal(fetch(NULL, 1, "HMAD", NULL), first);
	assert_ptr_not_equal(fetch(NULL, 1, "HMA", NULL), first);
	assert_ptr_not_equal(fetch(NULL, 1, "HMAC", "fips=yes"), first);
	assert_ptr_not_equal(fetch(NULL, 1, "HMAC", "fips=yes"), first);
	assert_int_equal(asked, 7);
	assert_ptr_equal(fetch(NULL, 1, "HMAC", NULL), first);
}

static void test_any_number_of_names(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ENTRIES + TRIES; i++) {
			char name[NAME];
			snprintf(name, sizeof name, "algorithm %d", i);
			struct found *f = fetch(NULL, i % 5, name, NULL);
			assert_string_equal(f->name, name);
			assert_int_equal(f->operation, i % 5);
			assert_true(f->references >= 1);
		}
	}
}

static void test_long_and_missing_names_are_passed_on(void **state)
{
	(void)state;
	const char *const name = "a name of more than thirty-one bytes";
	for (int i = 1; i <= 3; i++) {
		assert_non_null(fetch(NULL, 1, name, NULL));
		assert_non_null(fetch(NULL, 1, NULL, NULL));
		assert_int_equal(asked, 2 * i);
	}
}

static void test_what_was_not_found_is_looked_for_again(void **state)
{
	(void)state;
	none = true;
	assert_null(fetch(NULL, 1, "MD5", NULL));
	none = false;
	assert_non_null(fetch(NULL, 1, "MD5", NULL));
	refuse = true;
	assert_null(fetch(NULL, 1, "MD5", NULL));
}

static void test_a_number_is_found_again_once_there_is_one(void **state)
{
	(void)state;
	numbers = 5;
	numbers_asked = 0;
	assert_int_equal(hitch_ossl_namemap_name2num(&all, "AES"), 5);
	numbers = 6;
	assert_int_equal(hitch_ossl_namemap_name2num(&all, "AES"), 5);
	assert_int_equal(hitch_ossl_namemap_name2num(&asked, "AES"), 6);
	assert_int_equal(numbers_asked, 2);
	numbers = 0;
	assert_int_equal(hitch_ossl_namemap_name2num(NULL, "new"), 0);
	numbers = 7;
	assert_int_equal(hitch_ossl_namemap_name2num(NULL, "new"), 7);
	/* A name's number and its implementation are two things. */
	assert_string_equal(fetch(&all, 1, "AES", NULL)->name, "AES");
	assert_int_equal(hitch_ossl_namemap_name2num(&all, "AES"), 5);
	assert_int_equal(hitch_ossl_namemap_name2num(&all, NULL), 7);
}

static void test_a_child_has_another_number(void **state)
{
	(void)state;
	assert_int_equal(hitch_openssl_get_fork_id(), getpid());
	assert_int_equal(hitch_openssl_get_fork_id(), getpid());
	const pid_t child = fork();
	if (child == 0) {
		const pid_t grandchild = fork();
		int status = 0;
		if (grandchild == 0)
			_exit(hitch_openssl_get_fork_id() != getpid());
		if (waitpid(grandchild, &status, 0) != grandchild || status != 0)
			_exit(2);
		_exit(hitch_openssl_get_fork_id() != getpid());
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(hitch_openssl_get_fork_id(), getpid());
}

static void test_all_is_cleansed_and_no_more(void **state)
{
	(void)state;
	for (size_t n = 0; n < 300; n++) {
		unsigned char bytes[302];
		memset(bytes, 7, sizeof bytes);
		hitch_OPENSSL_cleanse(bytes + 1, n);
		for (size_t i = 0; i < sizeof bytes; i++)
			assert_int_equal(bytes[i], i >= 1 && i <= n ? 0 : 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_was_found_is_found_again, start),
		cmocka_unit_test_setup(test_nothing_but_the_same_is_the_same, start),
		cmocka_unit_test_setup(test_any_number_of_names, start),
		cmocka_unit_test_setup(test_long_and_missing_names_are_passed_on, start),
		cmocka_unit_test_setup(test_what_was_not_found_is_looked_for_again, start),
		cmocka_unit_test_setup(test_a_number_is_found_again_once_there_is_one, start),
		cmocka_unit_test(test_a_child_has_another_number),
		cmocka_unit_test(test_all_is_cleansed_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
