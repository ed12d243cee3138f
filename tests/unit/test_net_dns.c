/* dns: what needs no name server, and that the rest ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "net/dns.h"

struct fixture {
	struct bt_loop *loop;
	struct bt_dns *dns;
	struct bt_addr addrs[BT_DNS_ADDRS_MAX];
	size_t n;
	int answers;
	char why[128];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bt_err err;

	assert_non_null(f);
	assert_int_equal(bt_loop_new(&f->loop, &err), 0);
	f->dns = bt_dns_new(f->loop);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	bt_dns_free(f->dns);
	bt_loop_free(f->loop);
	free(f);
	return 0;
}

static void
on_found(void *arg, const struct bt_addr *a, size_t n, const char *why)
{
	struct fixture *f = arg;

	f->answers++;
	f->n = n;
	memcpy(f->addrs, a, n * sizeof(*a));
	strncpy(f->why, why == NULL ? "" : why, sizeof(f->why) - 1);
	bt_loop_stop(f->loop);
}

static void
resolve(struct fixture *f, const char *host, uint8_t family)
{
	bt_dns_resolve(f->dns, bt_str_of(host), 80, family, on_found, f);
	assert_int_equal(f->answers, 0); /* never before the call returned */
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 1);
	f->answers = 0;
}

static void
first_is(const struct fixture *f, const char *text)
{
	char got[BT_ADDR_TEXT_MAX];

	assert_true(f->n > 0);
	assert_string_equal(bt_addr_text(&f->addrs[0], got), text);
}

static void
a_numeric_address_is_itself(void **state)
{
	struct fixture *f = *state;

	resolve(f, "192.0.2.7", 0);
	first_is(f, "192.0.2.7:80");
	resolve(f, "2001:db8::7", 6);
	first_is(f, "[2001:db8::7]:80");
	assert_int_equal(f->n, 1);
}

static void
a_numeric_address_of_the_other_family_is_none(void **state)
{
	struct fixture *f = *state;

	resolve(f, "192.0.2.7", 6);
	assert_int_equal(f->n, 0);
	assert_string_equal(f->why, "it is an address of the other family");
}

/* RFC 6761, 6.3 */
static void
localhost_and_what_is_beneath_it_is_this_machine(void **state)
{
	static const char *const names[] = { "localhost", "LocalHost",
		"localhost.", "a.b.localhost", "x.LOCALHOST." };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		resolve(f, names[i], 0);
		assert_int_equal(f->n, 2);
		first_is(f, "127.0.0.1:80");
		resolve(f, names[i], 6);
		assert_int_equal(f->n, 1);
		first_is(f, "[::1]:80");
	}
}

/* RFC 6761, 6.4: invalid never exists; without a network there is no answer. */
static void
what_cannot_be_found_ends_with_a_reason(void **state)
{
	struct fixture *f = *state;
	int64_t begun = bt_loop_now(f->loop);

	resolve(f, "nobody.invalid", 0);
	assert_int_equal(f->n, 0);
	assert_true(strlen(f->why) > 0);
	assert_true(bt_loop_now(f->loop) - begun <
		    BT_DNS_TIMEOUT_US + 2 * BT_LOOP_SECOND);
}

static void
stop_loop(void *arg)
{
	struct fixture *f = arg;

	bt_loop_stop(f->loop);
}

static void
a_cancelled_query_calls_nobody(void **state)
{
	struct fixture *f = *state;
	struct bt_loop_timer *t = bt_loop_timer_new(f->loop, stop_loop, f);
	struct bt_dns_query *a, *b;

	a = bt_dns_resolve(f->dns, STR("localhost"), 80, 0, on_found, f);
	b = bt_dns_resolve(f->dns, STR("nobody.invalid"), 80, 0, on_found, f);
	bt_dns_cancel(a);
	bt_dns_cancel(b);
	bt_dns_cancel(NULL);
	bt_loop_timer_in(t, 20000);
	bt_loop_run(f->loop);
	assert_int_equal(f->answers, 0);
	bt_loop_timer_free(t);
}

static void
a_resolver_may_go_while_it_is_asked(void **state)
{
	struct fixture *f = *state;

	bt_dns_resolve(f->dns, STR("nobody.invalid"), 80, 0, on_found, f);
	bt_dns_resolve(f->dns, STR("localhost"), 80, 0, on_found, f);
	bt_dns_free(f->dns);
	f->dns = NULL;
	bt_loop_free(f->loop);
	f->loop = NULL;
	assert_int_equal(f->answers, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_numeric_address_is_itself),
		cmocka_unit_test(a_numeric_address_of_the_other_family_is_none),
		cmocka_unit_test(
		    localhost_and_what_is_beneath_it_is_this_machine),
		cmocka_unit_test(what_cannot_be_found_ends_with_a_reason),
		cmocka_unit_test(a_cancelled_query_calls_nobody),
		cmocka_unit_test(a_resolver_may_go_while_it_is_asked),
	};
	struct CMUnitTest with[sizeof(tests) / sizeof(tests[0])];

	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		with[i] = tests[i];
		with[i].setup_func = set_up;
		with[i].teardown_func = tear_down;
	}
	return cmocka_run_group_tests(with, NULL, NULL);
}
