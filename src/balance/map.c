// SPDX-License-Identifier: Apache-2.0
/* map: byte strings to pointers; open addressing, seeded so that nobody can choose collisions. */
#include "map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t seed[2] = {0x9e3779b97f4a7c15u, 0xd1b54a32d192ed03u};

void map_seed(void)
{
	/* Without entropy the constants stay: slower under attack, never wrong. */
	if (getrandom(seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
		seed[0] ^= 1;
	seed[1] |= 1;
}

/* Multiply-and-fold over eight bytes at a time, keyed at both ends. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint32_t hash_bytes(const char *s, size_t n)
{
	uint64_t h = seed[0] ^ n;
	while (n >= 8) {
		uint64_t v;
		memcpy(&v, s, 8);
		h = fold(h ^ v, seed[1]);
		s += 8;
		n -= 8;
	}
	uint64_t tail = 0;
	memcpy(&tail, s, n);
	h = fold(h ^ tail, seed[1] ^ 0xa0761d6478bd642fu);
	return (uint32_t)(h ^ (h >> 32));
}

static bool same(const struct map_entry *e, uint32_t hash, const char *key, size_t len)
{
	return e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0;
}

static size_t place(const struct map *m, uint32_t hash, const char *key, size_t len)
{
	size_t i = hash & (m->cap - 1);
	while (m->at[i].value != NULL && !same(&m->at[i], hash, key, len))
		i = (i + 1) & (m->cap - 1);
	return i;
}

void *map_get(const struct map *m, const char *key, size_t len)
{
	if (m->count == 0)
		return NULL;
	return m->at[place(m, hash_bytes(key, len), key, len)].value;
}

static bool grow(struct map *m)
{
	struct map bigger = {.cap = m->cap ? m->cap * 2 : 16, .count = m->count};
	bigger.at = calloc(bigger.cap, sizeof *bigger.at);
	if (bigger.at == NULL)
		return false;
	for (size_t i = 0; i < m->cap; i++) {
		const struct map_entry *e = &m->at[i];
		if (e->value != NULL)
			bigger.at[place(&bigger, e->hash, e->key, e->len)] = *e;
	}
	free(m->at);
	*m = bigger;
	return true;
}

bool map_put(struct map *m, const char *key, size_t len, void *value)
{
	if ((m->count + 1) * 4 > m->cap * 3 && !grow(m))
		return false;
	uint32_t hash = hash_bytes(key, len);
	struct map_entry *e = &m->at[place(m, hash, key, len)];
	if (e->value == NULL)
		m->count++;
	*e = (struct map_entry){.key = key, .len = (uint32_t)len, .hash = hash, .value = value};
	return true;
}

void *map_remove(struct map *m, const char *key, size_t len)
{
	if (m->count == 0)
		return NULL;
	size_t mask = m->cap - 1;
	size_t i = place(m, hash_bytes(key, len), key, len);
	void *value = m->at[i].value;
	if (value == NULL)
		return NULL;
	/* Close the gap by moving back what was displaced past it, so that no tombstones pile up. */
	for (size_t j = (i + 1) & mask; m->at[j].value != NULL; j = (j + 1) & mask) {
		size_t home = m->at[j].hash & mask;
		if (((j - home) & mask) >= ((j - i) & mask)) {
			m->at[i] = m->at[j];
			i = j;
		}
	}
	m->at[i] = (struct map_entry){0};
	m->count--;
	return value;
}

void map_free(struct map *m)
{
	free(m->at);
	*m = (struct map){0};
}
