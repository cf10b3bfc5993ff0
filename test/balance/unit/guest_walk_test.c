// SPDX-License-Identifier: Apache-2.0
/* A host with many clients, a real master, and pods: a random walk in both lanes. Each side now and then neither reads nor writes for a while, some
 * leave in the middle; all that is sent to somebody who stays arrives, in order, and nothing stands still. */
#include "guest_host.h"

enum {
	CLIENTS = 24,
	PODS = 256,
	GOAL = 800,       /* clients that came to their end */
	STILL_MAX = 1000, /* turns in which nothing moved; nobody sleeps for a tenth of that */
	STILL_MS = 20,
	PIECE = 40000,
	REQUESTS = 4,
	HEAD_MAX = 2048,
};

/* What is sent in one direction for a client: its number, and so its bytes, and how much. */
struct stream {
	uint32_t id, size, done;
};

struct client {
	bool open, http, proxy, leaves;
	unsigned asleep;      /* turns */
	unsigned requests;    /* still to be made, this one included */
	char head[HEAD_MAX];  /* what comes before the body */
	size_t head_n, head_done;
	struct stream up, down;
	char answer[HEAD_MAX]; /* its head, as far as it has come */
	size_t answer_n;
	uint32_t limit;       /* leaves when so much has come or gone */
};

struct pod {
	int fd;
	bool http, ended, has_request, leaves;
	unsigned asleep;
	char head[HEAD_MAX];
	size_t head_n, said_n, said_done;
	char said[128];
	struct stream up, down;
};

static struct client clients[CLIENTS];
static struct pod walk_pods[PODS];
static int listeners[2]; /* TCP lane, HTTP lane */
static uint64_t seed = 88172645463325252u;
static uint32_t next_id;
static bool leaving[1 << 20]; /* by number: one of its sides leaves early */
static unsigned finished;
static bool moved;

static uint32_t draw(uint32_t below)
{
	return random_next(&seed) % below;
}

/* Mostly small, sometimes more than the kernel keeps for a socket. */
static uint32_t draw_size(void)
{
	static const uint32_t most[] = {1, 20, 600, 600, 20000, 20000, 20000, 100000, 600000};
	return draw(most[draw(COUNT(most))] + 1);
}

static unsigned char byte_of(const struct stream *s, uint32_t at)
{
	return (unsigned char)((s->id * 2654435761u + at * 40503u) >> 8);
}

static uint32_t fill(const struct stream *s, unsigned char *to, uint32_t room)
{
	const uint32_t n = s->size - s->done < room ? s->size - s->done : room;
	for (uint32_t i = 0; i < n; i++)
		to[i] = byte_of(s, s->done + i);
	return n;
}

/* Takes what has come, which has to be the stream's next bytes. */
static void check(struct stream *s, const unsigned char *at, size_t n, const char *where)
{
	if (n > s->size - s->done)
		fail_msg("%s: %zu bytes too many for %u", where, n - (s->size - s->done), s->id);
	for (size_t i = 0; i < n; i++)
		if (at[i] != byte_of(s, s->done + (uint32_t)i))
			fail_msg("%s: byte %zu of %u is not what was sent", where, s->done + i, s->id);
	s->done += (uint32_t)n;
}

static void nap(unsigned *asleep)
{
	if (*asleep > 0)
		--*asleep;
	else if (draw(60) == 0)
		*asleep = draw(100);
}

/* The next request of a client; in the TCP lane its only one. */
static void begin_request(struct client *c)
{
	c->up = (struct stream){next_id, draw_size(), 0};
	c->down = (struct stream){next_id + (1u << 30), draw_size(), 0};
	c->answer_n = c->head_done = 0;
	assert_true(next_id < COUNT(leaving));
	leaving[next_id] = c->leaves;
	if (c->http)
		c->head_n = (size_t)snprintf(c->head, sizeof c->head,
		                             "POST /%u HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\nX-Down: %u\r\n%s\r\n", next_id, c->up.size,
		                             c->down.size, c->requests == 1 && draw(2) == 0 ? "Connection: close\r\n" : "");
	else
		c->head_n = (size_t)snprintf(c->head, sizeof c->head, "%u %u %u\n", next_id, c->up.size, c->down.size);
	next_id++;
}

