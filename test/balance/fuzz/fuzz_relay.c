// SPDX-License-Identifier: Apache-2.0
/* The relay core under a script: each byte is one happening (low bits) and a size (high bits). The owner keeps the books and aborts
 * when a byte is lost, changed or invented, a buffer is kept, or an end is told too early. */
#include "../unit/relay_owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ACT_BULK_UP = OWNER_ACTIONS, ACT_BULK_DOWN, ACT_TAKE_ALL, ACT_CLOCK, ACT_PASSED, ACT_REPOOL, ACTIONS };

static void bulk(struct owner *o, enum side from)
{
	static unsigned char block[20000];
	for (size_t i = 0; i < sizeof block; i++)
		block[i] = (unsigned char)(i * 31 + o->sent[from].n);
	if (core_is_connected(&o->core) && o->sent[from].n + sizeof block < sizeof o->sent[from].at && !o->ended[from])
		owner_feed(o, from, block, sizeof block, sizeof block);
}

static void act(struct owner *o, uint8_t byte)
{
	const unsigned what = byte % ACTIONS;
	const size_t n = 1 + byte / ACTIONS;
	if (what < OWNER_ACTIONS) {
		owner_act(o, (enum owner_action)what, n);
		return;
	}
	if (o->closed)
		return;
	switch (what) {
	case ACT_BULK_UP:
		bulk(o, CLIENT);
		break;
	case ACT_BULK_DOWN:
		bulk(o, POD);
		break;
	case ACT_TAKE_ALL:
		while (owner_drain(o, POD, 100000) + owner_drain(o, CLIENT, 100000) > 0)
			;
		break;
	case ACT_CLOCK:
		o->env.now += n * 5000;
		if (core_deadline(&o->core) <= o->env.now)
			core_expired(&o->core);
		break;
	case ACT_PASSED:
		if (core_pass_limit(&o->core, n % 2 ? CLIENT : POD) > 0) {
			OWNER_CHECK(core_pending(&o->core, n % 2 ? POD : CLIENT).iov_len == 0);
			core_passed(&o->core, n % 2 ? CLIENT : POD, n);
		}
		break;
	default:
		if (!core_is_connected(&o->core) && o->core.pool != NULL)
			core_repool(&o->core, n % 2 ? o->core.pool : o->env.conf->pools[0]);
	}
	while (owner_wants(o) & ~(unsigned)(CORE_CLOSE | CORE_CONNECT))
		;
	owner_verify(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct owner o;
	if (size < 1)
		return 0;
	owner_start(&o, data[0] % 2);
	for (size_t i = 1; i < size && i < 2000; i++)
		act(&o, data[i]);
	owner_end(&o);
	return 0;
}
