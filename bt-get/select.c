#include "get.h"

#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"
#include "cli/value.h"

/* Files are numbered as bt-info -l shows them: padding does not count. */
static uint32_t
number_files(const struct bt_layout *l, uint32_t *number)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->files->n; i++)
		number[i] = (l->files->at[i].attr & BT_META_PAD) ? 0 : ++n;
	return n;
}

static bool
is_ranges(const char *s)
{
	return s[0] != '\0' && s[strspn(s, "0123456789,-")] == '\0';
}

static int
by_number(struct get *g, const char *s, const uint32_t *number, uint32_t n,
    struct bt_err *err)
{
	const struct bt_layout *l = g->m.layout;
	const char *at = s;
	uint64_t from, to;
	int rc;

	while ((rc = bt_value_next_range(&at, &from, &to, err)) == 1) {
		if (from > n || (to != UINT64_MAX && to > n))
			return bt_err_set(err, BT_EUSAGE,
			    "cannot select '%s': the torrent has %u files", s,
			    n);
		for (uint32_t i = 0; i < l->files->n; i++)
			if (number[i] >= from && number[i] <= to &&
			    number[i] != 0)
				bt_bits_put(&g->selected, i);
	}
	return rc;
}

/* A glob is of the whole path, without the torrent's own name, or the last
 * component of it. */
static int
by_glob(struct get *g, const char *glob, struct bt_err *err)
{
	const struct bt_layout *l = g->m.layout;
	uint32_t found = 0;

	for (uint32_t i = 0; i < l->files->n; i++) {
		const char *path =
		    (const char *)bt_filetab_get(l->files, i).path.p;

		if (!(l->files->at[i].attr & BT_META_PAD) &&
		    (fnmatch(glob, path, 0) == 0 ||
			fnmatch(glob, bt_str_leaf(path), 0) == 0)) {
			bt_bits_put(&g->selected, i);
			found++;
		}
	}
	if (found == 0)
		return bt_err_set(
		    err, BT_EANSWER, "no file matches '%s'", glob);
	return 0;
}

int
select_files(struct get *g, struct bt_err *err)
{
	const struct bt_layout *l = g->m.layout;
	uint32_t *number = bt_mem_array(l->files->n, sizeof(*number));
	uint32_t n = number_files(l, number);
	int rc = 0;

	bt_bits_init(&g->selected, l->files->n);
	if (g->conf->nselects == 0) {
		for (uint32_t i = 0; i < l->files->n; i++)
			if (number[i] != 0)
				bt_bits_put(&g->selected, i);
	}
	for (size_t i = 0; rc == 0 && i < g->conf->nselects; i++) {
		const char *s = g->conf->selects[i];

		rc = is_ranges(s) ? by_number(g, s, number, n, err)
				  : by_glob(g, s, err);
	}
	bt_mem_free(number);
	return rc;
}
