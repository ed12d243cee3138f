#include "lists.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/htab.h"
#include "base/mem.h"

#define ID_LEN 20u
#define SHOWN_MAX 80 /* of a bad line, in the sentence about it */

struct prefix {
	uint8_t bytes[ID_LEN];
	size_t n;
};

struct bt_list {
	enum bt_lists_kind kind;
	struct bt_htab *set; /* of torrents or keys, these padded with 0 */
	/* of clients, sorted; none begins with another one */
	struct prefix *prefixes;
	size_t nprefixes, prefixes_cap;
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The next line of *text without its end. */
static struct bt_str
take_line(struct bt_str *text)
{
	size_t end = bt_str_find(*text, '\n');
	struct bt_str line = bt_str_sub(*text, 0, end);

	*text = bt_str_sub(*text, end < text->n ? end + 1 : end, text->n);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* Rule 1: the entry of a line, or nothing. No kind of entry has blanks. */
static struct bt_str
entry_of(struct bt_str line)
{
	size_t n;

	while (line.n > 0 && is_blank(line.p[0]))
		line = bt_str_sub(line, 1, line.n);
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || is_blank(line.p[i - 1]))) {
			line.n = i;
			break;
		}
	n = line.n;
	while (n > 0 && is_blank(line.p[n - 1]))
		n--;
	return bt_str_sub(line, 0, n);
}

static int
add_torrent(struct bt_list *l, struct bt_str entry)
{
	uint8_t hash[20];

	if (bt_str_unhex(entry, hash, sizeof(hash)) == -1)
		return -1;
	bt_htab_put(l->set, hash, l);
	return 0;
}

/* Rule 3: the bytes that an entry names. */
static int
read_prefix(struct bt_str entry, struct prefix *p)
{
	*p = (struct prefix){ .n = 0 };
	for (size_t i = 0; i < entry.n; i++) {
		if (p->n == ID_LEN || entry.p[i] <= ' ' || entry.p[i] >= 0x7f)
			return -1;
		p->bytes[p->n] = entry.p[i];
		if (entry.p[i] == '%') {
			if (entry.n - i < 3 ||
			    bt_str_unhex(bt_str_sub(entry, i + 1, i + 3),
				&p->bytes[p->n], 1) == -1)
				return -1;
			i += 2;
		}
		p->n++;
	}
	return 0;
}

static int
add_client(struct bt_list *l, struct bt_str entry)
{
	struct prefix p;

	if (read_prefix(entry, &p) == -1)
		return -1;
	if (l->nprefixes == l->prefixes_cap) {
		l->prefixes_cap =
		    l->prefixes_cap == 0 ? 16 : l->prefixes_cap * 2;
		l->prefixes = bt_mem_resize(
		    l->prefixes, l->prefixes_cap, sizeof(*l->prefixes));
	}
	l->prefixes[l->nprefixes++] = p;
	return 0;
}

static bool
is_key(struct bt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
			(s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			(s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' ||
			s.p[i] == '_'))
			return false;
	return s.n > 0 && s.n <= BT_LISTS_KEY_MAX;
}

static int
add_key(struct bt_list *l, struct bt_str entry)
{
	uint8_t key[BT_LISTS_KEY_MAX] = { 0 };

	if (!is_key(entry))
		return -1;
	memcpy(key, entry.p, entry.n);
	bt_htab_put(l->set, key, l);
	return 0;
}

static int
add(struct bt_list *l, struct bt_str entry)
{
	switch (l->kind) {
	case BT_LISTS_TORRENTS:
		return add_torrent(l, entry);
	case BT_LISTS_CLIENTS:
		return add_client(l, entry);
	case BT_LISTS_KEYS:
		return add_key(l, entry);
	}
	return -1;
}

static struct bt_str
str_of(const struct prefix *p)
{
	return (struct bt_str){ p->bytes, p->n };
}

static int
by_bytes(const void *a, const void *b)
{
	return bt_str_cmp(str_of(a), str_of(b));
}

/*
 * Sort, and leave out what begins with another one, since that says it too. The
 * one prefix that may be an id's is then the last that does not come after it.
 */
static void
settle(struct bt_list *l)
{
	size_t n = 0;

	if (l->nprefixes == 0)
		return;
	qsort(l->prefixes, l->nprefixes, sizeof(*l->prefixes), by_bytes);
	for (size_t i = 0; i < l->nprefixes; i++)
		if (n == 0 || !bt_str_starts(str_of(&l->prefixes[i]),
				  str_of(&l->prefixes[n - 1])))
			l->prefixes[n++] = l->prefixes[i];
	l->nprefixes = n;
}

int
bt_lists_parse(struct bt_list **out, enum bt_lists_kind kind,
    const uint8_t secret[16], const char *name, struct bt_str text,
    struct bt_err *err)
{
	static const char *const what[] = {
		[BT_LISTS_TORRENTS] = "an info-hash of 40 hex digits",
		[BT_LISTS_CLIENTS] = "the beginning of a peer id",
		[BT_LISTS_KEYS] = "a key of 1 to 64 letters, digits, - and _",
	};
	struct bt_list *l = bt_mem_zero(1, sizeof(*l));
	struct bt_str entry;
	char shown[SHOWN_MAX];

	l->kind = kind;
	if (kind != BT_LISTS_CLIENTS)
		l->set = bt_htab_new(
		    kind == BT_LISTS_KEYS ? BT_LISTS_KEY_MAX : 20, secret);
	for (size_t line = 1; text.n > 0; line++) {
		entry = entry_of(take_line(&text));
		if (entry.n == 0 || add(l, entry) == 0)
			continue;
		bt_lists_free(l);
		bt_str_printable(entry, shown, sizeof(shown));
		return bt_err_set(err, BT_EINPUT,
		    "bad line %zu in '%s': '%s' is not %s", line, name, shown,
		    what[kind]);
	}
	settle(l);
	*out = l;
	return 0;
}

void
bt_lists_free(struct bt_list *l)
{
	if (l == NULL)
		return;
	bt_htab_free(l->set);
	bt_mem_free(l->prefixes);
	bt_mem_free(l);
}

size_t
bt_lists_count(const struct bt_list *l)
{
	return l->set != NULL ? bt_htab_count(l->set) : l->nprefixes;
}

bool
bt_lists_has_torrent(const struct bt_list *l, const uint8_t info_hash[20])
{
	assert(l->kind == BT_LISTS_TORRENTS);
	return bt_htab_get(l->set, info_hash) != NULL;
}

bool
bt_lists_has_client(const struct bt_list *l, const uint8_t peer_id[20])
{
	struct bt_str id = { peer_id, ID_LEN };
	size_t from = 0, to = l->nprefixes, mid;

	assert(l->kind == BT_LISTS_CLIENTS);
	while (from < to) {
		mid = from + (to - from) / 2;
		if (bt_str_cmp(str_of(&l->prefixes[mid]), id) <= 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from > 0 && bt_str_starts(id, str_of(&l->prefixes[from - 1]));
}

bool
bt_lists_has_key(const struct bt_list *l, struct bt_str key)
{
	uint8_t padded[BT_LISTS_KEY_MAX] = { 0 };

	assert(l->kind == BT_LISTS_KEYS);
	if (!is_key(key))
		return false;
	memcpy(padded, key.p, key.n);
	return bt_htab_get(l->set, padded) != NULL;
}
