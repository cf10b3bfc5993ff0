// SPDX-License-Identifier: Apache-2.0
/* preface: the PROXY header on a new connection to a pod, before anything else. */
#ifndef BALANCE_PREFACE_H
#define BALANCE_PREFACE_H

#include "conn.h"

/* Sends the header of c->pod->send_proxy on c->pod, just connected. What the socket does not take at once waits in sock.preface. False with
 * errno when it could not be sent. */
bool preface_send(struct worker *, struct conn *);

/* Sends what is left of it. False when there still is something, or the pod takes no more: the socket is blocked or has its end to read then. */
bool preface_flush(struct worker *, struct sock *);

#endif
