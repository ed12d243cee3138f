/* What codec/lint finds, as lines or as an object. */
#include <inttypes.h>

#include "cli/json.h"
#include "codec/lint.h"
#include "info.h"

struct lint {
	struct bt_cli *cli;
	const char *operand;
	struct bt_json json;
};

static const char *
severity(const struct bt_lint_finding *f)
{
	return f->rule->is_error ? "error" : "warning";
}

static void
put_object(struct bt_json *j, const struct bt_lint_finding *f)
{
	bt_json_open(j, NULL, '{');
	bt_json_cstr(j, "id", f->rule->id);
	bt_json_cstr(j, "severity", severity(f));
	bt_json_int(j, "offset", (int64_t)f->at);
	bt_json_cstr(j, "where", f->where);
	bt_json_cstr(j, "text", f->text);
	bt_json_close(j);
}

static void
put_line(struct lint *l, const struct bt_lint_finding *f)
{
	struct bt_out *o = &l->cli->out;

	bt_out_name(o, bt_str_of(l->operand));
	if (!o->tty) {
		bt_out_printf(
		    o, "\t%s\t%s\t%zu\t", severity(f), f->rule->id, f->at);
		bt_out_name(o, bt_str_of(f->where));
		bt_out_raw(o, STR("\t"));
	} else {
		bt_out_printf(o, ": %s: %s: ", severity(f), f->rule->id);
		bt_out_name(o, bt_str_of(f->where));
		bt_out_printf(
		    o, "%sbyte %zu: ", f->where[0] == '\0' ? "" : ", ", f->at);
	}
	bt_out_name(o, bt_str_of(f->text));
	bt_out_raw(o, STR("\n"));
}

static void
on_finding(void *arg, const struct bt_lint_finding *f)
{
	struct lint *l = arg;

	if (l->cli->json)
		put_object(&l->json, f);
	else if (!l->cli->quiet)
		put_line(l, f);
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static int
verdict(const char *operand, bool strict, const struct bt_lint_totals *t,
    struct bt_err *err)
{
	if (t->errors == 0 && (t->warnings == 0 || !strict))
		return 0;
	if (t->errors == 0)
		return bt_err_set(err, BT_EANSWER,
		    "'%s' has %" PRIu64 " warning%s", operand, t->warnings,
		    plural(t->warnings));
	return bt_err_set(err, BT_EINPUT,
	    "'%s' has %" PRIu64 " error%s and %" PRIu64 " warning%s", operand,
	    t->errors, plural(t->errors), t->warnings, plural(t->warnings));
}

int
info_lint(struct bt_str bytes, const char *operand, bool strict,
    struct bt_cli *cli, struct bt_err *err)
{
	struct lint l = { .cli = cli, .operand = operand };
	struct bt_lint_totals t;

	if (cli->json) {
		bt_json_begin(&l.json, &cli->out);
		bt_json_cstr(&l.json, "torrent", operand);
		bt_json_open(&l.json, "findings", '[');
	}
	bt_lint_run(bytes, on_finding, &l, &t);
	if (cli->json) {
		bt_json_close(&l.json);
		bt_json_int(&l.json, "errors", (int64_t)t.errors);
		bt_json_int(&l.json, "warnings", (int64_t)t.warnings);
		bt_json_int(&l.json, "untold", (int64_t)t.untold);
		bt_json_end(&l.json);
	} else if (t.untold > 0 && !cli->quiet) {
		bt_cli_warn(cli, "'%s': %" PRIu64 " more are not told", operand,
		    t.untold);
	}
	return verdict(operand, strict, &t, err);
}