static void open_client(unsigned i)
{
	static const unsigned char proxy[28] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\x10\0\x01\xbb";
	static const char *const names[] = {"tcp", "tcp-proxy", "http", "http-proxy"};
	struct client *c = &clients[i];
	*c = (struct client){.open = true, .http = draw(2) == 0, .proxy = draw(2) == 0, .leaves = draw(6) == 0};
	c->limit = c->leaves ? draw(60000) : 0;
	c->requests = c->http ? 1 + draw(REQUESTS) : 1;
	begin_request(c);
	if (c->proxy) {
		memmove(c->head + sizeof proxy, c->head, c->head_n);
		memcpy(c->head, proxy, sizeof proxy);
		c->head_n += sizeof proxy;
	}
	if (!host_open(i, names[2 * c->http + c->proxy]))
		fail_msg("the guest took no client");
}

static void end_client(unsigned i)
{
	host_close(i);
	clients[i].open = false;
	finished++;
	moved = true;
}

/* Head and body in one piece, or in many. */
static void client_send(unsigned i)
{
	static unsigned char bytes[PIECE];
	struct client *c = &clients[i];
	struct seat *s = &seats[i];
	if (!s->writable || s->conn == NULL || (c->head_done == c->head_n && c->up.done == c->up.size))
		return;
	const size_t most = 1 + draw(draw(3) == 0 ? 30 : PIECE);
	size_t head = c->head_n - c->head_done;
	head = head < most ? head : most;
	memcpy(bytes, c->head + c->head_done, head);
	const size_t n = head + fill(&c->up, bytes + head, c->head_done + head == c->head_n ? (uint32_t)(most - head) : 0);
	s->writable = false;
	const ssize_t r = guest_send(s->conn, bytes, n);
	if (r < 0) {
		assert_true(errno == EAGAIN || errno == EPIPE);
		return;
	}
	assert_in_range(r, 1, n);
	s->writable |= r == (ssize_t)n;
	c->head_done += (size_t)r < head ? (size_t)r : head;
	c->up.done += (uint32_t)((size_t)r < head ? 0 : (size_t)r - head);
	moved = true;
}

/* Returns how many bytes belong to the head. */
static size_t take_answer_head(struct client *c, const unsigned char *at, size_t n)
{
	size_t i = 0;
	while (i < n && !(c->answer_n >= 4 && memcmp(c->answer + c->answer_n - 4, "\r\n\r\n", 4) == 0)) {
		assert_true(c->answer_n < sizeof c->answer);
		c->answer[c->answer_n++] = (char)at[i++];
	}
	if (c->answer_n >= 12 && memcmp(c->answer, "HTTP/1.1 200", 12) != 0)
		fail_msg("answer to %u: %.*s", c->up.id, (int)c->answer_n, c->answer);
	return i;
}

static bool has_head(const struct client *c)
{
	return !c->http || (c->answer_n >= 4 && memcmp(c->answer + c->answer_n - 4, "\r\n\r\n", 4) == 0);
}

/* Ended: whatever was to come has come, unless somebody left. */
static void client_ended(unsigned i)
{
	struct client *c = &clients[i];
	if (!leaving[c->up.id] && (c->down.done < c->down.size || !has_head(c)))
		fail_msg("client %u ended after %u of %u bytes", c->up.id, c->down.done, c->down.size);
	/* A pod that has said all goes on listening. */
	if (!leaving[c->up.id] && seats[i].conn != NULL && c->up.done < c->up.size)
		return;
	end_client(i);
}

static void client_receive(unsigned i)
{
	static unsigned char bytes[PIECE];
	struct client *c = &clients[i];
	struct seat *s = &seats[i];
	if (!s->readable)
		return;
	const bool ended = s->ended;
	ssize_t r = 0;
	if (s->conn != NULL) {
		s->readable = false;
		r = guest_recv(s->conn, bytes, 1 + draw(draw(3) == 0 ? 30 : PIECE));
	}
	if (r > 0) {
		const size_t head = c->http ? take_answer_head(c, bytes, (size_t)r) : 0;
		check(&c->down, bytes + head, (size_t)r - head, "client");
		moved = true;
	} else if (ended) {
		s->readable = true;
		client_ended(i);
		return;
	}
	if (c->http && has_head(c) && c->down.done == c->down.size && c->up.done == c->up.size) {
		if (--c->requests > 0)
			begin_request(c);
		else if (strstr(c->head, "Connection: close") == NULL)
			end_client(i); /* the others wait for the end */
	}
}

