# SPDX-License-Identifier: Apache-2.0
# The TLS terminator, compiled from untouched sources into one object whose only visible symbol is hitch_main.
version=1.8.0
spdx=BSD-2-Clause
# Upstream's tarball; Debian's repack.
sha256="dfc99484bc7ffea27a3169e84d6c217988eda47b208ab2e5524dc2a5dd158f4e
	bade8e7f4005259caf60cf5d17ff65412c53327d609d7bd45f0dc185705909c9"
license_file=LICENSE
license_sha256=2c45d76d1786b8c11a13dc068282fc5b8b2eaf48961ce9c3af590b5683392134
origins="https://hitch-tls.org/source/hitch-$version.tar.gz debian:hitch:trixie"
needs="musl openssl libev"

# What upstream's configure finds with musl and OpenSSL 3.5. Stated rather than probed: some of its checks run a
# program, which a cross build can't, and the answers must not depend on the build machine's kernel.
config_h() {
	cat <<-END
	#define PACKAGE_STRING "hitch $version"
	#define PACKAGE_VERSION "$version"
	#define VERSION "$version"
	#define _GNU_SOURCE 1
	#define HAVE_ACCEPT4 1
	#define HAVE_SSL_CTX_GET_DEFAULT_PASSWD_CB 1
	#define HAVE_SSL_CTX_GET_DEFAULT_PASSWD_CB_USERDATA 1
	#define HAVE_STRUCT_STAT_ST_MTIM 1
	#define HAVE_TLS_1_3 1
	#define HAVE_X509_NAME_ENTRY_GET_DATA 1
	#define HAVE_X509_OBJECT_GET0_X509 1
	#define HAVE_X509_STORE_GET0_OBJECTS 1
	#define OPENSSL_WITH_ALPN 1
	#define OPENSSL_WITH_NPN 1
	#define SC_NPROCESSORS_ONLN_WORKS 1
	#define SO_REUSEPORT_WORKS 1
	#define TCP_FASTOPEN_WORKS 1
	END
}

build() {
	openssl=$(prefix_of openssl)
	libev=$(prefix_of libev)
	# Built in a directory of its own: the source tree stays as it came.
	mkdir obj
	config_h >obj/config.h
	bison -y -d -t -o obj/cfg_parser.c src/cfg_parser.y
	flex -o obj/cfg_lex.c src/cfg_lex.l
	for c in src/configuration.c src/hitch.c src/hssl_locks.c src/logging.c src/ocsp.c \
		src/foreign/*.c obj/cfg_parser.c obj/cfg_lex.c; do
		musl-gcc -std=gnu11 $C_FLAGS -fno-strict-aliasing -DOPENSSL_SUPPRESS_DEPRECATED -Dmain=hitch_main \
			-Werror=implicit-function-declaration \
			-Iobj -Isrc -Isrc/foreign -I"$openssl/include" -I"$libev/include" \
			-c "$c" -o "obj/$(basename "$c" .c).o"
	done
	musl-gcc -std=gnu11 $C_FLAGS -fno-strict-aliasing -Wall -Werror \
		-Iobj -Isrc -Isrc/foreign -I"$openssl/include" -I"$libev/include" \
		-ffile-prefix-map="$packages_dir/=" -c "$packages_dir/hitch_tls.c" -o obj/hitch_tls.o
	# The linker's half of src/dataplane/hitch_*.c. Hitch, libev and OpenSSL's socket BIO call some functions by other names …
	objcopy=$($HOST_CC -print-prog-name=objcopy)
	"$objcopy" $(renamed pipe close _exit accept4 connect recv send SSL_new SSL_set_fd SSL_do_handshake SSL_read SSL_shutdown) obj/hitch.o
	for name in fork write listen ev_default_loop ev_io_stop; do
		"$objcopy" --redefine-sym "$name=hitch_reload_$name" obj/hitch.o
	done
	# … and hitch.c and ocsp.c some of OpenSSL's and Hitch's own, for hitch_tls.c.
	"$objcopy" --redefine-sym SSL_CTX_set_session_id_context=hitch_session_id_context \
		--redefine-sym SSL_set_verify=hitch_set_verify \
		--redefine-sym SSL_get1_peer_certificate=hitch_peer_certificate \
		--redefine-sym X509_STORE_load_locations=hitch_load_client_ca \
		--redefine-sym ev_stat_start=hitch_watch_staple --redefine-sym HOCSP_mktask=hitch_ocsp_task \
		--redefine-sym HOCSP_init_file=hitch_init_staple \
		obj/hitch.o
	"$objcopy" --redefine-sym X509_get1_ocsp=hitch_ocsp_urls obj/ocsp.o
	"$objcopy" $(renamed close epoll_ctl epoll_wait) "$libev/lib/libev.a" obj/libev.a
	(cd obj && "$($HOST_CC -print-prog-name=ar)" x "$openssl/lib/libcrypto.a" libcrypto-lib-bss_sock.o)
	"$objcopy" $(renamed read write) obj/libcrypto-lib-bss_sock.o
	mkdir -p "$DEST/lib" "$DEST/include"
	# Within OpenSSL, too, a few functions of its own are called by other names: hitch_crypto.c.
	inner="evp_generic_fetch ossl_namemap_name2num openssl_get_fork_id OPENSSL_cleanse"
	seal hitch_main "$DEST/lib/hitch.o" $(printf -- '--wrap=%s ' $inner) obj/*.o \
		"$openssl/lib/libssl.a" "$openssl/lib/libcrypto.a" obj/libev.a
	"$objcopy" $(printf -- '--redefine-sym __wrap_%s\n' $inner | sed 's/wrap_\(.*\)/&=hitch_\1/') "$DEST/lib/hitch.o"
	# … and what stands in for OpenSSL's calls them under their own. The ring buffer is ours, behind upstream's header.
	"$objcopy" $(printf -- '--globalize-symbol=%s ' SSL_new SSL_set_fd SSL_do_handshake SSL_read SSL_shutdown SSL_has_pending SSL_get_fd \
		SSL_CTX_ctrl SSL_get_rbio SSL_set_bio SSL_get_state SSL_version SSL_is_server SSL_set_options SSL_set_quiet_shutdown \
		BIO_meth_new BIO_meth_set_read BIO_meth_set_write BIO_meth_set_ctrl BIO_meth_set_destroy BIO_get_new_index BIO_method_type \
		BIO_new BIO_push BIO_next BIO_up_ref BIO_get_data BIO_set_data BIO_set_init BIO_read BIO_write BIO_ctrl BIO_set_flags \
		BIO_clear_flags BIO_copy_next_retry evp_generic_fetch ossl_namemap_name2num \
		ev_default_loop ev_io_stop ev_invoke) "$DEST/lib/hitch.o"
	cp src/ringbuffer.h "$libev/include/ev.h" "$DEST/include/"
}

# renamed NAME…: what objcopy is to do so that NAME is called as hitch_NAME
renamed() { printf -- '--redefine-sym %s\n' "$@" | sed 's/ \(.*\)/ \1=hitch_\1/'; }
