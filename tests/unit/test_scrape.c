#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "codec/scrape.h"
#include "edge.h"

static struct edge edge;

#define HASH                                       \
	"\xc5\x45\x32\x29\x19\x12\xe1\x7b\x09\x1e" \
	"\xb1\x20\xcf\xd0\xe0\x87\x18\x10\xb8\x8f"
#define X20 "xxxxxxxxxxxxxxxxxxxx"
#define Y20 "yyyyyyyyyyyyyyyyyyyy"

static size_t
parsed(struct bt_str body, struct bt_scrape_row *rows, size_t max)
{
	struct bt_err err = BT_ERR_INIT;
	size_t n = 99;

	if (bt_scrape_reply_parse(body, rows, max, &n, &err) == -1)
		fail_msg("%s", err.text);
	return n;
}

static void
assert_row(const struct bt_scrape_row *row, const char *hash, uint32_t complete,
    uint32_t downloaded, uint32_t incomplete)
{
	assert_memory_equal(row->info_hash, hash, 20);
	assert_int_equal(row->complete, complete);
	assert_int_equal(row->downloaded, downloaded);
	assert_int_equal(row->incomplete, incomplete);
}

/* BEP 48's, whose line break and misspelt integers are mended. */
static const char bep_48[] =
    "d5:filesd"
    "20:" X20 "d8:completei11e10:downloadedi13772e10:incompletei19ee"
    "20:" Y20 "d8:completei21e10:downloadedi206e10:incompletei20ee"
    "ee";

/* The same as it is written: BEP 21 adds a field to each row. */
static const char with_downloaders[] =
    "d5:filesd"
    "20:" X20 "d8:completei11e10:downloadedi13772e11:downloadersi19e"
    "10:incompletei19ee"
    "20:" Y20 "d8:completei21e10:downloadedi206e11:downloadersi7e"
    "10:incompletei20ee"
    "ee";

static void
the_example_of_bep_48_reads_and_is_written_with_downloaders(void **state)
{
	struct bt_scrape_row rows[3];
	struct bt_buf out;

	(void)state;
	assert_int_equal(parsed(bt_str_of(bep_48), rows, 3), 2);
	assert_row(&rows[0], X20, 11, 13772, 19);
	assert_row(&rows[1], Y20, 21, 206, 20);
	assert_int_equal(rows[1].downloaders, 20); /* it does not say */
	rows[1].downloaders = 7;
	bt_buf_init(&out, sizeof(with_downloaders) - 1);
	assert_int_equal(bt_scrape_answer_put(&out, rows, 2), 0);
	assert_int_equal(out.n, sizeof(with_downloaders) - 1);
	assert_memory_equal(out.p, with_downloaders, out.n);
	assert_int_equal(parsed(bt_buf_str(&out), rows, 3), 2);
	assert_int_equal(rows[0].downloaders, 19);
	assert_int_equal(rows[1].downloaders, 7);
	bt_buf_fini(&out);
}

/* opentracker 0.0~git20210823 */
static void
a_real_reply_reads(void **state)
{
	struct bt_scrape_row row;

	(void)state;
	assert_int_equal(
	    parsed(STR("d5:filesd20:" HASH
		       "d8:completei1e10:downloadedi1e10:incompletei1eeee"),
		&row, 1),
	    1);
	assert_row(&row, HASH, 1, 1, 1);
}

static void
rows_past_the_room_are_left_out(void **state)
{
	struct bt_scrape_row row;

	(void)state;
	assert_int_equal(parsed(bt_str_of(bep_48), &row, 1), 1);
	assert_row(&row, X20, 11, 13772, 19);
	assert_int_equal(parsed(bt_str_of(bep_48), NULL, 0), 0);
}

static void
rows_that_are_none_are_passed_over(void **state)
{
	struct bt_scrape_row rows[5];

	(void)state;
	assert_int_equal(parsed(STR("d5:filesd"
				    "3:abcd8:completei1ee"
				    "20:" X20 "i5e"
				    "20:" Y20 "de"
				    "ee"),
			     rows, 5),
	    1);
	assert_row(&rows[0], Y20, 0, 0, 0);
}

