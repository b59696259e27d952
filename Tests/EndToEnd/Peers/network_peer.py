"""Plain peers in a network namespace.

network_peer.py serve tcp|udp ADDRESS PORT   echoes, and prints a line with the caller's address for each connection
network_peer.py call tcp|udp ADDRESS PORT    sends each line of its input, and prints what comes back, then how it ends
"""

import socket
import sys
import threading


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def echo(connection):
    try:
        while data := connection.recv(65536):
            connection.sendall(data)
    except OSError:
        pass
    connection.close()


def serve(kind, address, port):
    if kind == "udp":
        server = socket.socket(family(address), socket.SOCK_DGRAM)
        server.bind((address, port))
        print("serving", flush=True)
        while True:
            data, caller = server.recvfrom(65536)
            server.sendto(data, caller)
    server = socket.socket(family(address), socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(256)
    print("serving", flush=True)
    while True:
        connection, caller = server.accept()
        print("caller", caller[0], caller[1], flush=True)
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def call(kind, address, port):
    stream = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
    caller = socket.socket(family(address), stream)
    caller.settimeout(15)
    try:
        caller.connect((address, port))
        for line in sys.stdin.buffer:
            caller.sendall(line)
            answer = b""
            while not answer.endswith(b"\n"):
                more = caller.recv(65536)
                if not more:
                    print("finished", flush=True)
                    return
                answer += more
            print("answer", answer.decode().rstrip("\n"), flush=True)
        if kind == "tcp":
            caller.shutdown(socket.SHUT_WR)
            while more := caller.recv(65536):
                pass
        print("finished", flush=True)
    except ConnectionResetError:
        print("reset", flush=True)
    except OSError as fault:
        print("failed", fault, flush=True)


{"serve": serve, "call": call}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
