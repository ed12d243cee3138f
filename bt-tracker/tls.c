#include "tls.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"

struct bt_tls {
	char *cert, *key;
	pthread_mutex_t lock; /* of ctx */
	SSL_CTX *ctx;
};

struct bt_tls_conn {
	SSL *ssl;
	bool wants_write;
	bool dead; /* nothing more may be said */
};

/* An encrypted key is refused: nobody is there to be asked for its word. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

/* Rule 1. `in` is a list of names, each after a byte with its length. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned in_n, void *arg)
{
	static const char name[] = "http/1.1";
	size_t n = sizeof(name) - 1;

	(void)ssl;
	(void)arg;
	for (unsigned at = 0; at < in_n && in[at] < in_n - at;
	     at += in[at] + 1u)
		if (in[at] == n && memcmp(in + at + 1, name, n) == 0) {
			*out = in + at + 1;
			*out_n = in[at];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_NOACK;
}

static const char *
reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	return text != NULL ? text : "no reason known";
}

/* Where files are at fault the first error says so, the last one what to do. */
static int
refuse(struct bt_err *err, const char *what, const char *path)
{
	unsigned long first = ERR_peek_error();

	if (ERR_SYSTEM_ERROR(first))
		return bt_err_code(err, BT_EFILE, ERR_GET_REASON(first),
		    "cannot read the %s '%s'", what, path);
	return bt_err_set(
	    err, BT_EFILE, "cannot read the %s '%s': %s", what, path, reason());
}

static int
load(SSL_CTX *ctx, const char *cert, const char *key, struct bt_err *err)
{
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return refuse(err, "certificate", cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return refuse(err, "key", key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return bt_err_set(err, BT_EFILE,
		    "the key '%s' is not that of the certificate '%s'", key,
		    cert);
	return 0;
}

static SSL_CTX *
ctx_new(const char *cert, const char *key, struct bt_err *err)
{
	static const unsigned char id[] = "bt-tracker";
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL) {
		bt_err_set(err, BT_EFILE, "cannot begin TLS: %s", reason());
		return NULL;
	}
	if (load(ctx, cert, key, err) == -1) {
		SSL_CTX_free(ctx);
		ERR_clear_error();
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE |
				     SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_RELEASE_BUFFERS |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_num_tickets(ctx, 1);
	/* tickets are the client's to keep; nothing is kept here */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return ctx;
}

int
bt_tls_new(
    struct bt_tls **out, const char *cert, const char *key, struct bt_err *err)
{
	SSL_CTX *ctx = ctx_new(cert, key, err);
	struct bt_tls *t;

	if (ctx == NULL)
		return -1;
	t = bt_mem_zero(1, sizeof(*t));
	t->ctx = ctx;
	t->cert = bt_mem_strdup(cert);
	t->key = bt_mem_strdup(key);
	pthread_mutex_init(&t->lock, NULL);
	*out = t;
	return 0;
}

void
bt_tls_free(struct bt_tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	pthread_mutex_destroy(&t->lock);
	bt_mem_free(t->cert);
	bt_mem_free(t->key);
	bt_mem_free(t);
}

int
bt_tls_reload(struct bt_tls *t, struct bt_err *err)
{
	SSL_CTX *fresh = ctx_new(t->cert, t->key, err), *old;

	if (fresh == NULL)
		return -1;
	pthread_mutex_lock(&t->lock);
	old = t->ctx;
	t->ctx = fresh;
	pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(old); /* when its last connection is gone */
	return 0;
}

struct bt_tls_conn *
bt_tls_accept(struct bt_tls *t, int fd)
{
	struct bt_tls_conn *c;
	SSL *ssl;

	pthread_mutex_lock(&t->lock);
	ssl = SSL_new(t->ctx);
	pthread_mutex_unlock(&t->lock);
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_accept_state(ssl);
	c = bt_mem_zero(1, sizeof(*c));
	c->ssl = ssl;
	return c;
}

void
bt_tls_end(struct bt_tls_conn *c)
{
	if (c == NULL)
		return;
	ERR_clear_error();
	if (!c->dead && SSL_is_init_finished(c->ssl))
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	ERR_clear_error();
	bt_mem_free(c);
}

/* What became of a call that OpenSSL says failed: bytes, as recv() says. */
static ssize_t
fail(struct bt_tls_conn *c, int rc)
{
	int what = SSL_get_error(c->ssl, rc);

	c->wants_write = what == SSL_ERROR_WANT_WRITE;
	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	if (what == SSL_ERROR_ZERO_RETURN)
		return 0;
	c->dead = true;
	ERR_clear_error();
	errno = EPROTO;
	return -1;
}

ssize_t
bt_tls_recv(struct bt_tls_conn *c, void *p, size_t n)
{
	int got;

	assert(n > 0 && n <= INT_MAX);
	ERR_clear_error();
	got = SSL_read(c->ssl, p, (int)n);
	if (got <= 0)
		return fail(c, got);
	c->wants_write = false;
	return got;
}

ssize_t
bt_tls_send(struct bt_tls_conn *c, const void *p, size_t n)
{
	ssize_t sent = 0;
	int rc;

	/* it takes a record at a time */
	while ((size_t)sent < n) {
		ERR_clear_error();
		rc = SSL_write(c->ssl, (const char *)p + sent,
		    n - (size_t)sent > INT_MAX ? INT_MAX
					       : (int)(n - (size_t)sent));
		if (rc <= 0) {
			if (fail(c, rc) == 0)
				errno = EPROTO;
			return sent > 0 && errno == EAGAIN ? sent : -1;
		}
		sent += rc;
	}
	c->wants_write = false;
	return sent;
}

bool
bt_tls_wants_write(const struct bt_tls_conn *c)
{
	return c->wants_write;
}
