"""Holds listening sockets as a service manager does, passes them to a proxy, and restarts it under its clients.

socket_activation.py FOLDER BINARY SETTINGS NAME=ADDRESS...   ADDRESS is 127.0.0.1:0, or the path of a Unix socket
Of the first socket's listener clients ask an echo, by mutual TLS with FOLDER/client.pem and .key. Commands on standard
input: "restart", "stop"; each is answered with a line.
"""

import fcntl
import os
import signal
import socket
import ssl
import sys
import threading

folder, binary, settings = sys.argv[1:4]
names, sockets = [], []
for word in sys.argv[4:]:
    name, address = word.split("=")
    if address.startswith("/"):
        os.umask(0o177)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
    else:
        host, port = address.rsplit(":", 1)
        listener = socket.socket()
        listener.bind((host, int(port)))
    listener.listen(512)
    # As others may have left it.
    listener.setblocking(False)
    names.append(name)
    # Above those that the child gets.
    sockets.append(fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 64))
    if len(sockets) == 1:
        target = listener.getsockname()
context = ssl.create_default_context(cafile=f"{folder}/bundle.pem")
context.check_hostname = False
context.load_cert_chain(f"{folder}/client.pem", f"{folder}/client.key")


class Proxy:
    def __init__(self):
        self.ready = threading.Event()
        reader, writer = os.pipe()
        environment = dict(os.environ, LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=":".join(names))
        actions = [(os.POSIX_SPAWN_DUP2, number, 3 + index) for index, number in enumerate(sockets)]
        actions += [(os.POSIX_SPAWN_DUP2, writer, 2)]
        words = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "-", binary, "run", "--config", settings]
        self.process = os.posix_spawn("/bin/sh", words, environment, file_actions=actions)
        os.close(writer)
        threading.Thread(target=self.read, args=(os.fdopen(reader),), daemon=True).start()
        assert self.ready.wait(20), "not ready"

    def read(self, log):
        for line in log:
            sys.stderr.write(line)
            sys.stderr.flush()
            if '"message":"ready"' in line:
                self.ready.set()

    def end(self):
        os.kill(self.process, signal.SIGTERM)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


served, failures, ending = 0, [], threading.Event()
turn = threading.Condition()


def client():
    global served
    while not ending.is_set():
        try:
            with socket.create_connection(target, timeout=20) as plain:
                with context.wrap_socket(plain) as connection:
                    connection.sendall(b"hello")
                    assert connection.recv(5) == b"hello"
                    # The whole of it: what ends early would be a failure.
                    connection.unwrap()
            with turn:
                served += 1
                turn.notify_all()
        except Exception as failure:
            with turn:
                failures.append(repr(failure))
                turn.notify_all()
            return


def more():
    """Waits until some more were served, by the proxy of the moment."""
    with turn:
        before = served
        return turn.wait_for(lambda: failures or served >= before + 6, 20) and not failures


proxy = Proxy()
clients = [threading.Thread(target=client) for _ in range(4)]
for thread in clients:
    thread.start()
print("ready", flush=True)
for line in sys.stdin:
    if line == "restart\n":
        were_served = more()
        code = proxy.end()
        proxy = Proxy()
        print(f"restarted {code} {were_served}", flush=True)
    if line == "stop\n":
        were_served = more()
        ending.set()
        for thread in clients:
            thread.join()
        code = proxy.end()
        print(f"served {were_served} failures {failures} code {code}", flush=True)
        break
