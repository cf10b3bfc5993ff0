// SPDX-License-Identifier: Apache-2.0
#ifndef BALANCE_VERSION_H
#define BALANCE_VERSION_H

#ifndef BALANCE_VERSION
#define BALANCE_VERSION "0.1.0"
#endif

#endif
