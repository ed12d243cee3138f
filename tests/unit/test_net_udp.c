/* udp: questions to a tracker that lives on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/tcp.h"
#include "net/udp.h"
#include "net/udpsock.h"

#define CONNECTION UINT64_C(0x1122334455667788)

struct fixture {
	struct bt_loop *loop;
	struct bt_dns *dns;
	struct bt_udp *udp;
	struct bt_udpsock *tracker;
	uint16_t port;
	int connects, announces, scrapes; /* that the tracker got */
	bool silent;
	uint32_t transactions[512];
	int ntransactions;
	uint8_t last_url[64];
	size_t last_url_n;
	int answers, failures, wanted;
	struct bt_err err;
};

static const uint8_t here[4] = { 127, 0, 0, 1 };

static void
send_reply(
    struct fixture *f, const struct bt_udp_reply *r, const struct bt_addr *to)
{
	struct bt_buf out;

	bt_buf_init(&out, 2048);
	assert_int_equal(bt_udp_reply_put(&out, r), 0);
	assert_int_equal(bt_udpsock_send(f->tracker, bt_buf_str(&out), to), 0);
	bt_buf_fini(&out);
}

/* A tracker as BEP 15 has it. */
static void
on_request(void *arg, struct bt_str in, const struct bt_addr *from)
{
	static const uint8_t peers[6] = { 10, 0, 0, 1, 0x1a, 0xe1 };
	static const uint8_t rows[2 * 12] = { [3] = 3, [7] = 5, [11] = 4 };
	struct fixture *f = arg;
	struct bt_udp_request q;
	struct bt_udp_reply r = { .interval = 60 };
	bool known;

	assert_int_equal(bt_udp_request_parse(
			     in, &q, f->last_url, sizeof(f->last_url), &known),
	    0);
	f->last_url_n = q.url_data.n;
	f->transactions[f->ntransactions++] = q.transaction;
	r.action = q.action;
	r.transaction = q.transaction;
	r.connection = CONNECTION;
	r.peers = (struct bt_str){ peers, 6 };
	r.rows = rows;
	r.nrows = q.nhashes;
	if (q.action == BT_UDP_CONNECT)
		f->connects++;
	else
		assert_true(q.connection == CONNECTION);
	f->announces += q.action == BT_UDP_ANNOUNCE;
	f->scrapes += q.action == BT_UDP_SCRAPE;
	if (!f->silent)
		send_reply(f, &r, from);
}

static void
on_error(void *arg, struct bt_str sent, const struct bt_addr *to, int code)
{
	(void)arg;
	(void)sent;
	(void)to;
	(void)code;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bt_udpsock_calls calls = { on_request, on_error, f };
	struct bt_addr none = { 0 }, a;
	struct bt_err err;
	int fd;

	assert_non_null(f);
	assert_int_equal(bt_loop_new(&f->loop, &err), 0);
	f->dns = bt_dns_new(f->loop);
	f->udp = bt_udp_new(f->loop, f->dns, &none);
	/* a port that is free now, for a socket whose port cannot be asked */
	a = bt_addr_v4(here, 0);
	fd = bt_tcp_bound(SOCK_DGRAM, &a, true);
	a = bt_tcp_local(fd);
	close(fd);
	f->tracker = bt_udpsock_new(f->loop, &a, &calls);
	assert_non_null(f->tracker);
	f->port = a.port;
	f->wanted = 1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	bt_udp_free(f->udp);
	bt_dns_free(f->dns);
	bt_udpsock_free(f->tracker);
	bt_loop_free(f->loop);
	free(f);
	return 0;
}

static void
on_done(void *arg, const struct bt_udp_reply *r, const struct bt_err *err)
{
	struct fixture *f = arg;

	if (r != NULL)
		f->answers++;
	else {
		f->failures++;
		f->err = *err;
	}
	if (f->answers + f->failures >= f->wanted)
		bt_loop_stop(f->loop);
}

static struct bt_udp_query *
announce(struct fixture *f, uint8_t family)
{
	struct bt_udp_request q = { .action = BT_UDP_ANNOUNCE,
		.url_data = STR("/announce?a=b") };

	return bt_udp_ask(
	    f->udp, STR("localhost"), f->port, family, &q, on_done, f);
}

