#include "proxy.h"

#include <string.h>

#define MAPPED_BITS 96u /* of ::ffff:a.b.c.d, before the IPv4 address */

int
bt_proxy_trust(struct bt_proxy *p, const char *net, struct bt_err *err)
{
	struct bt_str s = bt_str_of(net), ip;
	size_t slash = bt_str_find(s, '/');
	struct bt_proxy_net got;
	uint64_t bits;
	unsigned most;

	ip = bt_str_sub(s, 0, slash);
	if (bt_addr_parse_ip(ip, &got.addr) == -1)
		return bt_err_set(
		    err, BT_EUSAGE, "'%s' is not ADDR or ADDR/BITS", net);
	most = bt_str_find(ip, ':') == ip.n ? 32 : 128;
	bits = most;
	if (slash < s.n &&
	    (bt_str_u64(bt_str_sub(s, slash + 1, s.n), &bits) == -1 ||
		bits > most))
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' does not end in 0 to %u bits", net, most);
	got.bits = (unsigned)bits;
	if (most == 128 && got.addr.family == 4) {
		if (bits < MAPPED_BITS)
			return bt_err_set(err, BT_EUSAGE,
			    "'%s' is more than the IPv4 addresses", net);
		got.bits -= MAPPED_BITS;
	}
	if (p->n == BT_PROXY_NETS_MAX)
		return bt_err_set(err, BT_EUSAGE,
		    "'%s' is one network too many: %u are known", net,
		    BT_PROXY_NETS_MAX);
	p->nets[p->n++] = got;
	return 0;
}

static bool
is_within(const struct bt_proxy_net *net, const struct bt_addr *a)
{
	size_t whole = net->bits / 8;
	unsigned rest = net->bits % 8;

	if (net->addr.family != a->family ||
	    memcmp(net->addr.ip, a->ip, whole) != 0)
		return false;
	return rest == 0 ||
	       (net->addr.ip[whole] ^ a->ip[whole]) >> (8 - rest) == 0;
}

bool
bt_proxy_is_trusted(const struct bt_proxy *p, const struct bt_addr *a)
{
	for (size_t i = 0; i < p->n; i++)
		if (is_within(&p->nets[i], a))
			return true;
	return false;
}

static bool
is_private(const struct bt_addr *a)
{
	const uint8_t *ip = a->ip;

	if (bt_addr_is_loopback(a))
		return true;
	if (a->family == 4)
		return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
		       (ip[0] == 192 && ip[1] == 168) ||
		       (ip[0] == 169 && ip[1] == 254);
	return a->family == 6 && ((ip[0] & 0xfe) == 0xfc ||
				     (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80));
}

/*
 * Who a list of hops names, read from the left: what is not trusted, or cannot
 * be read, outdoes all that was before it.
 */
struct walk {
	const struct bt_proxy *p;
	struct bt_addr who; /* family 0: it cannot be known */
	bool any;
};

static void
add_hop(struct walk *w, const struct bt_addr *hop)
{
	if (!w->any || hop->family == 0 || !bt_proxy_is_trusted(w->p, hop))
		w->who = *hop;
	w->any = true;
}

/* "1.2.3.4", "1.2.3.4:5", "::1", "[::1]", "[::1]:5"; family 0 for others. */
static struct bt_addr
hop_of(struct bt_str s)
{
	struct bt_addr a;

	if (bt_addr_parse_ip(s, &a) == 0)
		return a;
	if (bt_addr_parse(s, &a) == 0) {
		a.port = 0;
		return a;
	}
	return (struct bt_addr){ 0 };
}

static void
walk_plain(struct walk *w, struct bt_str list)
{
	struct bt_addr hop;
	size_t comma;

	for (;;) {
		comma = bt_str_find(list, ',');
		hop = hop_of(bt_str_trim(bt_str_sub(list, 0, comma)));
		add_hop(w, &hop);
		if (comma == list.n)
			return;
		list = bt_str_sub(list, comma + 1, list.n);
	}
}

static bool
is_token(uint8_t c)
{
	return c > ' ' && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

static void
skip_blank(struct bt_str *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\t'))
		*s = bt_str_sub(*s, 1, s->n);
}

static struct bt_str
take_token(struct bt_str *s)
{
	size_t n = 0;
	struct bt_str token;

	while (n < s->n && is_token(s->p[n]))
		n++;
	token = bt_str_sub(*s, 0, n);
	*s = bt_str_sub(*s, n, s->n);
	return token;
}

/*
 * A token, or what is between quotes; escapes in these are left as they are,
 * since no address has any. False when the end of it is not there.
 */
static bool
take_value(struct bt_str *s, struct bt_str *value)
{
	size_t n = 1;

	if (s->n == 0 || s->p[0] != '"') {
		*value = take_token(s);
		return value->n > 0;
	}
	while (n < s->n && s->p[n] != '"')
		n += s->p[n] == '\\' ? 2 : 1;
	if (n >= s->n)
		return false;
	*value = bt_str_sub(*s, 1, n);
	*s = bt_str_sub(*s, n + 1, s->n);
	return true;
}

static bool
is_for(struct bt_str name)
{
	return name.n == 3 && (name.p[0] | 0x20) == 'f' &&
	       (name.p[1] | 0x20) == 'o' && (name.p[2] | 0x20) == 'r';
}

/* for=192.0.2.1;proto=https, for="[2001:db8::1]:4711" (RFC 7239, 4). */
static bool
walk_forwarded(struct walk *w, struct bt_str s)
{
	struct bt_addr hop = { 0 };
	struct bt_str name, value;
	uint8_t c;

	for (;;) {
		skip_blank(&s);
		name = take_token(&s);
		if (name.n == 0 || s.n == 0 || s.p[0] != '=')
			return false;
		s = bt_str_sub(s, 1, s.n);
		if (!take_value(&s, &value))
			return false;
		if (is_for(name))
			hop = hop_of(value);
		skip_blank(&s);
		c = s.n == 0 ? ',' : s.p[0];
		if (c != ',' && c != ';')
			return false;
		if (c == ',') {
			add_hop(w, &hop);
			hop = (struct bt_addr){ 0 };
		}
		if (s.n == 0)
			return true;
		s = bt_str_sub(s, 1, s.n);
	}
}

/* Rules 1 and 2, for a request that a trusted proxy brings. */
static struct bt_addr
behind(const struct bt_proxy *p, const struct bt_request *q)
{
	struct walk plain = { .p = p }, standard = { .p = p };
	static const struct bt_addr nobody;

	for (unsigned i = 0; i < q->nvia; i++)
		if (!q->via[i].standard)
			walk_plain(&plain, q->via[i].value);
		else if (!walk_forwarded(&standard, q->via[i].value))
			return nobody;
	if (plain.any && standard.any &&
	    !bt_addr_eq_ip(&plain.who, &standard.who))
		return nobody;
	return plain.any ? plain.who : standard.who;
}

struct bt_proxy_client
bt_proxy_decide(const struct bt_proxy *p, const struct bt_addr *from,
    const struct bt_request *q)
{
	struct bt_proxy_client c = { .addr = *from };
	bool trusted = q != NULL && bt_proxy_is_trusted(p, from);
	bool marked = q != NULL && q->forwarded;

	if (marked && trusted)
		c.addr = behind(p, q);
	c.addr.port = from->port;
	if (c.addr.family != 0 && (trusted || !marked))
		c.may_say_ip =
		    p->allow_ip || (trusted == marked && is_private(&c.addr));
	return c;
}
