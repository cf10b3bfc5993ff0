// SPDX-License-Identifier: Apache-2.0
/* Urgent data (MSG_OOB), which Node cannot send: a whole Balance in a child process, this process being client and pod. What is
 * behind the mark must arrive; the urgent byte itself is out of the stream, as for any relay. */
#include "test.h"

#include "main.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int listen_anywhere(unsigned *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in) | listen(fd, 8) | getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static int connect_to(unsigned port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int tries = 0; tries < 1000; tries++) {
		const int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&in, sizeof in) == 0)
			return fd;
		close(fd);
		poll(NULL, 0, 10);
	}
	fail_msg("Balance does not listen");
	return -1;
}

static pid_t start_balance(unsigned *port, unsigned pod)
{
	char file[] = "/tmp/balance-urgent-XXXXXX", text[256];
	close(listen_anywhere(port));
	const int fd = mkstemp(file);
	const int n = snprintf(text, sizeof text, "listen l tcp:127.0.0.1:%u\npool p 127.0.0.1:%u\nroute l * p\n", *port, pod);
	assert_int_equal(write(fd, text, (size_t)n), n);
	close(fd);
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		char *argv[] = {"balance", "--config", file, NULL};
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0); /* master and workers can be stopped together */
		_exit(balance_main(3, argv));
	}
	close(connect_to(*port));
	unlink(file);
	return child;
}

/* Sends, around one urgent byte, while Balance is stopped, so that all of it is there at its first read. */
static void send_all(pid_t balance, int client, const char *block, size_t n)
{
	kill(-balance, SIGSTOP);
	assert_int_equal(send(client, block, n, 0), n);
	poll(NULL, 0, 20);
	assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
	poll(NULL, 0, 20);
	assert_int_equal(send(client, block, n, 0), n);
	poll(NULL, 0, 20);
	kill(-balance, SIGCONT);
}

static size_t receive(int pod, size_t n)
{
	char bytes[65536];
	struct pollfd p = {.fd = pod, .events = POLLIN};
	size_t got = 0;
	while (got < n && poll(&p, 1, 3000) > 0) {
		const ssize_t r = recv(pod, bytes, sizeof bytes, 0);
		if (r <= 0)
			break;
		got += (size_t)r;
	}
	return got;
}

static void what_follows_urgent_data_arrives(void **state)
{
	static char block[100000];
	unsigned port, pod_port;
	(void)state;
	const int pods = listen_anywhere(&pod_port);
	const pid_t balance = start_balance(&port, pod_port);
	close(accept(pods, NULL, NULL)); /* that of start_balance */
	const int client = connect_to(port);
	const int pod = accept(pods, NULL, NULL);
	for (size_t n = 5; n <= sizeof block; n *= 10) {
		send_all(balance, client, block, n);
		assert_int_equal(receive(pod, 2 * n), 2 * n);
	}
	send_all(balance, client, block, sizeof block); /* long enough to be spliced */
	assert_int_equal(receive(pod, 2 * sizeof block), 2 * sizeof block);
	close(client);
	close(pod);
	close(pods);
	int status;
	kill(balance, SIGTERM);
	assert_int_equal(waitpid(balance, &status, 0), balance);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_follows_urgent_data_arrives)};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