static void client_acts(unsigned i)
{
	struct client *c = &clients[i];
	if (!c->open) {
		if (finished + CLIENTS < GOAL || draw(2) == 0)
			open_client(i);
		return;
	}
	nap(&c->asleep);
	if (c->asleep > 0)
		return;
	if (c->leaves && (c->up.done > c->limit || c->down.done > c->limit || draw(300) == 0)) {
		end_client(i);
		return;
	}
	if (draw(2) == 0)
		client_send(i);
	else
		client_receive(i);
}

/* So that it fills. */
static void make_small(int fd, int which)
{
	const int small = 8192;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, which, &small, sizeof small), 0);
}

static void accept_pods(void)
{
	for (const struct conn *c = guest.worker.all; c != NULL; c = c->sibling)
		if (c->pod != NULL)
			make_small(c->pod->fd, SO_SNDBUF);
	for (unsigned i = 0; i < 2; i++) {
		const int fd = accept4(listeners[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		unsigned k = 0;
		while (walk_pods[k].fd != 0)
			assert_true(++k < PODS);
		walk_pods[k] = (struct pod){.fd = fd, .http = i == 1};
		moved = true;
	}
}

static void end_pod(struct pod *p)
{
	close(p->fd);
	p->fd = 0;
	moved = true;
}

/* Once the head is there. */
static void begin_answer(struct pod *p)
{
	uint32_t id, up, down;
	const char *end = p->http ? strstr(p->head, "\r\n\r\n") : strchr(p->head, '\n');
	if (end == NULL)
		return;
	if (p->http) {
		const char *length = strcasestr(p->head, "\r\ncontent-length:"), *says = strcasestr(p->head, "\r\nx-down:");
		assert_int_equal(sscanf(p->head, "POST /%u ", &id), 1);
		assert_true(length != NULL && says != NULL);
		assert_int_equal(sscanf(length + strlen("\r\ncontent-length:"), "%u", &up), 1);
		assert_int_equal(sscanf(says + strlen("\r\nx-down:"), "%u", &down), 1);
		p->said_n = (size_t)snprintf(p->said, sizeof p->said, "HTTP/1.1 200 OK\r\nContent-Length: %u\r\n\r\n", down);
	} else {
		assert_int_equal(sscanf(p->head, "%u %u %u", &id, &up, &down), 3);
		p->leaves = draw(12) == 0;
		leaving[id] |= p->leaves;
		p->said_n = 0;
	}
	p->said_done = 0;
	p->up = (struct stream){id, up, 0};
	p->down = (struct stream){id + (1u << 30), down, 0};
	p->has_request = true;
	const size_t head = (size_t)(end - p->head) + (p->http ? 4 : 1);
	check(&p->up, (const unsigned char *)p->head + head, p->head_n - head, "pod");
}

static void pod_receive(struct pod *p)
{
	static unsigned char bytes[PIECE];
	unsigned char *to = p->has_request ? bytes : (unsigned char *)p->head + p->head_n;
	const size_t room = p->has_request ? 1 + draw(PIECE) : sizeof p->head - 1 - p->head_n;
	const ssize_t r = recv(p->fd, to, room, 0);
	if (r < 0 && errno == EAGAIN)
		return;
	moved = true;
	if (r <= 0) {
		p->ended = true;
		/* A client that stays to its end has sent all before it goes. */
		if (p->has_request && !leaving[p->up.id] && p->up.done < p->up.size)
			fail_msg("pod: end after %u of %u bytes of %u", p->up.done, p->up.size, p->up.id);
		end_pod(p);
		return;
	}
	if (p->has_request) {
		check(&p->up, bytes, (size_t)r, "pod");
	} else {
		p->head_n += (size_t)r;
		p->head[p->head_n] = '\0';
		begin_answer(p);
	}
}

static void pod_answered(struct pod *p)
{
	if (!p->http) {
		shutdown(p->fd, SHUT_WR);
		p->ended = true;
		return;
	}
	p->has_request = false;
	p->head_n = 0;
}

static void pod_send(struct pod *p)
{
	static unsigned char bytes[PIECE];
	/* In the HTTP lane an answer comes after its request. */
	if (!p->has_request || p->ended || (p->http && p->up.done < p->up.size))
		return;
	const size_t most = 1 + draw(PIECE);
	size_t head = p->said_n - p->said_done;
	head = head < most ? head : most;
	memcpy(bytes, p->said + p->said_done, head);
	const size_t n = head + fill(&p->down, bytes + head, p->said_done + head == p->said_n ? (uint32_t)(most - head) : 0);
	const ssize_t r = n == 0 ? 0 : send(p->fd, bytes, n, MSG_NOSIGNAL);
	if (r < 0 && errno == EAGAIN)
		return;
	if (r < 0) {
		assert_true(leaving[p->up.id]);
		end_pod(p);
		return;
	}
	moved = true;
	p->said_done += (size_t)r < head ? (size_t)r : head;
	p->down.done += (uint32_t)((size_t)r < head ? 0 : (size_t)r - head);
	if (p->said_done == p->said_n && p->down.done == p->down.size)
		pod_answered(p);
}

static void pod_acts(struct pod *p)
{
	if (p->fd == 0)
		return;
	nap(&p->asleep);
	if (p->asleep > 0)
		return;
	if (p->leaves && draw(20) == 0)
		end_pod(p);
	else if (draw(2) == 0)
		pod_receive(p);
	else
		pod_send(p);
}

static void turn(void)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		client_acts(i);
	for (unsigned i = 0; i < PODS; i++)
		pod_acts(&walk_pods[i]);
	accept_pods();
}

static void walk(void **state)
{
	(void)state;
	unsigned still = 0;
	while (finished < GOAL) {
		moved = false;
		turn();
		still = moved ? 0 : still + 1;
		if (still > STILL_MAX)
			fail_msg("nothing moves after %u clients", finished);
		host_turn(still > STILL_MAX / 2 ? STILL_MS : 0);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		if (clients[i].open)
			host_close(i);
}

/* In the TCP lane the last bytes are on their way when the client has gone; then nothing is counted as under way any more. */
static void all_is_given_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		for (unsigned k = 0; k < PODS; k++)
			if (walk_pods[k].fd != 0)
				end_pod(&walk_pods[k]);
		accept_pods();
		host_turn(1);
	}
	UNTIL(says("status", "\"connections\":0,\"restarts\":0}],\"listeners\""));
	UNTIL(guest.worker.conns == 0);
	assert_true(says("pools raw", "\"active\":0"));
	assert_true(says("pools web", "\"active\":0"));
}

