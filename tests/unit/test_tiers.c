#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/rate.h"
#include "core/tiers.h"

#define NOW BT_SEC(5000)

/* Tiers drawn as "ab|c": a letter is a tracker, a bar begins a tier. */
static struct bt_tiers *
draw(const char *drawing, uint64_t seed)
{
	struct bt_tiers *t = bt_tiers_new(seed);
	uint32_t tier = 0;

	for (const char *s = drawing; *s != '\0'; s++) {
		if (*s == '|')
			tier++;
		else
			assert_true(bt_tiers_add(
			    t, (struct bt_str){ (const uint8_t *)s, 1 }, tier));
	}
	return t;
}

static uint32_t
pick(struct bt_tiers *t, int64_t now)
{
	int64_t when;

	return bt_tiers_pick(t, now, &when);
}

static char
letter(const struct bt_tiers *t, uint32_t id)
{
	return id == UINT32_MAX ? '-' : bt_tiers_url(t, id)[0];
}

/* Fail each in turn; the order in which they are tried. */
static const char *
order(struct bt_tiers *t, int64_t now, char *out)
{
	uint32_t id;
	size_t n = 0;

	while ((id = pick(t, now)) != UINT32_MAX) {
		out[n++] = letter(t, id);
		bt_tiers_failed(t, id, now);
	}
	out[n] = '\0';
	return out;
}

static void
tiers_are_tried_in_order(void **state)
{
	struct bt_tiers *t = draw("a|b|c|d", 1);
	char s[8];

	(void)state;
	assert_int_equal(bt_tiers_count(t), 4);
	assert_string_equal(order(t, NOW, s), "abcd");
	bt_tiers_free(t);
}

static void
tiers_given_in_any_order_are_tried_in_theirs(void **state)
{
	struct bt_tiers *t = bt_tiers_new(1);
	char s[8];

	(void)state;
	assert_true(bt_tiers_add(t, STR("c"), UINT32_MAX));
	assert_true(bt_tiers_add(t, STR("a"), 0));
	assert_true(bt_tiers_add(t, STR("b"), 7));
	assert_string_equal(order(t, NOW, s), "abc");
	bt_tiers_free(t);
}

static void
trackers_of_a_tier_are_shuffled_evenly(void **state)
{
	static const char *perms[] = { "abcd", "acbd", "bacd", "bcad", "cabd",
		"cbad" };
	int count[6] = { 0 };
	struct bt_tiers *t;
	char s[8];

	(void)state;
	for (uint64_t seed = 0; seed < 6000; seed++) {
		t = draw("abc|d", seed);
		(void)order(t, NOW, s);
		for (int i = 0; i < 6; i++)
			count[i] += strcmp(s, perms[i]) == 0;
		bt_tiers_free(t);
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(count[i], 870, 1130); /* sigma 29 */
}

static void
they_are_shuffled_once(void **state)
{
	struct bt_tiers *t = draw("abcdef", 3);
	char first[8], again[8];

	(void)state;
	(void)order(t, NOW, first);
	assert_string_equal(order(t, NOW + BT_SEC(3600), again), first);
	bt_tiers_free(t);
}

/* BEP 12's own example */
static void
whichever_answers_moves_to_the_front_of_its_tier(void **state)
{
	struct bt_tiers *t = draw("123", 1);
	char was[8], now[8], want[8];
	uint32_t ids[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		ids[i] = pick(t, NOW);
		was[i] = letter(t, ids[i]);
		bt_tiers_failed(t, ids[i], NOW);
	}
	bt_tiers_ok(t, ids[1]);
	snprintf(want, sizeof(want), "%c%c%c", was[1], was[0], was[2]);
	assert_string_equal(order(t, NOW + BT_SEC(3600), now), want);
	bt_tiers_ok(t, ids[2]);
	snprintf(want, sizeof(want), "%c%c%c", was[2], was[1], was[0]);
	assert_string_equal(order(t, NOW + BT_SEC(7200), now), want);
	bt_tiers_free(t);
}

static void
an_answer_does_not_leave_its_tier(void **state)
{
	struct bt_tiers *t = draw("a|b|c", 1);
	char s[8];

	(void)state;
	bt_tiers_ok(t, 1);
	assert_int_equal(letter(t, pick(t, NOW)), 'a');
	bt_tiers_failed(t, 0, NOW);
	assert_int_equal(letter(t, pick(t, NOW)), 'b');
	bt_tiers_ok(t, 1);
	assert_string_equal(order(t, NOW + BT_SEC(15), s), "abc");
	bt_tiers_free(t);
}

static void
one_that_answers_is_asked_again(void **state)
{
	struct bt_tiers *t = draw("ab|c", 5);
	uint32_t id = pick(t, NOW);

	(void)state;
	for (int i = 0; i < 5; i++) {
		bt_tiers_ok(t, id);
		assert_int_equal(pick(t, NOW + BT_SEC(1800 * i)), id);
	}
	bt_tiers_free(t);
}

static void
a_failed_tracker_is_tried_again_after_a_doubling_wait(void **state)
{
	static const int waits[] = { 15, 30, 60, 120, 240, 480, 960, 1800, 1800,
		1800 };
	struct bt_tiers *t = draw("a", 1);
	int64_t now = NOW, when;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		assert_int_equal(bt_tiers_pick(t, now, &when), 0);
		bt_tiers_failed(t, 0, now);
		assert_int_equal(
		    pick(t, now + BT_SEC(waits[i]) - 1), UINT32_MAX);
		assert_int_equal(bt_tiers_pick(t, now, &when), UINT32_MAX);
		now += BT_SEC(waits[i]);
		assert_int_equal(when, now);
	}
	bt_tiers_ok(t, 0);
	bt_tiers_failed(t, 0, now);
	assert_int_equal(pick(t, now + BT_SEC(15)), 0);
	bt_tiers_free(t);
}

