#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/json.h"

struct sink {
	struct bt_out out;
	char *text;
	size_t n;
	FILE *fp;
};

static void
begin(struct sink *s)
{
	s->fp = open_memstream(&s->text, &s->n);
	assert_non_null(s->fp);
	s->out = (struct bt_out){ .fp = s->fp };
}

static void
end(struct sink *s)
{
	fclose(s->fp);
	free(s->text);
}

static void
containers_nest_and_commas_stand_between(void **state)
{
	struct sink s;
	struct bt_json j;

	(void)state;
	begin(&s);
	bt_json_begin(&j, &s.out);
	bt_json_int(&j, "a", -5);
	bt_json_open(&j, "b", '[');
	bt_json_open(&j, NULL, '[');
	bt_json_close(&j);
	bt_json_bool(&j, NULL, true);
	bt_json_open(&j, NULL, '{');
	bt_json_null(&j, "c");
	bt_json_close(&j);
	bt_json_close(&j);
	bt_json_cstr(&j, "d", "e");
	assert_int_equal(bt_json_end(&j), 0);
	assert_string_equal(s.text,
	    "{\"a\": -5, \"b\": [[], true, {\"c\": null}], \"d\": \"e\"}\n");
	end(&s);
}

/* Write s as the value of "k" and let a JSON parser read it. */
static void
assert_reads_back(struct bt_str s, struct bt_str want)
{
	struct sink sink;
	struct bt_json j;
	json_error_t error;
	json_t *root, *v;

	begin(&sink);
	bt_json_begin(&j, &sink.out);
	bt_json_str(&j, "k", s);
	bt_json_end(&j);
	root = json_loadb(sink.text, sink.n, JSON_ALLOW_NUL, &error);
	assert_non_null(root);
	v = json_object_get(root, "k");
	assert_int_equal(json_string_length(v), want.n);
	assert_memory_equal(json_string_value(v), want.p, want.n);
	json_decref(root);
	end(&sink);
}

static void
any_bytes_make_valid_json(void **state)
{
	uint8_t pair[2];

	(void)state;
	assert_reads_back(STR("plain"), STR("plain"));
	assert_reads_back(STR(""), STR(""));
	assert_reads_back(STR("\"\\\n\t\033\0x"), STR("\"\\\n\t\033\0x"));
	assert_reads_back(STR("\xe2\x82\xac"), STR("\xe2\x82\xac"));
	assert_reads_back(STR("a\xff\xe2\x82"), STR("a\\xff\\xe2\\x82"));
	assert_reads_back(STR("\xed\xa0\x80"), STR("\\xed\\xa0\\x80"));
	for (unsigned i = 0; i < 65536; i += 7) {
		struct sink s;
		struct bt_json j;
		json_t *root;

		pair[0] = (uint8_t)(i >> 8);
		pair[1] = (uint8_t)i;
		begin(&s);
		bt_json_begin(&j, &s.out);
		bt_json_str(&j, "k", (struct bt_str){ pair, 2 });
		bt_json_end(&j);
		root = json_loadb(s.text, s.n, JSON_ALLOW_NUL, NULL);
		assert_non_null(root);
		json_decref(root);
		end(&s);
	}
}

static void
numbers_keep_their_value_and_infinity_is_null(void **state)
{
	struct sink s;
	struct bt_json j;

	(void)state;
	begin(&s);
	bt_json_begin(&j, &s.out);
	bt_json_int(&j, "max", INT64_MAX);
	bt_json_real(&j, "half", 0.5);
	bt_json_real(&j, "inf", 1e308 * 10);
	bt_json_end(&j);
	assert_string_equal(s.text, "{\"max\": 9223372036854775807, "
				    "\"half\": 0.5, \"inf\": null}\n");
	end(&s);
}

static void
an_event_has_its_name_and_the_time_of_day(void **state)
{
	struct sink s;
	struct bt_json j;
	json_t *root;
	double t, before = (double)time(NULL);

	(void)state;
	begin(&s);
	bt_json_event(&j, &s.out, "piece");
	bt_json_end(&j);
	root = json_loads(s.text, 0, NULL);
	assert_non_null(root);
	assert_string_equal(
	    json_string_value(json_object_get(root, "event")), "piece");
	t = json_real_value(json_object_get(root, "time"));
	assert_true(t >= before && t <= (double)time(NULL) + 1);
	json_decref(root);
	end(&s);
}

static void
an_error_has_its_class_and_sentence(void **state)
{
	struct bt_err err = BT_ERR_INIT;
	struct sink s;
	struct bt_json j;

	(void)state;
	bt_err_set(&err, BT_EREFUSED, "no");
	begin(&s);
	bt_json_begin(&j, &s.out);
	bt_json_err(&j, &err);
	bt_json_end(&j);
	assert_string_equal(
	    s.text, "{\"class\": \"refused\", \"message\": \"no\"}\n");
	end(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_nest_and_commas_stand_between),
		cmocka_unit_test(any_bytes_make_valid_json),
		cmocka_unit_test(numbers_keep_their_value_and_infinity_is_null),
		cmocka_unit_test(an_event_has_its_name_and_the_time_of_day),
		cmocka_unit_test(an_error_has_its_class_and_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
