// SPDX-License-Identifier: Apache-2.0
// The web server that Hitch's test suite expects behind the name hitch-tls.org.
import { createServer } from 'node:http';

createServer((_request, response) => response.end('Hitch TLS proxy\n')).listen(80, '127.0.0.1');
