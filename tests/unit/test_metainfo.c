/*
 * What a torrent must have, and what is read besides.
 */
#include "codec/metainfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "codec/bencode.h"
#include "metainfo_rig.h"

static void
the_info_hash_is_of_the_bytes_as_they_stand(void **state)
{
	const char *odd = "d4:name1:a6:lengthi005e" PL P2 "1:zi1e1:zi2ee";
	struct bt_meta m = with_info("", odd);
	uint8_t want[BT_SHA1_LEN];

	(void)state;
	bt_hash_sha1(bt_str_of(odd), want);
	assert_memory_equal(m.info_hash, want, BT_SHA1_LEN);
	assert_int_equal(
	    m.oddities, BT_BEN_UNSORTED | BT_BEN_DUPLICATE | BT_BEN_ODD_INT);
	bt_meta_fini(&m);
}

static void
what_is_no_torrent_is_said_not_to_be_one(void **state)
{
	const char *const bad[] = { "", "hello", "<html>", "le", "i1e",
		"4:info", "de", "d4:infolee", "d4:infoi1ee", "d4:infode",
		"d1:xd4:info" ONE "ee" };
	struct bt_err err;
	struct bt_meta m;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err = (struct bt_err)BT_ERR_INIT;
		assert_int_equal(
		    bt_meta_parse(bt_str_of(bad[i]), &m, &err), -1);
		assert_int_equal(err.kind, BT_EINPUT);
		assert_memory_equal(err.text, "not a torrent: ", 15);
	}
}

static void
bytes_after_the_torrent_are_reported(void **state)
{
	struct bt_meta m = parsed(STR("d4:info" ONE "e\r\n"));

	(void)state;
	assert_int_equal(m.oddities, BT_BEN_TRAILING);
	assert_int_equal(m.raw.n, strlen("d4:info" ONE "e\r\n"));
	assert_int_equal(m.info.n, strlen(ONE));
	bt_meta_fini(&m);
}

static void
lengths_must_agree_with_each_other(void **state)
{
	(void)state;
	assert_bad("d6:lengthi-1e4:name1:a" PL P0 "e", BT_EINPUT, "negative");
	assert_bad("d6:length1:54:name1:a" PL P2 "e", BT_EINPUT, "length is");
	assert_bad("d6:lengthi4611686018427387905e4:name1:a" PL P2 "e",
	    BT_ELIMIT, "too large");
	assert_bad(
	    "d4:name1:a" PL P2 "e", BT_EINPUT, "either 'length' or 'files'");
	assert_bad("d5:filesle6:lengthi5e4:name1:a" PL P2 "e", BT_EINPUT,
	    "either 'length' or 'files'");
	assert_bad(MANY(""), BT_EINPUT, "files is empty");
	assert_bad("d5:filesi1e4:name1:a" PL P2 "e", BT_EINPUT, "not a list");
	assert_bad(MANY("d6:lengthi-1e4:pathl1:aee"), BT_EINPUT, "file 1: ");
	assert_bad(MANY("d4:pathl1:aee"), BT_EINPUT, "length is missing");
	assert_bad(MANY("d6:lengthi4611686018427387904e4:pathl1:aee"
			"d6:lengthi4611686018427387904e4:pathl1:bee"),
	    BT_ELIMIT, "overflow");
	assert_bad("d6:lengthi5e4:name1:a" P2 "e", BT_EINPUT, "piece length");
	assert_bad("d6:lengthi5e4:name1:a12:piece lengthi0e" P2 "e", BT_EINPUT,
	    "piece length");
	assert_bad("d6:lengthi5e4:name1:a12:piece lengthi-4e" P2 "e", BT_EINPUT,
	    "piece length");
	assert_bad("d6:lengthi5e4:name1:a12:piece lengthi1073741825e" P1 "e",
	    BT_ELIMIT, "piece length");
	assert_bad("d6:lengthi5e4:name1:a12:piece lengthi4294967300e" P2 "e",
	    BT_ELIMIT, "piece length");
	assert_bad(
	    "d6:lengthi5e4:name1:a" PL "e", BT_EINPUT, "no piece hashes");
	assert_bad("d6:lengthi5e4:name1:a" PL "6:piecesi1ee", BT_EINPUT,
	    "no piece hashes");
	assert_bad("d6:lengthi5e4:name1:a" PL "6:pieces39:" H20
		   "aaaaaaaaaaaaaaaaaaae",
	    BT_EINPUT, "multiple of 20");
	assert_bad("d6:lengthi5e4:name1:a" PL P1 "e", BT_EINPUT,
	    "1 piece hashes where the sizes need 2");
	assert_bad("d6:lengthi5e4:name1:a" PL P3 "e", BT_EINPUT,
	    "3 piece hashes where the sizes need 2");
	assert_bad("d6:lengthi4e4:name1:a" PL P2 "e", BT_EINPUT,
	    "2 piece hashes where the sizes need 1");
	assert_bad("d6:lengthi4611686018427387904e4:name1:a" PL P2 "e",
	    BT_EINPUT, "need 1152921504606846976");
}

