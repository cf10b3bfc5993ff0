// SPDX-License-Identifier: Apache-2.0
/* port: the listening sockets of a worker. */
#ifndef BALANCE_PORT_H
#define BALANCE_PORT_H

#include "worker.h"

/* A socket for the listener with this slot; watched from the next port_settle on. */
void port_add(struct worker *, uint32_t slot, int fd);

/* Ports follow the configuration: known ones keep their socket, replaced and removed ones are closed. */
void port_settle(struct worker *);
void port_close_all(struct worker *);

/* Takes some of the connections that wait. */
void port_accept(struct worker *, struct port *);

/* The pause that want of descriptors made is over: accepts again if it can. */
void port_resume(struct worker *);

/* After a turn: frees what was closed in it. */
void port_bury(struct worker *);

#endif