static void
counts_beyond_reason_are_clamped(void **state)
{
	struct bt_scrape_row row;

	(void)state;
	parsed(STR("d5:filesd20:" X20 "d8:completei-1e"
		   "10:downloadedi1000000000000e10:incomplete2:12eee"),
	    &row, 1);
	assert_row(&row, X20, 0, UINT32_MAX, 0);
}

static void
a_tracker_that_knows_none_says_so_in_two_ways(void **state)
{
	struct bt_scrape_row row;

	(void)state;
	assert_int_equal(parsed(STR("d5:filesdee"), &row, 1), 0);
	assert_int_equal(parsed(STR("d5:fileslee"), &row, 1), 0);
}

static void
assert_refused(struct bt_str body, enum bt_err_kind kind, const char *text)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_scrape_row row;
	size_t n = 99;

	assert_int_equal(bt_scrape_reply_parse(body, &row, 1, &n, &err), -1);
	assert_int_equal(err.kind, kind);
	assert_string_equal(err.text, text);
	assert_int_equal(n, 99);
}

static void
a_failure_reason_is_a_refusal_in_its_words(void **state)
{
	(void)state;
	assert_refused(
	    STR("d14:failure reason6:closede"), BT_EREFUSED, "closed");
	assert_refused(
	    STR("d14:failure reason0:e"), BT_EREFUSED, "no reason given");
	assert_refused(
	    STR("d14:failure reason4:\x1b[0me"), BT_EREFUSED, "\\x1b[0m");
}

static void
what_is_no_scrape_is_refused(void **state)
{
	(void)state;
	assert_refused(STR("de"), BT_ENET, "reply has no 'files'");
	assert_refused(STR("d5:filesi1ee"), BT_ENET, "reply has no 'files'");
	assert_refused(
	    STR("le"), BT_ENET, "reply is not a bencoded dictionary: 'le'");
	assert_refused(STR(""), BT_ENET, "empty reply");
}

static void
no_prefix_of_a_reply_is_taken_for_one(void **state)
{
	struct bt_scrape_row rows[3];

	(void)state;
	for (size_t n = 0; n < sizeof(bep_48) - 1; n++) {
		struct bt_err err = BT_ERR_INIT;
		struct bt_str in =
		    edge_put(&edge, bt_str_sub(bt_str_of(bep_48), 0, n));
		size_t got;

		assert_int_equal(
		    bt_scrape_reply_parse(in, rows, 3, &got, &err), -1);
	}
}