static void
an_empty_file_has_no_pieces(void **state)
{
	struct bt_meta m = with_info("", "d6:lengthi0e4:name1:a" PL P0 "e");

	(void)state;
	assert_int_equal(m.pieces, 0);
	assert_true(m.size == 0);
	assert_int_equal(m.files->n, 1);
	bt_meta_fini(&m);
	m = with_info(
	    "", "d5:filesld6:lengthi0e4:pathl1:xeee4:name1:d" PL P0 "e");
	assert_int_equal(m.pieces, 0);
	assert_false(m.single);
	bt_meta_fini(&m);
}

static void
the_last_piece_may_be_short_or_whole(void **state)
{
	struct bt_meta m = with_info("", ONE);

	(void)state;
	assert_int_equal(m.pieces, 2);
	assert_true(m.size == 5);
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE8("1:a")));
	assert_int_equal(m.pieces, 2);
	assert_true(m.size == 8);
	bt_meta_fini(&m);
}

/* BEP 12: with an announce-list, announce itself is not looked at. */
static void
trackers_come_in_tiers_and_malformed_ones_are_skipped(void **state)
{
	struct bt_meta m = with_info("8:announce1:x13:announce-listl"
				     "l3:u1 0:i1ee"
				     "le"
				     "1:y"
				     "li1ee"
				     "l2:u22:u3e"
				     "i7e"
				     "e",
	    ONE);

	(void)state;
	assert_str(m.announce, "x");
	assert_int_equal(m.ntrackers, 3);
	assert_tracker(&m, 0, "u1", 0);
	assert_tracker(&m, 1, "u2", 1);
	assert_tracker(&m, 2, "u3", 1);
	bt_meta_fini(&m);
	m = with_info("8:announce3: x\n13:announce-listllee", ONE);
	assert_int_equal(m.ntrackers, 1);
	assert_tracker(&m, 0, "x", 0);
	bt_meta_fini(&m);
	m = with_info("8:announce0:13:announce-list1:x", ONE);
	assert_int_equal(m.ntrackers, 0);
	bt_meta_fini(&m);
}

static void
a_torrent_needs_nothing_but_its_info(void **state)
{
	struct bt_meta m = with_info("", ONE);

	(void)state;
	assert_int_equal(m.announce.n, 0);
	assert_int_equal(m.comment.n, 0);
	assert_int_equal(m.created_by.n, 0);
	assert_int_equal(m.encoding.n, 0);
	assert_int_equal(m.source.n, 0);
	assert_true(m.creation_date == -1);
	assert_int_equal(m.ntrackers, 0);
	assert_int_equal(m.nweb_seeds, 0);
	assert_int_equal(m.nhttp_seeds, 0);
	assert_int_equal(m.nnodes, 0);
	assert_false(m.private_);
	bt_meta_fini(&m);
}

