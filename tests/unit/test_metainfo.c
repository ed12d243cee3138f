#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/bencode.h"
#include "codec/metainfo.h"
#include "edge.h"

#define H20 "aaaaaaaaaaaaaaaaaaaa"
#define P0 "6:pieces0:"
#define P1 "6:pieces20:" H20
#define P2 "6:pieces40:" H20 H20
#define P3 "6:pieces60:" H20 H20 H20
#define PL "12:piece lengthi4e"

/* Info dictionaries: one file of 5 bytes; files of 8 bytes in all. */
#define ONE "d6:lengthi5e4:name1:a" PL P2 "e"
#define MANY(files) "d5:filesl" files "e4:name1:d" PL P2 "e"
#define FILE8(path) "d6:lengthi8e4:pathl" path "ee"
#define FILE4(path) "d6:lengthi4e4:pathl" path "ee"

static struct bt_meta
parsed(struct bt_str in)
{
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;

	if (bt_meta_parse(in, &m, &err) == -1)
		fail_msg("'%.*s': %s", (int)in.n, in.p, err.text);
	return m;
}

/* A torrent of the text of its info dictionary; root goes before it. */
static struct bt_meta
with_info(const char *root, const char *info)
{
	static char text[10000]; /* the views point into it */

	snprintf(text, sizeof(text), "d%s4:info%se", root, info);
	return parsed(bt_str_of(text));
}

static void
assert_str(struct bt_str got, const char *want)
{
	if (!bt_str_eq(got, bt_str_of(want)))
		fail_msg("'%.*s', not '%s'", (int)got.n, got.p, want);
}

/* The torrent of this info dictionary is refused in these words. */
static void
assert_bad(const char *info, enum bt_err_kind kind, const char *words)
{
	char *text = bt_mem_printf("d4:info%se", info);
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;

	if (bt_meta_parse(bt_str_of(text), &m, &err) != -1)
		fail_msg("'%s' passes", text);
	if (err.kind != kind || strstr(err.text, words) == NULL)
		fail_msg("'%s': %d, '%s'", text, err.kind, err.text);
	bt_mem_free(text);
}

/* tests/data/torrents/NAME: borrowed by the meta, so it stays. */
static struct bt_buf
slurp(const char *name)
{
	char *path = bt_mem_printf("tests/data/torrents/%s.torrent", name);
	FILE *f = fopen(path, "rb");
	struct bt_buf b;
	int c;

	if (f == NULL)
		fail_msg("cannot open '%s'", path);
	bt_buf_init(&b, 1 << 16);
	while ((c = getc(f)) != EOF)
		bt_buf_putc(&b, (uint8_t)c);
	fclose(f);
	bt_mem_free(path);
	return b;
}

static void
assert_facts(const struct bt_meta *m, const char *hash, const char *name,
    uint64_t size, uint32_t piece_length, uint32_t pieces, uint32_t nfiles)
{
	char hex[2 * BT_SHA1_LEN + 1];

	bt_str_hex((struct bt_str){ m->info_hash, BT_SHA1_LEN }, hex);
	assert_string_equal(hex, hash);
	assert_str(m->name, name);
	assert_true(m->size == size);
	assert_int_equal(m->piece_length, piece_length);
	assert_int_equal(m->pieces, pieces);
	assert_int_equal(m->files->n, nfiles);
	assert_int_equal(m->oddities, 0);
}

static void
assert_file(const struct bt_meta *m, uint32_t i, const char *path,
    uint64_t size, uint64_t offset, unsigned attr)
{
	assert_in_range(i, 0, m->files->n - 1);
	assert_str(bt_filetab_get(m->files, i).path, path);
	assert_true(bt_filetab_size(m->files, i) == size);
	assert_true(m->files->at[i].offset == offset);
	assert_int_equal(m->files->at[i].attr, attr);
}

static void
assert_tracker(
    const struct bt_meta *m, uint32_t i, const char *url, uint32_t tier)
{
	assert_in_range(i, 0, m->ntrackers - 1);
	assert_str(m->trackers[i].url, url);
	assert_int_equal(m->trackers[i].tier, tier);
}

