/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_tls: stands in for some functions that Hitch's hitch.c and ocsp.c call, which the build renames there (vendor/packages/hitch.sh).
 * Compiled with Hitch, because OpenSSL is visible nowhere else.
 *
 * Hitch 1.8.0 gives all its contexts one session id context, and OpenSSL resumes a TLS 1.3 session before the server name has chosen
 * a context: a session of one host would bring its client certificate to a host with another CA, and a certificate that was
 * revoked since would still count. So a host that asks for client certificates hands out no session, and takes a certificate
 * only from a handshake that has verified it. Sessions live in tickets alone: a worker's own cache is of no use to the others.
 */
#include "config.h"

#include <stdlib.h>

#include "configuration.h"
#include "hitch.h"
#include "ocsp.h"

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

void hitch_watch_staple(struct ev_loop *, ev_stat *);
void hitch_ocsp_task(sslctx *, ocspquery *, double);
int hitch_init_staple(const char *, sslctx *, int);
STACK_OF(OPENSSL_STRING) *hitch_ocsp_urls(X509 *);
int hitch_session_id_context(SSL_CTX *, const unsigned char *, unsigned int);
void hitch_set_verify(SSL *, int, SSL_verify_cb);
X509 *hitch_peer_certificate(const SSL *);
int hitch_load_client_ca(X509_STORE *, const char *, const char *);

enum { CERT_MAX = 8192 };

int hitch_session_id_context(SSL_CTX *ctx, const unsigned char *id, unsigned int len)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_session_id_context(ctx, id, len);
}

/* Called right after the server name chose a context. */
void hitch_set_verify(SSL *ssl, int mode, SSL_verify_cb callback)
{
	SSL_set_verify(ssl, mode, callback);
	if (mode == SSL_VERIFY_NONE)
		return;
	SSL_set_options(ssl, SSL_OP_NO_TICKET);
	(void)SSL_set_num_tickets(ssl, 0);
}

/* For the facts in the PROXY header. Hitch formats the certificate into its ring buffer, which a huge one would not fit. */
X509 *hitch_peer_certificate(const SSL *ssl)
{
	if (SSL_session_reused(ssl))
		return NULL;
	X509 *cert = SSL_get1_peer_certificate(ssl);
	if (cert != NULL && i2d_X509(cert, NULL) > CERT_MAX) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

/* A file of CAs may hold revocation lists: then every certificate of a chain is looked up in its issuer's. */
int hitch_load_client_ca(X509_STORE *store, const char *file, const char *dir)
{
	if (X509_STORE_load_locations(store, file, dir) == 0)
		return 0;
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++)
		if (X509_OBJECT_get_type(sk_X509_OBJECT_value(objects, i)) == X509_LU_CRL)
			return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return 1;
}

/*
 * OCSP responses. Hitch's own process asks for them and keeps them in files, which the workers watch. Upstream reads a file that is
 * there already when the master loads the certificate: the certificate counts as changed at every reload then, and is loaded anew, behind others
 * for the same name; while what came later is unknown to the next generation of workers, and asked for again. So here the master
 * reads none, a worker reads what there is when it begins to watch, and the asking process what it need not ask for yet.
 */
int hitch_init_staple(const char *file, sslctx *sc, int is_cached)
{
	return is_cached ? 1 : HOCSP_init_file(file, sc, 0);
}

void hitch_watch_staple(struct ev_loop *l, ev_stat *w)
{
	ev_stat_start(l, w);
	if (w->attr.st_nlink > 0)
		w->cb(l, w, 0);
}

void hitch_ocsp_task(sslctx *sc, ocspquery *query, double hint)
{
	char *file = HOCSP_fn(sc->filename);
	if (sc->staple == NULL && file != NULL)
		(void)HOCSP_init_file(file, sc, 1);
	free(file);
	HOCSP_mktask(sc, query, hint);
}

/* The addresses are whatever a certificate says: upstream ends the process over one that is no URL, and would not check whom it asks over TLS. */
STACK_OF(OPENSSL_STRING) *hitch_ocsp_urls(X509 *cert)
{
	STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(cert);
	char *host = NULL, *port = NULL, *path = NULL;
	int tls = 0;
	const int ok = urls != NULL && sk_OPENSSL_STRING_num(urls) > 0 &&
	               OCSP_parse_url(sk_OPENSSL_STRING_value(urls, 0), &host, &port, &path, &tls) == 1 && tls == 0;
	OPENSSL_free(host);
	OPENSSL_free(port);
	OPENSSL_free(path);
	if (ok)
		return urls;
	if (urls != NULL)
		X509_email_free(urls);
	return NULL;
}