static void
facts_of_the_wrong_type_are_absent(void **state)
{
	struct bt_meta m = with_info("8:announcei1e7:commentle10:created byi1e"
				     "13:creation date3:now8:encodingde"
				     "9:httpseedsi1e5:nodes1:x8:url-listi1e",
	    "d6:lengthi5e4:name1:a" PL P2 "7:private1:16:sourcei1ee");

	(void)state;
	assert_int_equal(m.comment.n + m.created_by.n + m.encoding.n, 0);
	assert_true(m.creation_date == -1);
	assert_int_equal(m.ntrackers + m.nnodes, 0);
	assert_int_equal(m.nweb_seeds + m.nhttp_seeds, 0);
	assert_int_equal(m.source.n, 0);
	assert_false(m.private_);
	bt_meta_fini(&m);
	m = with_info("13:creation datei-5e",
	    "d6:lengthi5e4:name1:a" PL P2 "7:privatei1e6:source1:se");
	assert_true(m.creation_date == -1);
	assert_true(m.private_);
	assert_str(m.source, "s");
	bt_meta_fini(&m);
	m = with_info("", "d6:lengthi5e4:name1:a" PL P2 "7:privatei0ee");
	assert_false(m.private_);
	bt_meta_fini(&m);
}

/* BEP 19: url-list is a string or a list. BEP 5: nodes are [host, port]. */
static void
seeds_and_nodes_are_read_as_they_come(void **state)
{
	struct bt_meta m = with_info("5:nodesll1:hi1eel1:hi0eel1:hi65536ee"
				     "l0:i1eeli1ei1eel1:heli1eei1el1:gi9ei9eee"
				     "8:url-list10:http://w/ ",
	    ONE);

	(void)state;
	assert_int_equal(m.nweb_seeds, 1);
	assert_str(m.web_seeds[0], "http://w/");
	assert_int_equal(m.nnodes, 2);
	assert_str(m.nodes[0].host, "h");
	assert_int_equal(m.nodes[0].port, 1);
	assert_str(m.nodes[1].host, "g");
	assert_int_equal(m.nodes[1].port, 9);
	bt_meta_fini(&m);
	m = with_info("9:httpseedsl1:ae8:url-listl1:b0:i1e1:ce", ONE);
	assert_int_equal(m.nhttp_seeds, 1);
	assert_int_equal(m.nweb_seeds, 2);
	assert_str(m.web_seeds[1], "c");
	bt_meta_fini(&m);
	m = with_info("8:url-list0:", ONE);
	assert_int_equal(m.nweb_seeds, 0);
	bt_meta_fini(&m);
}

static void
trackers_beyond_the_limit_are_dropped(void **state)
{
	const unsigned n = BT_META_LINKS_MAX + 10;
	struct bt_meta m;
	struct bt_buf b;

	(void)state;
	bt_buf_init(&b, 1 << 20);
	bt_buf_puts(&b, "d13:announce-listl");
	for (unsigned i = 0; i < n; i++)
		bt_buf_printf(&b, "l6:u%05ue", i);
	bt_buf_puts(&b, "e4:info" ONE "e");
	m = parsed(bt_buf_str(&b));
	assert_int_equal(m.ntrackers, BT_META_LINKS_MAX);
	assert_tracker(&m, 4095, "u04095", 4095);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
a_torrent_beyond_the_ceiling_is_not_read(void **state)
{
	const size_t n = (size_t)BT_META_BYTES_MAX + 1;
	struct bt_err err = BT_ERR_INIT;
	uint8_t *in = bt_mem_zero(n, 1);
	struct bt_meta m;

	(void)state;
	assert_int_equal(bt_meta_parse((struct bt_str){ in, n }, &m, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	bt_mem_free(in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_info_hash_is_of_the_bytes_as_they_stand),
		cmocka_unit_test(what_is_no_torrent_is_said_not_to_be_one),
		cmocka_unit_test(bytes_after_the_torrent_are_reported),
		cmocka_unit_test(lengths_must_agree_with_each_other),
		cmocka_unit_test(an_empty_file_has_no_pieces),
		cmocka_unit_test(the_last_piece_may_be_short_or_whole),
		cmocka_unit_test(
		    trackers_come_in_tiers_and_malformed_ones_are_skipped),
		cmocka_unit_test(a_torrent_needs_nothing_but_its_info),
		cmocka_unit_test(facts_of_the_wrong_type_are_absent),
		cmocka_unit_test(seeds_and_nodes_are_read_as_they_come),
		cmocka_unit_test(trackers_beyond_the_limit_are_dropped),
		cmocka_unit_test(a_torrent_beyond_the_ceiling_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
