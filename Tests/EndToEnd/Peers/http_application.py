"""An application with `http.server` that answers as its paths say: /status/CODE, /to?URL, /slow/SECONDS, /echo (the
request's head). With a certificate as argument it speaks TLS. Its output has a line for each request."""

import http.server
import ssl
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        words = [self.path] + [str(self.headers.get(name)) for name in ("Host", "User-Agent", "X")]
        # In one piece, because threads write at the same time.
        sys.stdout.write(" ".join(words) + "\n")
        sys.stdout.flush()
        status, location = 200, None
        if self.path.startswith("/status/"):
            status = int(self.path[len("/status/"):])
        elif self.path.startswith("/to?"):
            status, location = 302, self.path[len("/to?"):]
        elif self.path.startswith("/slow/"):
            time.sleep(float(self.path[len("/slow/"):]))
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print("serving", server.server_port, flush=True)
server.serve_forever()
