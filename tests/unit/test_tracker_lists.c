#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "edge.h"
#include "lists.h"

#define A40 "0123456789abcdef0123456789ABCDEF00000000"
#define B40 "ffffffffffffffffffffffffffffffffffffffff"

static const uint8_t secret[16] = { 7, 1, 9 };

/* The list of that text, or NULL. */
static struct bt_list *
parse(enum bt_lists_kind kind, struct bt_str text, struct bt_err *err)
{
	struct bt_list *l = NULL;
	int rc = bt_lists_parse(&l, kind, secret, "f", text, err);

	assert_int_equal(rc, l == NULL ? -1 : 0);
	return l;
}

static struct bt_list *
list(enum bt_lists_kind kind, const char *text)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_list *l = parse(kind, bt_str_of(text), &err);

	assert_string_equal(err.text, "");
	assert_non_null(l);
	return l;
}

/* How many entries text has. */
static size_t
count(enum bt_lists_kind kind, const char *text)
{
	struct bt_list *l = list(kind, text);
	size_t n = bt_lists_count(l);

	bt_lists_free(l);
	return n;
}

static void
assert_refused(enum bt_lists_kind kind, const char *text, const char *sentence)
{
	struct bt_err err = BT_ERR_INIT;

	assert_null(parse(kind, bt_str_of(text), &err));
	assert_int_equal(err.kind, BT_EINPUT);
	assert_string_equal(err.text, sentence);
}

static bool
has_torrent(const struct bt_list *l, const char *hex)
{
	uint8_t hash[20];

	assert_int_equal(bt_str_unhex(bt_str_of(hex), hash, 20), 0);
	return bt_lists_has_torrent(l, hash);
}

/* Whether a client whose peer id begins so is on the list of that text. */
static bool
has_client(const char *text, const char *id)
{
	struct bt_list *l = list(BT_LISTS_CLIENTS, text);
	uint8_t bytes[20] = { 0 };
	bool has;

	memcpy(bytes, id, strlen(id));
	has = bt_lists_has_client(l, bytes);
	bt_lists_free(l);
	return has;
}

static bool
has_key(const struct bt_list *l, const char *key)
{
	return bt_lists_has_key(l, bt_str_of(key));
}

static void
comments_blanks_and_empty_lines_do_not_count(void **state)
{
	(void)state;
	assert_int_equal(count(BT_LISTS_TORRENTS, ""), 0);
	assert_int_equal(count(BT_LISTS_TORRENTS, "\n\r\n \t \n# x y\n #"), 0);
	assert_int_equal(
	    count(BT_LISTS_TORRENTS, "# two\n" A40 "\n\n \t" B40 " \t # why\n"),
	    2);
	assert_int_equal(count(BT_LISTS_TORRENTS, A40 "\r\n" B40 "\r\n"), 2);
	assert_int_equal(count(BT_LISTS_TORRENTS, A40), 1);
	assert_int_equal(count(BT_LISTS_CLIENTS, "-XL # Xunlei\n#-TR\n"), 1);
	assert_int_equal(count(BT_LISTS_KEYS, "k\t#\n"), 1);
}

static void
a_torrent_is_40_hex_digits_of_either_case(void **state)
{
	struct bt_list *l = list(BT_LISTS_TORRENTS, A40 "\n" A40);

	(void)state;
	assert_int_equal(bt_lists_count(l), 1);
	assert_true(has_torrent(l, "0123456789ABCDEF0123456789abcdef00000000"));
	assert_false(
	    has_torrent(l, "0123456789ABCDEF0123456789abcdef00000001"));
	assert_false(has_torrent(l, B40));
	bt_lists_free(l);
}

static void
a_bad_line_is_named(void **state)
{
	(void)state;
	assert_refused(BT_LISTS_TORRENTS, A40 "\n# c\nrubbish\n",
	    "bad line 3 in 'f': 'rubbish' is not an info-hash of 40 hex "
	    "digits");
	assert_refused(BT_LISTS_TORRENTS, A40 "0",
	    "bad line 1 in 'f': '" A40 "0' is not an info-hash of 40 hex "
	    "digits");
	assert_refused(BT_LISTS_TORRENTS, "\n" A40 " " B40,
	    "bad line 2 in 'f': '" A40 " ffffffffffffffffffffffffffffffffffffff"
	    "' is not an info-hash of 40 hex digits");
}

static void
a_client_is_1_to_20_bytes_that_begin_its_id(void **state)
{
	(void)state;
	assert_true(has_client("-XL", "-XL0012-abcdefghijkl"));
	assert_true(has_client("-XL\n-SD\n-UT1", "-UT1830-"));
	assert_false(has_client("-XL\n-SD\n-UT1", "-UT2830-"));
	assert_false(has_client("-XL", "-XM0012-"));
	assert_false(has_client("-XL", "-XK0012-"));
	assert_false(has_client("", "-XL0012-"));
	assert_true(has_client("12345678901234567890", "12345678901234567890"));
	assert_false(
	    has_client("12345678901234567890", "1234567890123456789x"));
	assert_true(has_client("%2dX%4c%23#", "-XL##"));
	assert_true(has_client("a%00%00", "a"));
	assert_false(has_client("a%00%01", "a"));
	assert_true(has_client("%ff%FE", "\xff\xfe"));
}