static void
when_all_failed_the_first_to_be_ready_is_told(void **state)
{
	struct bt_tiers *t = draw("a|b", 1);
	int64_t when;

	(void)state;
	bt_tiers_failed(t, 0, NOW);
	bt_tiers_failed(t, 0, NOW);
	bt_tiers_failed(t, 1, NOW + BT_SEC(5));
	assert_int_equal(bt_tiers_pick(t, NOW + BT_SEC(6), &when), UINT32_MAX);
	assert_int_equal(when, NOW + BT_SEC(20));
	bt_tiers_free(t);
}

static void
without_trackers_there_is_never_one_to_ask(void **state)
{
	struct bt_tiers *t = bt_tiers_new(1);
	int64_t when;

	(void)state;
	assert_int_equal(bt_tiers_pick(t, NOW, &when), UINT32_MAX);
	assert_true(when == BT_NEVER);
	bt_tiers_free(t);
}

static void
a_duplicate_url_counts_once(void **state)
{
	struct bt_tiers *t = draw("ab|c", 1);

	(void)state;
	assert_false(bt_tiers_add(t, STR("a"), 0));
	assert_false(bt_tiers_add(t, STR("c"), 0));
	assert_true(bt_tiers_add(t, STR("aa"), 0));
	assert_int_equal(bt_tiers_count(t), 4);
	bt_tiers_free(t);
}

static void
there_is_an_end_to_what_a_torrent_may_list(void **state)
{
	struct bt_tiers *t = bt_tiers_new(1);
	char url[16];

	(void)state;
	for (uint32_t i = 0; i < BT_TIERS_MAX + 5; i++) {
		snprintf(url, sizeof(url), "t%u", i);
		assert_int_equal(
		    bt_tiers_add(t, bt_str_of(url), i / 3), i < BT_TIERS_MAX);
	}
	assert_int_equal(bt_tiers_count(t), BT_TIERS_MAX);
	bt_tiers_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiers_are_tried_in_order),
		cmocka_unit_test(tiers_given_in_any_order_are_tried_in_theirs),
		cmocka_unit_test(trackers_of_a_tier_are_shuffled_evenly),
		cmocka_unit_test(they_are_shuffled_once),
		cmocka_unit_test(
		    whichever_answers_moves_to_the_front_of_its_tier),
		cmocka_unit_test(an_answer_does_not_leave_its_tier),
		cmocka_unit_test(one_that_answers_is_asked_again),
		cmocka_unit_test(
		    a_failed_tracker_is_tried_again_after_a_doubling_wait),
		cmocka_unit_test(when_all_failed_the_first_to_be_ready_is_told),
		cmocka_unit_test(without_trackers_there_is_never_one_to_ask),
		cmocka_unit_test(a_duplicate_url_counts_once),
		cmocka_unit_test(there_is_an_end_to_what_a_torrent_may_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
