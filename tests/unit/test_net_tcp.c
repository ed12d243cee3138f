/* tcp: listeners, dials and bytes, over loopback. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/tcp.h"

struct fixture {
	struct bt_loop *loop;
	struct bt_tcp_listener *listener, *second;
	struct bt_tcp_listen_conf conf;
	int accepted[16];
	int n, wanted;
	struct bt_addr from;
	bool frees;
};

static const uint8_t one4[4] = { 127, 0, 0, 1 };
static const uint8_t one6[16] = { [15] = 1 };

static void
on_accept(void *arg, int fd, const struct bt_addr *from)
{
	struct fixture *f = arg;

	assert_true(f->n < 16);
	f->accepted[f->n++] = fd;
	f->from = *from;
	if (f->frees) {
		bt_tcp_listen_free(f->listener);
		f->listener = NULL;
	}
	if (f->n >= f->wanted)
		bt_loop_stop(f->loop);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bt_err err;

	assert_non_null(f);
	assert_int_equal(bt_loop_new(&f->loop, &err), 0);
	f->conf.ipv4 = true;
	f->conf.bind = bt_addr_v4(one4, 0);
	f->conf.on_accept = on_accept;
	f->conf.arg = f;
	f->wanted = 1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	bt_tcp_listen_free(f->listener);
	bt_tcp_listen_free(f->second);
	for (int i = 0; i < f->n; i++)
		close(f->accepted[i]);
	bt_loop_free(f->loop);
	free(f);
	return 0;
}

static struct bt_addr
listen_on(struct fixture *f)
{
	struct bt_err err;
	struct bt_addr a;

	assert_int_equal(
	    bt_tcp_listen(&f->listener, f->loop, &f->conf, &err), 0);
	assert_true(bt_tcp_listen_addr(f->listener, 4, &a) ||
		    bt_tcp_listen_addr(f->listener, 6, &a));
	assert_int_not_equal(a.port, 0);
	return a;
}

static void
what_is_dialled_is_accepted_from_whom_it_is(void **state)
{
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f), mine;
	int fd;

	fd = bt_tcp_dial(&to, NULL);
	assert_int_not_equal(fd, -1);
	bt_loop_run(f->loop);
	assert_int_equal(f->n, 1);
	assert_int_equal(bt_tcp_dial_result(fd), 0);
	mine = bt_tcp_local(fd);
	assert_true(bt_addr_eq(&mine, &f->from));
	mine = bt_tcp_local(f->accepted[0]);
	assert_true(bt_addr_eq(&mine, &to));
	assert_true(fcntl(f->accepted[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(f->accepted[0], F_GETFD) & FD_CLOEXEC);
	close(fd);
}

static void
a_dial_comes_from_the_address_that_it_is_given(void **state)
{
	static const uint8_t two[4] = { 127, 0, 0, 2 };
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f), from = bt_addr_v4(two, 0);
	int fd;

	fd = bt_tcp_dial(&to, &from);
	assert_int_not_equal(fd, -1);
	bt_loop_run(f->loop);
	assert_true(bt_addr_eq_ip(&f->from, &from));
	close(fd);
	from = bt_addr_v6(one6, 0);
	assert_int_equal(bt_tcp_dial(&to, &from), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
}

static void
both_families_have_one_port(void **state)
{
	struct fixture *f = *state;
	struct bt_addr a4, a6;
	struct bt_err err;

	f->conf.bind.family = 0;
	f->conf.ipv6 = true;
	assert_int_equal(
	    bt_tcp_listen(&f->listener, f->loop, &f->conf, &err), 0);
	assert_true(bt_tcp_listen_addr(f->listener, 4, &a4));
	if (!bt_tcp_listen_addr(f->listener, 6, &a6))
		skip(); /* this machine has no IPv6 */
	assert_int_equal(a4.port, a6.port);
	assert_int_equal(a4.port, bt_tcp_listen_port(f->listener));
	assert_true(bt_addr_is_any(&a4));
	assert_true(bt_addr_is_any(&a6));
}

static void
a_port_that_is_taken_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;
	char wanted[128], text[BT_ADDR_TEXT_MAX];
	struct bt_addr a = listen_on(f);
	struct bt_err err;

	f->conf.port = a.port;
	assert_int_equal(
	    bt_tcp_listen(&f->second, f->loop, &f->conf, &err), -1);
	assert_int_equal(err.kind, BT_ENET);
	snprintf(wanted, sizeof(wanted),
	    "cannot listen on '%s': address already in use",
	    bt_addr_text(&a, text));
	assert_string_equal(err.text, wanted);
}

static void
or_any_takes_another_port_where_one_is_taken(void **state)
{
	struct fixture *f = *state;
	struct bt_addr a = listen_on(f);
	struct bt_err err;

	f->conf.port = a.port;
	f->conf.or_any = true;
	assert_int_equal(bt_tcp_listen(&f->second, f->loop, &f->conf, &err), 0);
	assert_int_not_equal(bt_tcp_listen_port(f->second), a.port);
}

static void
a_listener_may_be_freed_while_it_accepts(void **state)
{
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f);
	int a = bt_tcp_dial(&to, NULL), b = bt_tcp_dial(&to, NULL);

	f->frees = true;
	bt_loop_run(f->loop);
	assert_int_equal(f->n, 1);
	close(a);
	close(b);
}

static void
stop_loop(void *arg)
{
	struct fixture *f = arg;

	bt_loop_stop(f->loop);
}

