#include "job.h"

#include <string.h>

#include "base/mem.h"
#include "cli/signal.h"
#include "codec/magnet.h"
#include "info.h"

static int
tell(struct job *job, const struct info *in, struct bt_err *err)
{
	struct bt_out *o = &job->cli.out;

	switch (job->mode) {
	case CHECK:
		bt_signal_catch(); /* from here on ^C wipes the progress line */
		return info_check(
		    in, job->path, job->fail_fast, &job->cli, err);
	case FIND:
		bt_signal_catch();
		return info_find(in, job->path, &job->cli, err);
	case SEEDS:
		return info_seeds(in, job->timeout_us, &job->cli, err);
	case LIST:
		info_list(in, o, job->nul);
		break;
	case TREE:
		info_tree(in, o);
		break;
	case PRINT:
		for (size_t i = 0; i < job->nfields; i++)
			info_print_field(in, o, job->fields[i]);
		break;
	default:
		if (job->cli.json) {
			info_json(in, o);
			break;
		}
		if (job->again)
			bt_out_raw(o, STR("\n"));
		info_show(in, o);
		job->again = true;
	}
	return 0;
}

static void
put_hashes(struct info *in)
{
	if (in->meta.has_v1)
		bt_str_hex((struct bt_str){ in->meta.info_hash, BT_SHA1_LEN },
		    in->hash);
	if (in->meta.has_v2)
		bt_str_hex(
		    (struct bt_str){ in->meta.info_hash_v2, BT_SHA256_LEN },
		    in->hash_v2);
}

/* As much of a torrent as the link says: its lists stay the link's. */
static int
run_link(struct job *job, const char *operand, struct bt_err *err)
{
	struct info in = { .operand = operand };
	struct bt_magnetread link;
	struct bt_str url = bt_str_of(operand);
	int rc;

	if (job->mode != SHOW && job->mode != PRINT)
		return bt_err_set(err, BT_EINPUT,
		    "'%s' is a link, and only a torrent has files", operand);
	if (bt_magnetread_parse(url, &link, err) == -1)
		return bt_err_prefix(err, "'%s'", operand);
	in.link = &link;
	in.meta.has_v1 = link.has_v1;
	in.meta.has_v2 = link.has_v2;
	memcpy(in.meta.info_hash, link.info_hash, BT_SHA1_LEN);
	memcpy(in.meta.info_hash_v2, link.info_hash_v2, BT_SHA256_LEN);
	in.meta.name = link.name;
	in.meta.files = bt_filetab_new(); /* it tells of none */
	in.meta.web_seeds = link.web_seeds.items;
	in.meta.nweb_seeds = (uint32_t)link.web_seeds.n;
	in.meta.ntrackers = (uint32_t)link.trackers.n;
	in.meta.trackers =
	    bt_mem_zero(link.trackers.n, sizeof(*in.meta.trackers));
	for (uint32_t i = 0; i < in.meta.ntrackers; i++)
		in.meta.trackers[i] =
		    (struct bt_meta_tracker){ link.trackers.items[i], i };
	put_hashes(&in);
	bt_buf_init(&in.magnet, BT_MAGNET_MAX);
	bt_buf_add(&in.magnet, url);
	rc = tell(job, &in, err);
	bt_buf_fini(&in.magnet);
	bt_mem_free(in.meta.trackers);
	bt_filetab_free(in.meta.files);
	bt_magnetread_fini(&link);
	return rc;
}

int
job_run_bytes(struct job *job, const char *operand, struct bt_str bytes,
    struct bt_err *err)
{
	struct info in = { .operand = operand };
	int rc;

	if (job->mode == LINT)
		return info_lint(bytes, operand, job->strict, &job->cli, err);
	if (bt_meta_parse(bytes, &in.meta, err) == -1)
		return bt_err_prefix(err, "'%s'", operand);
	put_hashes(&in);
	for (uint32_t i = 0; i < in.meta.files->n; i++)
		in.listed += info_is_listed(&in, i);
	bt_buf_init(&in.magnet, BT_MAGNET_MAX);
	bt_magnet_put(&in.meta, &in.magnet);
	rc = tell(job, &in, err);
	bt_buf_fini(&in.magnet);
	bt_meta_fini(&in.meta);
	return rc;
}

int
job_run(struct job *job, const char *operand, struct bt_err *err)
{
	struct bt_buf bytes;
	int rc;

	if (bt_magnetread_is(bt_str_of(operand)))
		return run_link(job, operand, err);
	rc = bt_input_torrent(&job->input, operand, &bytes, err);
	if (rc == 0)
		rc = job_run_bytes(job, operand, bt_buf_str(&bytes), err);
	bt_buf_fini(&bytes);
	return rc;
}
