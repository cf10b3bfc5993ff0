// SPDX-License-Identifier: Apache-2.0
/* handover: a configuration as the master's children get it. */
#include "handover.h"

#include "log.h"
#include "shm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct slot_list {
	const uint32_t *next;
	size_t left;
};

static bool take_slot(void *with, uint32_t *slot, const char *key, size_t len)
{
	struct slot_list *list = with;
	(void)key;
	(void)len;
	if (list->left-- == 0)
		return false;
	*slot = *list->next++;
	return true;
}

static bool raise_highest(void *with, uint32_t *slot, const char *key, size_t len)
{
	uint32_t *max = with;
	(void)key;
	(void)len;
	if (*slot > *max)
		*max = *slot;
	return true;
}

uint32_t handover_slots(struct conf *conf)
{
	uint32_t max = 0;
	conf_slots(conf, raise_highest, &max);
	return max + 1;
}

static struct conf *fail(struct conf *conf, const char *what)
{
	log_error("configuration: %s: %s", what, strerror(errno));
	conf_free(conf);
	return NULL;
}

struct conf *handover_read(const struct message *m, int fd)
{
	size_t pad = (size_t)(-m->size & 3u);
	size_t length = (size_t)m->size + pad + m->slots * sizeof(uint32_t);
	struct conf_error error;
	char *text = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (text == MAP_FAILED)
		return fail(NULL, "mmap");
	struct conf *conf = conf_parse(text, (size_t)m->size, &error);
	struct slot_list list = {(const uint32_t *)(const void *)(text + m->size + pad), m->slots};
	if (conf == NULL || conf->slots != m->slots) {
		log_error("configuration: line %u: %s", error.line, conf == NULL ? error.reason : "other counters");
		munmap(text, length);
		conf_free(conf);
		return NULL;
	}
	conf_slots(conf, take_slot, &list);
	munmap(text, length);
	return shm_map(handover_slots(conf)) == 0 ? conf : fail(conf, "counters");
}