/* Run what is due within a millisecond. */
static void
turn(struct fixture *f)
{
	struct bt_loop_timer *t = bt_loop_timer_new(f->loop, stop_loop, f);

	bt_loop_timer_in(t, 1000);
	bt_loop_run(f->loop);
	bt_loop_timer_free(t);
}

/* It must neither spin nor leave the caller hanging. */
static void
out_of_descriptors_the_caller_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f);
	struct rlimit old, less;
	int fd = bt_tcp_dial(&to, NULL), later, filler[1024], n = 0, turns = 0;
	char c;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	less = old;
	less.rlim_cur = (rlim_t)fd + 20;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	while (n < 1024 && (filler[n] = dup(0)) != -1)
		n++;
	while (recv(fd, &c, 1, MSG_DONTWAIT) == -1 && turns++ < 1000)
		turn(f);
	assert_true(turns < 1000);
	assert_int_equal(f->n, 0);
	while (n > 0)
		close(filler[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	later = bt_tcp_dial(&to, NULL);
	bt_loop_run(f->loop);
	assert_int_equal(f->n, 1);
	close(fd);
	close(later);
}

static void
bytes_fill_the_places_in_order(void **state)
{
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f);
	uint8_t a[3], b[4];
	const struct bt_place places[2] = { { a, 3 }, { b, 4 } };
	const struct bt_str parts[2] = { STR("ab"), STR("cde") };
	int fd = bt_tcp_dial(&to, NULL);

	bt_loop_run(f->loop);
	assert_int_equal(bt_tcp_recv(f->accepted[0], places, 2), -1);
	assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
	assert_int_equal(bt_tcp_send(fd, parts, 2), 5);
	assert_int_equal(bt_tcp_recv(f->accepted[0], places, 2), 5);
	assert_memory_equal(a, "abc", 3);
	assert_memory_equal(b, "de", 2);
	close(fd);
	assert_int_equal(bt_tcp_recv(f->accepted[0], places, 2), 0);
	/* to somebody gone: an error, and no signal */
	while (bt_tcp_send(f->accepted[0], parts, 2) != -1)
		;
	assert_true(errno == EPIPE || errno == ECONNRESET);
}

static void
room_is_told_until_the_socket_is_full(void **state)
{
	static uint8_t some[65536];
	const struct bt_str part = { some, sizeof(some) };
	const struct bt_place place = { some, sizeof(some) };
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f);
	int fd = bt_tcp_dial(&to, NULL);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	size_t room, sent = 0;

	bt_loop_run(f->loop);
	room = bt_tcp_room(fd);
	assert_in_range(room, 1, 64 << 20);
	while (bt_tcp_room(fd) > 0 && sent < 64u << 20) {
		assert_int_equal(poll(&p, 1, 0), 1);
		assert_true(bt_tcp_send(fd, &part, 1) > 0);
		sent += sizeof(some);
	}
	assert_in_range(sent, sizeof(some), (64u << 20) - 1);
	assert_int_equal(poll(&p, 1, 0), 0);
	while (bt_tcp_recv(f->accepted[0], &place, 1) > 0)
		;
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(bt_tcp_room(fd) > 0);
	close(fd);
}

static void
a_refused_dial_says_so(void **state)
{
	struct fixture *f = *state;
	struct bt_addr to = listen_on(f);
	int fd;

	bt_tcp_listen_free(f->listener);
	f->listener = NULL;
	fd = bt_tcp_dial(&to, NULL);
	if (fd == -1)
		assert_int_equal(errno, ECONNREFUSED);
	else
		assert_int_equal(bt_tcp_dial_result(fd), ECONNREFUSED);
	assert_string_equal(bt_tcp_reason(ECONNREFUSED), "connection refused");
	if (fd != -1)
		close(fd);
}

static void
a_mapped_address_is_ipv4(void **state)
{
	static const uint8_t mapped[16] = {
		[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1
	};
	struct sockaddr_storage ss;
	struct bt_addr a = bt_addr_v6(one6, 80), b;

	(void)state;
	bt_tcp_sockaddr(&a, &ss);
	b = bt_tcp_addr(&ss);
	assert_true(bt_addr_eq(&a, &b));
	a = bt_addr_v6(mapped, 80);
	b = bt_addr_v4(one4, 80);
	assert_true(bt_addr_eq(&a, &b));
	bt_tcp_sockaddr(&a, &ss);
	assert_int_equal(ss.ss_family, AF_INET);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_dialled_is_accepted_from_whom_it_is),
		cmocka_unit_test(
		    a_dial_comes_from_the_address_that_it_is_given),
		cmocka_unit_test(both_families_have_one_port),
		cmocka_unit_test(
		    a_port_that_is_taken_is_an_error_that_names_it),
		cmocka_unit_test(or_any_takes_another_port_where_one_is_taken),
		cmocka_unit_test(a_listener_may_be_freed_while_it_accepts),
		cmocka_unit_test(out_of_descriptors_the_caller_is_dropped),
		cmocka_unit_test(bytes_fill_the_places_in_order),
		cmocka_unit_test(room_is_told_until_the_socket_is_full),
		cmocka_unit_test(a_refused_dial_says_so),
		cmocka_unit_test(a_mapped_address_is_ipv4),
	};
	struct CMUnitTest with[sizeof(tests) / sizeof(tests[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		with[i] = tests[i];
		with[i].setup_func = set_up;
		with[i].teardown_func = tear_down;
	}
	return cmocka_run_group_tests(with, NULL, NULL);
}
