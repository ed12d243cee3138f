/* The files of a torrent, a line each. */
#include <inttypes.h>

#include "info.h"

static void
line(struct bt_out *o, uint64_t index, const struct bt_file *f)
{
	char size[BT_OUT_SIZE_LEN];

	if (o->tty)
		bt_out_printf(o, "%6" PRIu64 "  %10s  ", index,
		    bt_out_size(size, f->size));
	else
		bt_out_printf(o, "%" PRIu64 "\t%" PRIu64 "\t", index, f->size);
	bt_out_name(o, f->path);
	bt_out_raw(o, STR("\n"));
}

void
info_list(const struct info *in, struct bt_out *o, bool nul)
{
	struct bt_file f;
	uint64_t index = 0;

	for (uint32_t i = 0; i < in->meta.files->n; i++) {
		if (!info_is_listed(in, i))
			continue;
		index++;
		f = bt_filetab_get(in->meta.files, i);
		if (nul) {
			bt_out_raw(o, f.path);
			bt_out_raw(o, STR("\0"));
		} else {
			line(o, index, &f);
		}
	}
}
