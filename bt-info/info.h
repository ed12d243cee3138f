/*
 * info - one torrent that was read, and the ways of telling about it.
 *
 * Touches: stdout, and files in info_check().
 *
 * Used by  bt-info/job.c
 * Tests    tests/e2e/bt-info.bats
 */
#ifndef BT_INFO_INFO_H
#define BT_INFO_INFO_H

#include "cli/json.h"
#include "cli/options.h"
#include "codec/magnetread.h"
#include "codec/metainfo.h"

struct info {
	const char *operand;	/* as the user called it */
	struct bt_meta meta;
	char hash[2 * BT_SHA1_LEN + 1];		/* v1, lower-case hex, or empty */
	char hash_v2[2 * BT_SHA256_LEN + 1];	/* BEP 52, or empty */
	struct bt_buf magnet;
	/*
	 * A magnet link in place of a torrent, or NULL: then meta has no more
	 * than name, hashes, trackers and web seeds. Borrowed.
	 */
	const struct bt_magnetread *link;
	size_t listed;		/* files that people see: padding is not */
};

/* Is it one of the files that people see? */
bool	info_is_listed(const struct info *in, uint32_t file);

/* fields.c: the facts by name. The names, in order, with ", " between. */
void	info_field_names(struct bt_buf *to);
/* How many there are; the number of one, or -1. */
size_t	info_field_count(void);
int	info_field_find(const char *name);
void	info_print_field(const struct info *in, struct bt_out *o, int field);
void	info_show(const struct info *in, struct bt_out *o);
void	info_json(const struct info *in, struct bt_out *o);
/* info_hash and info_hash_v2 into an object; null where there is none. */
void	info_json_hashes(const struct info *in, struct bt_json *j);

/* list.c: INDEX<TAB>SIZE<TAB>PATH, or paths ended by NUL. */
void	info_list(const struct info *in, struct bt_out *o, bool nul);

/* tree.c: SIZE<TAB>PATH of files and folders; drawn on a terminal. */
void	info_tree(const struct info *in, struct bt_out *o);

/* lint.c: all findings on stdout; -1 for errors, and for warnings if strict. */
int	info_lint(struct bt_str bytes, const char *operand, bool strict,
	    struct bt_cli *cli, struct bt_err *err);

/*
 * check.c: compare with the content at path, or on stdin where it is "-".
 * What was found goes to stdout; 0 is whole, -1 is not or could not be read.
 */
int	info_check(const struct info *in, const char *path, bool fail_fast,
	    struct bt_cli *cli, struct bt_err *err);

/*
 * seeds.c: ask each web seed for parts of the content. A line for each on stdout;
 * -1 where one of them does not serve it.
 */
int	info_seeds(const struct info *in, int64_t timeout_us,
	    struct bt_cli *cli, struct bt_err *err);

/* find.c: files of the torrent beneath dir under other names, a line each. */
int	info_find(const struct info *in, const char *dir, struct bt_cli *cli,
	    struct bt_err *err);

#endif