static pid_t master;

static int set_up(void **state)
{
	static const char *const names[] = {"tcp", "tcp-proxy", "http", "http-proxy"};
	char conf[2048];
	unsigned ports[2], n = 0;
	if (host_set_up(state) != 0)
		return -1;
	n += (unsigned)snprintf(conf, sizeof conf, "workers 1\n");
	for (unsigned i = 0; i < 2; i++) {
				listeners[i] = listen_pod(&ports[i]);
		make_small(listeners[i], SO_RCVBUF);
		make_small(listeners[i], SO_SNDBUF);
	}
	for (unsigned i = 0; i < COUNT(names); i++)
		n += (unsigned)snprintf(conf + n, sizeof conf - n, "listen %s unix:%s%s%s\n", names[i], host_path(names[i]), i % 2 ? " proxy=v2" : "",
		                        i > 1 ? " table=web" : "");
	snprintf(conf + n, sizeof conf - n,
	         "pool raw 127.0.0.1:%u\npool web 127.0.0.1:%u\nroute tcp * raw\nroute tcp-proxy * raw\nrule web * prefix / web\n", ports[0],
	         ports[1]);
	master = start_master(conf);
	host_join();
	UNTIL(guest.state == IN);
	return 0;
}

static int tear_down(void **state)
{
	for (unsigned i = 0; i < 2; i++)
		close(listeners[i]);
	if (end_master(master, SIGTERM) != 0)
		return -1;
	UNTIL(guest.state == OUT);
	return host_tear_down(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(walk),
	    cmocka_unit_test(all_is_given_back),
	};
	int status;
	return is_master(argc, argv, &status) ? status : cmocka_run_group_tests(tests, set_up, tear_down);
}