static void
a_question_is_preceded_by_a_connect(void **state)
{
	struct fixture *f = *state;

	announce(f, 4);
	assert_int_equal(f->answers, 0);
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->connects, 1);
	assert_int_equal(f->announces, 1);
	assert_int_equal(f->last_url_n, 13);
	assert_memory_equal(f->last_url, "/announce?a=b", 13);
}

static void
many_questions_share_a_connection_and_no_transaction(void **state)
{
	struct fixture *f = *state;

	f->wanted = 200;
	for (int i = 0; i < 200; i++)
		announce(f, 4);
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 200);
	assert_int_equal(f->connects, 1);
	assert_int_equal(f->ntransactions, 201);
	for (int i = 0; i < f->ntransactions; i++)
		for (int k = 0; k < i; k++)
			assert_int_not_equal(
			    f->transactions[i], f->transactions[k]);
}

static void
a_scrape_brings_a_row_for_each_hash(void **state)
{
	static const uint8_t hashes[2][20] = { { 1 }, { 2 } };
	struct fixture *f = *state;
	struct bt_udp_request q = {
		.action = BT_UDP_SCRAPE, .hashes = hashes, .nhashes = 2
	};

	bt_udp_ask(f->udp, STR("127.0.0.1"), f->port, 4, &q, on_done, f);
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->scrapes, 1);
}

static void
nobody_there_is_known_at_once(void **state)
{
	struct fixture *f = *state;
	int64_t begun = bt_loop_now(f->loop);

	bt_udpsock_free(f->tracker);
	f->tracker = NULL;
	announce(f, 4);
	bt_loop_run(f->loop);
	assert_int_equal(f->failures, 1);
	assert_int_equal(f->err.kind, BT_ENET);
	assert_string_equal(f->err.text, "connection refused");
	assert_true(bt_loop_now(f->loop) - begun < 5 * BT_LOOP_SECOND);
}

static void
a_tracker_that_goes_away_between_two_questions_is_noticed(void **state)
{
	struct fixture *f = *state;

	announce(f, 4);
	bt_loop_run(f->loop);
	bt_udpsock_free(f->tracker);
	f->tracker = NULL;
	f->wanted = 2;
	announce(f, 4);
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 1);
	assert_int_equal(f->failures, 1);
}

static void
a_name_without_the_family_fails_with_a_reason(void **state)
{
	struct fixture *f = *state;
	struct bt_udp_request q = { .action = BT_UDP_ANNOUNCE };

	bt_udp_ask(f->udp, STR("127.0.0.1"), f->port, 6, &q, on_done, f);
	bt_loop_run(f->loop);
	assert_int_equal(f->failures, 1);
	assert_int_equal(f->err.kind, BT_ENET);
	assert_int_equal(f->connects, 0);
}

static void
stop_loop(void *arg)
{
	struct fixture *f = arg;

	bt_loop_stop(f->loop);
}

static void
cancelled_questions_call_nobody(void **state)
{
	struct fixture *f = *state;
	struct bt_loop_timer *t = bt_loop_timer_new(f->loop, stop_loop, f);
	struct bt_udp_query *q[100];

	f->silent = true;
	for (int i = 0; i < 100; i++)
		q[i] = announce(f, 4);
	bt_loop_timer_in(t, 20000);
	bt_loop_run(f->loop);
	assert_int_equal(f->connects, 1);
	for (int i = 0; i < 100; i++)
		bt_udp_cancel(q[i]);
	bt_udp_cancel(NULL);
	f->silent = false;
	bt_loop_timer_in(t, 20000);
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 0);
	assert_int_equal(f->failures, 0);
	bt_loop_timer_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_preceded_by_a_connect),
		cmocka_unit_test(
		    many_questions_share_a_connection_and_no_transaction),
		cmocka_unit_test(a_scrape_brings_a_row_for_each_hash),
		cmocka_unit_test(nobody_there_is_known_at_once),
		cmocka_unit_test(
		    a_tracker_that_goes_away_between_two_questions_is_noticed),
		cmocka_unit_test(a_name_without_the_family_fails_with_a_reason),
		cmocka_unit_test(cancelled_questions_call_nobody),
	};
	struct CMUnitTest with[sizeof(tests) / sizeof(tests[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		with[i] = tests[i];
		with[i].setup_func = set_up;
		with[i].teardown_func = tear_down;
	}
	return cmocka_run_group_tests(with, NULL, NULL);
}
