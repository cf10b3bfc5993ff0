/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_HITCH_PIPES_H
#define DATAPLANE_HITCH_PIPES_H

/* As pipe(2) and close(2), but the process that made a pipe does not close its write end while it has a reader. */
int hitch_pipe(int fd[2]);
int hitch_close(int fd);

#endif
