/* SPDX-License-Identifier: Apache-2.0 */
/* hitch_crypto: what OpenSSL calls instead of functions of its own; the build renames them there (vendor/packages/hitch.sh). */
#ifndef HITCH_CRYPTO_H
#define HITCH_CRYPTO_H

#include <stddef.h>

typedef void *hitch_method_new(int name, const void *algorithm, void *provider);

/* evp_generic_fetch: the implementation of an algorithm by its name, with a reference that belongs to the caller. */
void *hitch_evp_generic_fetch(void *libctx, int operation, const char *name, const char *properties, hitch_method_new *make,
                              int (*up_ref)(void *), void (*release)(void *));
void *evp_generic_fetch(void *libctx, int operation, const char *name, const char *properties, hitch_method_new *make, int (*up_ref)(void *),
                        void (*release)(void *));

/* ossl_namemap_name2num: the number that stands for a name of an algorithm; 0: there is none, yet. */
int hitch_ossl_namemap_name2num(const void *map, const char *name);
int ossl_namemap_name2num(const void *map, const char *name);

/* openssl_get_fork_id: another number in each process, by which a random generator knows that it has been copied. */
int hitch_openssl_get_fork_id(void);

/* OPENSSL_cleanse(3). */
void hitch_OPENSSL_cleanse(void *at, size_t n);

#endif