static void
assert_root(const uint8_t *root, const char *want)
{
	char hex[2 * BT_SHA256_LEN + 1];

	assert_non_null(root);
	bt_str_hex((struct bt_str){ root, BT_SHA256_LEN }, hex);
	assert_string_equal(hex, want);
}

/* What other programs say of these files is in tests/data/torrents/README. */
static void
a_torrent_by_mktorrent_says_what_others_read_in_it(void **state)
{
	struct bt_buf b = slurp("mktorrent");
	struct bt_meta m = parsed(bt_buf_str(&b));

	(void)state;
	assert_facts(&m, "27d2f345e4a1719a1ced6f83f610f5f6210d6839", "album",
	    94787, 32768, 3, 3);
	assert_false(m.single);
	assert_true(m.private_);
	assert_file(&m, 0, "01 first.txt", 60894, 0, 0);
	assert_file(&m, 1, "empty", 0, 60894, 0);
	assert_file(&m, 2,
	    "sub/02 s\xc3\xa9"
	    "cond.txt",
	    33893, 60894, 0);
	assert_str(m.comment, "a comment");
	assert_str(m.created_by, "mktorrent 1.1");
	assert_true(m.creation_date == 1795217505);
	assert_int_equal(m.ntrackers, 3);
	assert_int_equal(m.trackers[0].tier, 0);
	assert_int_equal(m.trackers[1].tier, 0);
	assert_tracker(&m, 2, "udp://c.example:80/announce", 1);
	assert_int_equal(m.nweb_seeds, 1);
	assert_str(m.web_seeds[0], "http://w.example/album/");
	assert_int_equal(bt_meta_piece_size(&m, 0), 32768);
	assert_int_equal(bt_meta_piece_size(&m, 2), 94787 - 2 * 32768);
	assert_true(bt_meta_payload(&m) == 94787);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
a_torrent_by_transmission_says_what_others_read_in_it(void **state)
{
	struct bt_buf b = slurp("transmission");
	struct bt_meta m = parsed(bt_buf_str(&b));

	(void)state;
	assert_facts(&m, "e60512ff3f108c971d6885f79fff347c316486af",
	    "single.txt", 60894, 32768, 2, 1);
	assert_true(m.single);
	assert_false(m.private_);
	assert_file(&m, 0, "single.txt", 60894, 0, 0);
	assert_str(m.announce, "https://t.example/announce");
	assert_int_equal(m.ntrackers, 1);
	assert_tracker(&m, 0, "https://t.example/announce", 0);
	assert_str(m.comment, "one file");
	assert_str(m.encoding, "UTF-8");
	assert_true(m.creation_date == 1795217505);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
a_torrent_by_libtorrent_says_what_others_read_in_it(void **state)
{
	struct bt_buf b = slurp("libtorrent-v1");
	struct bt_meta m = parsed(bt_buf_str(&b));

	(void)state;
	assert_facts(&m, "b82a498958d4de87bd3b88edb15830bb39fc28af", "album",
	    94787, 16384, 6, 3);
	assert_int_equal(m.ntrackers, 2);
	assert_tracker(&m, 0, "http://a.example/announce", 0);
	assert_tracker(&m, 1, "udp://c.example:80/announce", 1);
	assert_int_equal(m.nnodes, 1);
	assert_str(m.nodes[0].host, "dht.example");
	assert_int_equal(m.nodes[0].port, 6881);
	assert_int_equal(m.nweb_seeds, 1);
	assert_str(m.web_seeds[0], "http://w.example/");
	assert_int_equal(m.nhttp_seeds, 1);
	assert_str(m.http_seeds[0], "http://h.example/seed");
	assert_str(m.comment, "from python");
	assert_str(m.created_by, "libtorrent");
	assert_true(m.creation_date == 1700000000);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
a_hybrid_torrent_is_read_as_v1_with_its_padding(void **state)
{
	struct bt_buf b = slurp("libtorrent-hybrid");
	struct bt_meta m = parsed(bt_buf_str(&b));

	(void)state;
	assert_facts(&m, "c46e003ebf521358f26cf541bf1cf0896c30558e", "album",
	    114688, 16384, 7, 5);
	assert_file(&m, 1, ".pad/4642", 4642, 60894, BT_META_PAD);
	assert_file(&m, 3,
	    "sub/02 s\xc3\xa9"
	    "cond.txt",
	    33893, 65536, 0);
	assert_file(&m, 4, ".pad/15259", 15259, 99429, BT_META_PAD);
	assert_true(bt_meta_payload(&m) == 94787);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
assert_v2(const struct bt_meta *m, const char *hash)
{
	char hex[2 * BT_SHA256_LEN + 1];

	assert_true(m->has_v2);
	bt_str_hex((struct bt_str){ m->info_hash_v2, BT_SHA256_LEN }, hex);
	assert_string_equal(hex, hash);
}

static void
the_roots_of_a_hybrid_are_with_its_v1_files(void **state)
{
	struct bt_buf b = slurp("libtorrent-hybrid");
	struct bt_meta m = parsed(bt_buf_str(&b));
	uint32_t bytes;

	(void)state;
	assert_true(m.has_v1);
	assert_v2(&m, "96875a6a2bbf1a9525c657222c05569f"
		      "a29cfadcaed45cc2013a447d2a3b6600");
	assert_ptr_equal(bt_meta_wire_hash(&m), m.info_hash);
	assert_root(m.roots[0].root, "dabe1aa5a9a37e7f1f9d1b17d7372f46"
				     "526836a5b76d0d17874336a7b5872d0a");
	assert_null(m.roots[1].root);
	assert_null(m.roots[2].root);
	assert_root(m.roots[3].root, "b63fae4e3677705c60ad981f8375f826"
				     "3652ee42c68fe1ff8f568d42266a5aa1");
	assert_root(bt_meta_piece_root(&m, 0, &bytes),
	    "3e3919efec61528963cb268b48bf26d7"
	    "704350951b0433a6a49578d5e019a356");
	assert_int_equal(bytes, 16384);
	assert_root(bt_meta_piece_root(&m, 3, &bytes),
	    "7b93d01f4291312c085670b1b4afc9b0"
	    "86eee59e90fd236e896ab55c5ea3aac8");
	assert_int_equal(bytes, 60894 - 3 * 16384);
	assert_root(bt_meta_piece_root(&m, 6, &bytes),
	    "7774da4452855805f2779044346e08bb"
	    "45ef629658aa1067f8609faa3894e5a6");
	assert_int_equal(bytes, 33893 - 2 * 16384);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

static void
a_v2_torrent_has_the_offsets_of_a_hybrid(void **state)
{
	struct bt_buf b = slurp("libtorrent-v2");
	struct bt_meta m = parsed(bt_buf_str(&b));
	static const uint8_t none[BT_SHA1_LEN] = { 0 };

	(void)state;
	assert_false(m.has_v1);
	assert_v2(&m, "347d68b5bd2c46b68fdc07162ac0b791"
		      "06f95809f0c35fdd3b76070edcb81475");
	assert_memory_equal(m.info_hash, none, sizeof(none));
	assert_ptr_equal(bt_meta_wire_hash(&m), m.info_hash_v2);
	assert_null(m.piece_hashes);
	assert_int_equal(m.pieces, 7);
	assert_int_equal(m.files->n, 4);
	assert_str(m.name, "album");
	assert_file(&m, 0, "01 first.txt", 60894, 0, 0);
	assert_file(&m, 1, "empty", 0, 60894, 0);
	assert_file(&m, 2, "", 4642, 60894, BT_META_PAD);
	assert_file(&m, 3,
	    "sub/02 s\xc3\xa9"
	    "cond.txt",
	    33893, 65536, 0);
	assert_true(m.size == 65536 + 33893);
	assert_true(bt_meta_payload(&m) == 94787);
	bt_meta_fini(&m);
	bt_buf_fini(&b);
}

/* Cut anywhere, or with any byte wrong, a torrent ends at the edge of memory. */
static void
no_damage_to_a_torrent_reads_past_its_end(void **state)
{
	struct bt_buf b = slurp("libtorrent-hybrid");
	struct bt_err err = BT_ERR_INIT;
	struct bt_str s, whole = bt_buf_str(&b);
	struct bt_meta m;
	struct edge e;

	(void)state;
	edge_init(&e, b.n);
	for (size_t n = 0; n < whole.n; n++) {
		s = edge_put(&e, bt_str_sub(whole, 0, n));
		assert_int_equal(bt_meta_parse(s, &m, &err), -1);
	}
	for (size_t i = 0; i < whole.n; i++)
		for (const char *c = "0e9-:dl\xff"; *c != '\0'; c++) {
			s = edge_put(&e, whole);
			e.map[e.room - s.n + i] = (uint8_t)*c;
			if (bt_meta_parse(s, &m, &err) == 0)
				bt_meta_fini(&m);
		}
	edge_fini(&e);
	bt_buf_fini(&b);
}

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
unsafe_names_are_refused(void **state)
{
	(void)state;
	assert_bad("d6:lengthi5e4:name0:" PL P2 "e", BT_EINPUT, "name ''");
	assert_bad("d6:lengthi5e4:name1:." PL P2 "e", BT_EINPUT, "name '.'");
	assert_bad("d6:lengthi5e4:name2:.." PL P2 "e", BT_EINPUT, "name '..'");
	assert_bad("d6:lengthi5e4:name2:/a" PL P2 "e", BT_EINPUT, "name '/a'");
	assert_bad(
	    "d6:lengthi5e4:name3:a/b" PL P2 "e", BT_EINPUT, "name 'a/b'");
	assert_bad("d6:lengthi5e4:name2:a/" PL P2 "e", BT_EINPUT, "name 'a/'");
	assert_bad("d6:lengthi5e4:namei1e" PL P2 "e", BT_EINPUT, "no name");
	assert_bad("d6:lengthi5e" PL P2 "e", BT_EINPUT, "no name");
}

static void
unsafe_path_components_are_refused_and_quoted(void **state)
{
	(void)state;
	assert_bad(MANY(FILE8("2:..")), BT_EINPUT,
	    "file 1: unsafe path component '..'");
	assert_bad(MANY(FILE4("1:a") FILE4("1:b2:..1:c")), BT_EINPUT,
	    "file 2: unsafe path component '..'");
	assert_bad(MANY(FILE8("1:.")), BT_EINPUT, "component '.'");
	assert_bad(MANY(FILE8("0:1:a")), BT_EINPUT, "component ''");
	assert_bad(MANY(FILE8("1:a0:")), BT_EINPUT, "component ''");
	assert_bad(MANY(FILE8("4:/etc")), BT_EINPUT, "component '/etc'");
	assert_bad(MANY(FILE8("3:a/b")), BT_EINPUT, "component 'a/b'");
	assert_bad(
	    MANY(FILE8("3:\n/\x1b")), BT_EINPUT, "component '\\x0a/\\x1b'");
	assert_bad(MANY(FILE8("")), BT_EINPUT, "path is empty");
	assert_bad(MANY(FILE8("i1e")), BT_EINPUT, "not a string");
	assert_bad(MANY("d6:lengthi8ee"), BT_EINPUT, "path is missing");
	assert_bad(MANY("d6:lengthi8e4:path1:ae"), BT_EINPUT, "not a list");
	assert_bad(MANY("i1e"), BT_EINPUT, "not a dictionary");
}

static void
only_names_that_can_be_one_component_are_safe(void **state)
{
	char name[BT_META_NAME_MAX + 1];

	(void)state;
	assert_true(bt_meta_is_safe_name(STR("a")));
	assert_true(bt_meta_is_safe_name(STR("...")));
	assert_true(bt_meta_is_safe_name(STR("..a")));
	assert_true(bt_meta_is_safe_name(STR(" \\\n\xff")));
	assert_false(bt_meta_is_safe_name(STR("")));
	assert_false(bt_meta_is_safe_name(STR("a\0")));
	assert_false(bt_meta_is_safe_name(STR("/")));
	memset(name, 'x', sizeof(name));
	assert_true(bt_meta_is_safe_name(
	    (struct bt_str){ (uint8_t *)name, BT_META_NAME_MAX }));
	assert_false(bt_meta_is_safe_name(
	    (struct bt_str){ (uint8_t *)name, BT_META_NAME_MAX + 1 }));
}

/* A file whose name has last_n bytes, so deep in a torrent named "d". */
static int
parse_deep(
    unsigned folders, const char *folder, unsigned last_n, struct bt_err *err)
{
	struct bt_meta m;
	struct bt_buf b;
	int rc;

	bt_buf_init(&b, 100000);
	bt_buf_puts(&b, "d4:infod5:filesld6:lengthi8e4:pathl");
	for (unsigned i = 0; i < folders; i++)
		bt_ben_put_cstr(&b, folder);
	bt_buf_printf(&b, "%u:%0*u", last_n, (int)last_n, 0);
	bt_buf_puts(&b, "eee4:name1:d" PL P2 "ee");
	rc = bt_meta_parse(bt_buf_str(&b), &m, err);
	if (rc == 0)
		bt_meta_fini(&m);
	bt_buf_fini(&b);
	return rc;
}

/* "d/" and 127 times 32 bytes are 4066: 29 more fit in 4095. */
static void
a_path_has_4095_bytes_and_128_components_at_most(void **state)
{
	const char *const long_name = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct bt_err err = BT_ERR_INIT;

	(void)state;
	assert_int_equal(strlen(long_name), 31);
	assert_int_equal(parse_deep(127, long_name, 29, &err), 0);
	assert_int_equal(parse_deep(127, long_name, 30, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
	assert_non_null(strstr(err.text, "longer than"));
	err = (struct bt_err)BT_ERR_INIT;
	assert_int_equal(parse_deep(128, "x", 1, &err), -1);
	assert_int_equal(err.kind, BT_ELIMIT);
}

static void
utf8_variants_win_where_they_are_valid(void **state)
{
	struct bt_meta m;

	(void)state;
	m = with_info(
	    "", "d6:lengthi5e4:name1:a10:name.utf-82:\xc3\xa9" PL P2 "e");
	assert_str(m.name, "\xc3\xa9");
	assert_file(&m, 0, "\xc3\xa9", 5, 0, 0);
	bt_meta_fini(&m);
	m = with_info("", "d6:lengthi5e4:name1:a10:name.utf-81:\xe9" PL P2 "e");
	assert_str(m.name, "a");
	bt_meta_fini(&m);
	m = with_info("", "d6:lengthi5e4:name1:a10:name.utf-82:.." PL P2 "e");
	assert_str(m.name, "a");
	bt_meta_fini(&m);
	m = with_info(
	    "", MANY("d6:lengthi4e4:pathl1:xe10:path.utf-8l1:d2:\xc3\xa9"
		     "ee"
		     "d6:lengthi4e4:pathl1:ye10:path.utf-8l1:d1:\xe9"
		     "ee"));
	assert_file(&m, 0, "d/\xc3\xa9", 4, 0, 0);
	assert_file(&m, 1, "y", 4, 4, 0);
	bt_meta_fini(&m);
	m = with_info("", MANY("d6:lengthi4e4:pathl1:xe10:path.utf-8l2:..ee"
			       "d6:lengthi4e4:pathl1:ye10:path.utf-8lee"));
	assert_file(&m, 0, "x", 4, 0, 0);
	assert_file(&m, 1, "y", 4, 4, 0);
	bt_meta_fini(&m);
	assert_bad(MANY("d6:lengthi8e4:pathl2:..e10:path.utf-8l1:\xff"
			"ee"),
	    BT_EINPUT, "component '..'");
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
	assert_int_equal(bt_meta_piece_size(&m, 0), 4);
	assert_int_equal(bt_meta_piece_size(&m, 1), 1);
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE8("1:a")));
	assert_int_equal(bt_meta_piece_size(&m, 0), 4);
	assert_int_equal(bt_meta_piece_size(&m, 1), 4);
	bt_meta_fini(&m);
}

static void
two_files_may_not_have_one_path(void **state)
{
	struct bt_meta m;

	(void)state;
	assert_bad(MANY(FILE4("1:x1:y") FILE4("1:x1:y")), BT_EINPUT,
	    "two files have the path 'x/y'");
	assert_bad("d5:filesl" FILE4("1:c") FILE4("1:b")
		       FILE4("1:c") "e4:name1:d" PL P3 "e",
	    BT_EINPUT, "the path 'c'");
	m = with_info("", MANY(FILE4("1:x1:y") FILE4("2:xy")));
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE4("1:A") FILE4("1:a"))); /* case */
	bt_meta_fini(&m);
}

/* "a-b" and "a.b" lie between "a" and "a/b" in the order of their bytes. */
static void
a_file_may_not_be_the_folder_of_another(void **state)
{
	const char *const clash = "'a' is both a file and a folder";
	struct bt_meta m;

	(void)state;
	assert_bad(MANY(FILE4("1:a") FILE4("1:a1:b")), BT_EINPUT, clash);
	assert_bad(MANY(FILE4("1:a1:b") FILE4("1:a")), BT_EINPUT, clash);
	assert_bad("d5:filesl" FILE4("1:a") FILE4("3:a-b")
		       FILE4("1:a1:b1:c") "e4:name1:d" PL P3 "e",
	    BT_EINPUT, clash);
	assert_bad("d5:filesl" FILE4("1:a1:b") FILE4("3:a\1b")
		       FILE4("1:a") "e4:name1:d" PL P3 "e",
	    BT_EINPUT, clash);
	m = with_info("", MANY(FILE4("1:a1:b") FILE4("2:ab")));
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE4("1:a") FILE4("2:ab")));
	bt_meta_fini(&m);
	m = with_info("", MANY(FILE4("3:a.b") FILE4("1:a1:b")));
	bt_meta_fini(&m);
}

/* BEP 47. A symlink may leave its length out; padding may leave out its path. */
static void
attributes_are_marked_and_padding_may_repeat_its_path(void **state)
{
	struct bt_meta m =
	    with_info("", "d5:filesl"
			  "d4:attr3:xh?6:lengthi2e4:pathl1:aee"
			  "d4:attr1:p6:lengthi2e4:pathl4:.pad1:2ee"
			  "d6:lengthi2e4:pathl1:bee"
			  "d4:attr1:p6:lengthi2e4:pathl4:.pad1:2ee"
			  "d4:attr1:p6:lengthi3ee"
			  "d4:attr1:l4:pathl1:ce12:symlink pathl1:aee"
			  "e4:name1:d" PL P3 "e");

	(void)state;
	assert_int_equal(m.files->n, 6);
	assert_file(&m, 0, "a", 2, 0, BT_META_EXEC | BT_META_HIDDEN);
	assert_file(&m, 1, ".pad/2", 2, 2, BT_META_PAD);
	assert_file(&m, 3, ".pad/2", 2, 6, BT_META_PAD);
	assert_file(&m, 4, "", 3, 8, BT_META_PAD);
	assert_file(&m, 5, "c", 0, 11, BT_META_LINK);
	assert_true(m.size == 11);
	assert_true(bt_meta_payload(&m) == 4);
	bt_meta_fini(&m);
	assert_bad(MANY("d4:attr1:p6:lengthi8e4:pathl2:..ee"), BT_EINPUT,
	    "component '..'");
	m = with_info(
	    "", "d4:attr1:x6:lengthi5e6:md5sum3:abc4:name1:a" PL P2 "e");
	assert_int_equal(m.files->at[0].attr, BT_META_EXEC);
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

/* Anything quadratic in the number of files would take minutes here. */
static void
a_hundred_thousand_files_in_reverse_order_are_read(void **state)
{
	const unsigned n = 100000;
	struct bt_err err = BT_ERR_INIT;
	struct bt_meta m;
	struct bt_buf b;
	char path[16];

	(void)state;
	for (int twice = 0; twice < 2; twice++) {
		bt_buf_init(&b, 100 * (size_t)n);
		bt_buf_puts(&b, "d4:infod5:filesl");
		for (unsigned i = n; i > 0; i--)
			bt_buf_printf(&b, "d6:lengthi0e4:pathl1:f6:%06uee", i);
		if (twice)
			bt_buf_puts(&b, FILE8("1:f6:050000"));
		else
			bt_buf_puts(&b, FILE8("1:f6:000000"));
		bt_buf_puts(&b, "e4:name1:d" PL P2 "ee");
		if (twice) {
			assert_int_equal(
			    bt_meta_parse(bt_buf_str(&b), &m, &err), -1);
			assert_string_equal(
			    err.text, "two files have the path 'f/050000'");
			bt_buf_fini(&b);
			continue;
		}
		m = parsed(bt_buf_str(&b));
		assert_int_equal(m.files->n, n + 1);
		for (unsigned i = 0; i <= n; i++) {
			snprintf(path, sizeof(path), "f/%06u", n - i);
			assert_str(bt_filetab_get(m.files, i).path, path);
		}
		bt_meta_fini(&m);
		bt_buf_fini(&b);
	}
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
		cmocka_unit_test(
		    a_torrent_by_mktorrent_says_what_others_read_in_it),
		cmocka_unit_test(
		    a_torrent_by_transmission_says_what_others_read_in_it),
		cmocka_unit_test(
		    a_torrent_by_libtorrent_says_what_others_read_in_it),
		cmocka_unit_test(
		    a_hybrid_torrent_is_read_as_v1_with_its_padding),
		cmocka_unit_test(the_roots_of_a_hybrid_are_with_its_v1_files),
		cmocka_unit_test(a_v2_torrent_has_the_offsets_of_a_hybrid),
		cmocka_unit_test(no_damage_to_a_torrent_reads_past_its_end),
		cmocka_unit_test(the_info_hash_is_of_the_bytes_as_they_stand),
		cmocka_unit_test(what_is_no_torrent_is_said_not_to_be_one),
		cmocka_unit_test(bytes_after_the_torrent_are_reported),
		cmocka_unit_test(unsafe_names_are_refused),
		cmocka_unit_test(unsafe_path_components_are_refused_and_quoted),
		cmocka_unit_test(only_names_that_can_be_one_component_are_safe),
		cmocka_unit_test(
		    a_path_has_4095_bytes_and_128_components_at_most),
		cmocka_unit_test(utf8_variants_win_where_they_are_valid),
		cmocka_unit_test(lengths_must_agree_with_each_other),
		cmocka_unit_test(an_empty_file_has_no_pieces),
		cmocka_unit_test(the_last_piece_may_be_short_or_whole),
		cmocka_unit_test(two_files_may_not_have_one_path),
		cmocka_unit_test(a_file_may_not_be_the_folder_of_another),
		cmocka_unit_test(
		    attributes_are_marked_and_padding_may_repeat_its_path),
		cmocka_unit_test(
		    trackers_come_in_tiers_and_malformed_ones_are_skipped),
		cmocka_unit_test(a_torrent_needs_nothing_but_its_info),
		cmocka_unit_test(facts_of_the_wrong_type_are_absent),
		cmocka_unit_test(seeds_and_nodes_are_read_as_they_come),
		cmocka_unit_test(trackers_beyond_the_limit_are_dropped),
		cmocka_unit_test(
		    a_hundred_thousand_files_in_reverse_order_are_read),
		cmocka_unit_test(a_torrent_beyond_the_ceiling_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