static void
the_shorter_of_two_prefixes_says_both(void **state)
{
	(void)state;
	assert_int_equal(
	    count(BT_LISTS_CLIENTS, "-XL1\n-XL\n-XL12\n-X\n-Y\n-X"), 2);
	/* one that sorts between the prefix and the id */
	assert_true(has_client("-XL\n-XL0011\n-XK", "-XL0012-"));
	assert_true(has_client("-\n-AZ", "-BC"));
	assert_false(has_client("-A\n-B", "-"));
}

static void
what_is_no_client_is_refused(void **state)
{
	static const char *const bad[] = { "-XL SD", "123456789012345678901",
		"%", "%2", "%2g", "a%", "\x01", "\x7f", "\xc3\xa4" };
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(parse(BT_LISTS_CLIENTS, bt_str_of(bad[i]), &err));
	assert_refused(BT_LISTS_CLIENTS, "-TR\n\x7f\n",
	    "bad line 2 in 'f': '\\x7f' is not the beginning of a peer id");
}

static void
a_key_is_1_to_64_letters_digits_and_dashes(void **state)
{
	char longest[BT_LISTS_KEY_MAX + 2], text[100];
	struct bt_list *l;
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	memset(longest, 'k', sizeof(longest));
	longest[BT_LISTS_KEY_MAX] = '\0';
	snprintf(text, sizeof(text), "%s\nab_C-9\nabc", longest);
	l = list(BT_LISTS_KEYS, text);
	assert_int_equal(bt_lists_count(l), 3);
	assert_true(has_key(l, longest));
	assert_true(has_key(l, "ab_C-9"));
	assert_false(has_key(l, "ab_c-9"));
	assert_false(has_key(l, "ab"));
	assert_false(has_key(l, "abcd"));
	assert_false(has_key(l, ""));
	assert_false(has_key(l, "a/c"));
	assert_false(bt_lists_has_key(l, STR("abc\0")));
	longest[BT_LISTS_KEY_MAX] = 'k';
	longest[BT_LISTS_KEY_MAX + 1] = '\0';
	assert_false(has_key(l, longest));
	bt_lists_free(l);
	assert_null(parse(BT_LISTS_KEYS, bt_str_of(longest), &err));
	assert_null(parse(BT_LISTS_KEYS, STR("abc\0"), &err));
	assert_refused(BT_LISTS_KEYS, "a/b",
	    "bad line 1 in 'f': 'a/b' is not a key of 1 to 64 letters, digits, "
	    "- and _");
}

static void
many_torrents_are_each_found_and_no_others(void **state)
{
	enum { N = 5000 };
	static uint8_t hashes[2 * N][20];
	char *text = bt_mem_alloc(N * 41 + 1);
	struct bt_list *l;
	struct bt_rng rng;

	(void)state;
	bt_rng_seed(&rng, 5);
	bt_rng_fill(&rng, hashes, sizeof(hashes));
	for (size_t i = 0; i < N; i++) {
		bt_str_hex((struct bt_str){ hashes[i], 20 }, text + i * 41);
		text[i * 41 + 40] = '\n';
	}
	text[N * 41] = '\0';
	l = list(BT_LISTS_TORRENTS, text);
	assert_int_equal(bt_lists_count(l), N);
	for (size_t i = 0; i < 2 * N; i++)
		assert_int_equal(bt_lists_has_torrent(l, hashes[i]), i < N);
	bt_lists_free(l);
	bt_mem_free(text);
}

/* Whatever the bytes: a list or a sentence, nothing read past the end. */
static void
garbage_is_a_list_or_a_sentence(void **state)
{
	static const char some[] = "0aF-#% \t\r\n\n_X\xff\x01";
	uint8_t id[20] = "-XL0012-";
	struct bt_list *l;
	struct bt_err err;
	struct bt_rng rng;
	struct bt_str text;
	struct edge edge;
	uint8_t bytes[120];
	size_t n;

	(void)state;
	edge_init(&edge, sizeof(bytes));
	bt_rng_seed(&rng, 11);
	for (unsigned i = 0; i < 30000; i++) {
		n = bt_rng_below(&rng, i % 2 ? 8 : sizeof(bytes));
		for (size_t k = 0; k < n; k++)
			bytes[k] =
			    (uint8_t)some[bt_rng_below(&rng, sizeof(some) - 1)];
		text = edge_put(&edge, (struct bt_str){ bytes, n });
		err = (struct bt_err)BT_ERR_INIT;
		l = parse((enum bt_lists_kind)(i % 3), text, &err);
		assert_int_equal(err.kind, l == NULL ? BT_EINPUT : BT_ENONE);
		if (l != NULL && i % 3 == BT_LISTS_CLIENTS)
			bt_lists_has_client(l, id);
		bt_lists_free(l);
	}
	edge_fini(&edge);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_blanks_and_empty_lines_do_not_count),
		cmocka_unit_test(a_torrent_is_40_hex_digits_of_either_case),
		cmocka_unit_test(a_bad_line_is_named),
		cmocka_unit_test(a_client_is_1_to_20_bytes_that_begin_its_id),
		cmocka_unit_test(the_shorter_of_two_prefixes_says_both),
		cmocka_unit_test(what_is_no_client_is_refused),
		cmocka_unit_test(a_key_is_1_to_64_letters_digits_and_dashes),
		cmocka_unit_test(many_torrents_are_each_found_and_no_others),
		cmocka_unit_test(garbage_is_a_list_or_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