static void
assert_url(const char *base, size_t n, const char *want)
{
	static const uint8_t hashes[2][20] = { HASH, Y20 };
	struct bt_err err = BT_ERR_INIT;
	struct bt_buf out;

	bt_buf_init(&out, strlen(want));
	assert_int_equal(
	    bt_scrape_url(&out, bt_str_of(base), hashes, n, &err), 0);
	assert_int_equal(out.n, strlen(want));
	assert_memory_equal(out.p, want, out.n);
	bt_buf_fini(&out);
	bt_buf_init(&out, strlen(want) - 1);
	assert_int_equal(
	    bt_scrape_url(&out, bt_str_of(base), hashes, n, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	assert_int_equal(out.n, 0);
	bt_buf_fini(&out);
}

#define ESCAPED "%C5E2%29%19%12%E1%7B%09%1E%B1%20%CF%D0%E0%87%18%10%B8%8F"

static void
hashes_are_added_to_the_url_that_is_there(void **state)
{
	(void)state;
	assert_url("http://t/scrape", 1, "http://t/scrape?info_hash=" ESCAPED);
	assert_url("http://t/scrape?pass=a%2fb", 2,
	    "http://t/scrape?pass=a%2fb&info_hash=" ESCAPED "&info_hash=" Y20);
	assert_url("http://t/scrape?k", 0, "http://t/scrape?k");
}

static size_t
queried(const char *query, uint8_t (*hashes)[20], size_t max)
{
	struct bt_str in = edge_put(&edge, bt_str_of(query));
	struct bt_err err = BT_ERR_INIT;
	size_t n = 99;

	if (bt_scrape_query_parse(in, hashes, max, &n, &err) == -1)
		fail_msg("%s", err.text);
	return n;
}

static void
a_query_names_its_hashes(void **state)
{
	uint8_t hashes[3][20];

	(void)state;
	/* transmission-daemon 3.00 */
	assert_int_equal(
	    queried("pass=a%2fb&info_hash="
		    "%c5E2%29%19%12%e1%7b%09%1e%b1%20%cf%d0%e0%87%18%10%b8%8f",
		hashes, 3),
	    1);
	assert_memory_equal(hashes[0], HASH, 20);
	/* BEP 48 */
	assert_int_equal(
	    queried("info_hash=" X20 "&info_hash=" Y20, hashes, 3), 2);
	assert_memory_equal(hashes[0], X20, 20);
	assert_memory_equal(hashes[1], Y20, 20);
	assert_int_equal(
	    queried("info_hash=" X20 "&info_hash=" Y20, hashes, 1), 1);
	assert_int_equal(queried("", hashes, 3), 0);
	assert_int_equal(queried("info=1&x", hashes, 3), 0);
}

static void
a_hash_that_is_not_20_bytes_is_refused(void **state)
{
	static const char *const bad[] = { "info_hash=", "info_hash=abc",
		"info_hash=" X20 "x", "info_hash=%xxxxxxxxxxxxxxxxxxxx",
		"info_hash=" X20 "&info_hash=%4" };
	uint8_t hashes[3][20];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bt_err err = BT_ERR_INIT;
		size_t n = 99;

		assert_int_equal(bt_scrape_query_parse(
				     bt_str_of(bad[i]), hashes, 3, &n, &err),
		    -1);
		assert_int_equal(err.kind, BT_EINPUT);
		assert_string_equal(err.text, "info_hash is not 20 bytes");
		assert_int_equal(n, 99);
	}
}

static void
without_room_no_answer_is_written(void **state)
{
	struct bt_scrape_row rows[2] = { { .info_hash = X20 },
		{ .info_hash = Y20 } };

	(void)state;
	for (size_t max = 0; max < 100; max++) {
		struct bt_buf out;

		bt_buf_init(&out, max);
		assert_int_equal(bt_scrape_answer_put(&out, rows, 2), -1);
		assert_int_equal(out.n, 0);
		bt_buf_fini(&out);
	}
}

static void
an_answer_about_nothing_is_an_empty_dictionary(void **state)
{
	struct bt_buf out;

	(void)state;
	bt_buf_init(&out, 100);
	assert_int_equal(bt_scrape_answer_put(&out, NULL, 0), 0);
	assert_int_equal(out.n, 11);
	assert_memory_equal(out.p, "d5:filesdee", 11);
	bt_buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_example_of_bep_48_reads_and_is_written_with_downloaders),
		cmocka_unit_test(a_real_reply_reads),
		cmocka_unit_test(rows_past_the_room_are_left_out),
		cmocka_unit_test(rows_that_are_none_are_passed_over),
		cmocka_unit_test(counts_beyond_reason_are_clamped),
		cmocka_unit_test(a_tracker_that_knows_none_says_so_in_two_ways),
		cmocka_unit_test(a_failure_reason_is_a_refusal_in_its_words),
		cmocka_unit_test(what_is_no_scrape_is_refused),
		cmocka_unit_test(no_prefix_of_a_reply_is_taken_for_one),
		cmocka_unit_test(hashes_are_added_to_the_url_that_is_there),
		cmocka_unit_test(a_query_names_its_hashes),
		cmocka_unit_test(a_hash_that_is_not_20_bytes_is_refused),
		cmocka_unit_test(without_room_no_answer_is_written),
		cmocka_unit_test(
		    an_answer_about_nothing_is_an_empty_dictionary),
	};
	int rc;

	edge_init(&edge, 4096);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	edge_fini(&edge);
	return rc;
}
