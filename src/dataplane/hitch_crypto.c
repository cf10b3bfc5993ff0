/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_crypto: what OpenSSL does dozens of times in a handshake, in less time.
 *
 * Every step of TLS 1.3's key schedule looks up its algorithms by name, in two hash tables. What is found stays the same for as
 * long as the process lives: Hitch loads no provider and sets no properties, and a name keeps its number. So what was found once is
 * remembered.
 *
 * Each random number costs a getpid(2), lest two processes draw the same ones. The kernel clears a page marked MADV_WIPEONFORK in
 * every child, however it came about, so a number that is still there is this process's.
 */
#include "hitch_crypto.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	ENTRIES = 256, /* a TLS server needs some sixty */
	TRIES = 16,    /* from where its hash points to; one that finds no place is not remembered */
	NAME = 32,     /* nor is a longer name */
	NUMBER = 0,    /* OpenSSL's operations begin with 1 */
	PAGE = 4096,   /* or whatever the kernel makes of it */
};

struct entry {
	const void *of; /* the library context, or the map of names */
	union {
		void *method;
		int number;
	} found;
	int operation;
	char name[NAME]; /* empty: free */
};

static struct entry entries[ENTRIES];

/* The entry, or a free one for it, or NULL. */
static struct entry *look_up(const void *of, int operation, const char *name)
{
	const size_t n = name != NULL ? strnlen(name, NAME) : 0;
	if (n == 0 || n == NAME)
		return NULL;
	uint32_t h = (uint32_t)operation;
	for (size_t i = 0; i < n; i++)
		h = h * 31 + (unsigned char)name[i];
	h ^= h >> 8;
	for (uint32_t i = 0; i < TRIES; i++) {
		struct entry *e = &entries[(h + i) % ENTRIES];
		if (e->name[0] == '\0' || (e->of == of && e->operation == operation && memcmp(e->name, name, n + 1) == 0))
			return e;
	}
	return NULL;
}

static void keep(struct entry *e, const void *of, int operation, const char *name)
{
	e->of = of;
	e->operation = operation;
	memcpy(e->name, name, strlen(name) + 1);
}

void *hitch_evp_generic_fetch(void *libctx, int operation, const char *name, const char *properties, hitch_method_new *make,
                              int (*up_ref)(void *), void (*release)(void *))
{
	struct entry *e = properties == NULL || *properties == '\0' ? look_up(libctx, operation, name) : NULL;
	if (e != NULL && e->name[0] != '\0')
		return up_ref(e->found.method) ? e->found.method : NULL;
	void *method = evp_generic_fetch(libctx, operation, name, properties, make, up_ref, release);
	/* Meanwhile others may have come; and a reference of our own is never given back. */
	if (e != NULL && method != NULL && (e = look_up(libctx, operation, name)) != NULL && e->name[0] == '\0' && up_ref(method)) {
		keep(e, libctx, operation, name);
		e->found.method = method;
	}
	return method;
}

int hitch_ossl_namemap_name2num(const void *map, const char *name)
{
	struct entry *e = look_up(map, NUMBER, name);
	if (e != NULL && e->name[0] != '\0')
		return e->found.number;
	const int number = ossl_namemap_name2num(map, name);
	if (e != NULL && number != 0) {
		keep(e, map, NUMBER, name);
		e->found.number = number;
	}
	return number;
}

int hitch_openssl_get_fork_id(void)
{
	static pid_t *kept;
	static int refused;
	if (kept == NULL && !refused) {
		void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		/* An emulator that takes whatever it is advised, and does nothing, takes nonsense too. */
		if (page != MAP_FAILED && madvise(page, PAGE, -1) != 0 && madvise(page, PAGE, MADV_WIPEONFORK) == 0)
			kept = page;
		else
			refused = 1;
	}
	if (refused)
		return getpid();
	if (*kept == 0)
		*kept = getpid();
	return *kept;
}

/* OpenSSL's own for x86-64 goes in steps of eight bytes. The compiler must not know that nobody reads the zeros. */
void hitch_OPENSSL_cleanse(void *at, size_t n)
{
	memset(at, 0, n);
	__asm__ volatile("" : : "r"(at) : "memory");
}
