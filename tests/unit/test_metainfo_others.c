/*
 * Torrents that other programs made, of both versions, whole and damaged. What
 * those programs say of them is in tests/data/torrents/README.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "edge.h"
#include "metainfo_rig.h"

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
assert_root(const uint8_t *root, const char *want)
{
	char hex[2 * BT_SHA256_LEN + 1];

	assert_non_null(root);
	bt_str_hex((struct bt_str){ root, BT_SHA256_LEN }, hex);
	assert_string_equal(hex, want);
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
	assert_true(m.size == 94787);
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
the_roots_of_a_hybrid_are_with_its_v1_files(void **state)
{
	struct bt_buf b = slurp("libtorrent-hybrid");
	struct bt_meta m = parsed(bt_buf_str(&b));
	uint32_t bytes;
	unsigned height;

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
	assert_root(bt_meta_piece_root(&m, 0, &bytes, &height),
	    "3e3919efec61528963cb268b48bf26d7"
	    "704350951b0433a6a49578d5e019a356");
	assert_int_equal(bytes, 16384);
	assert_int_equal(height, 0);
	assert_root(bt_meta_piece_root(&m, 3, &bytes, &height),
	    "7b93d01f4291312c085670b1b4afc9b0"
	    "86eee59e90fd236e896ab55c5ea3aac8");
	assert_int_equal(bytes, 60894 - 3 * 16384);
	assert_root(bt_meta_piece_root(&m, 6, &bytes, &height),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
