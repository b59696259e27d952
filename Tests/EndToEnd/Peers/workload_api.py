"""A SPIFFE Workload API at `unix:PATH` or `ADDRESS:PORT`, made of py-spiffe's definitions and grpcio; told on stdin what to do.

Each line is one JSON object:
  {"svids": [{"id", "certificates", "key", "bundle", "hint"}], "federated": {domain: pem file}, "crls": [pem file]}
                 what every caller of FetchX509SVID gets, now and later; file names, all PEM
  {"bundles": {domain: pem file}}   the same for FetchX509Bundles, which is unimplemented until then
  {"status": 7}  ends every call with this status, and refuses calls until something else comes
  {"raw": "hex"} sends these bytes as one message of FetchX509SVID
  {"end": true}  ends the streams in good order
"""

import base64
import json
import re
import sys
import threading
from concurrent import futures

import grpc
from spiffe._proto import workload_pb2, workload_pb2_grpc

def say(word):
    # One write: `print` writes the end of the line apart, and another thread's word may come between.
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


STATUS = {code.value[0]: code for code in grpc.StatusCode}


def der(path, label):
    text = open(path).read()
    blocks = re.findall(r"-----BEGIN %s-----(.*?)-----END" % label, text, re.S)
    return [base64.b64decode(block) for block in blocks]


class State:
    def __init__(self):
        self.changed = threading.Condition()
        self.number = 0
        self.message = None
        self.bundles = None
        self.status = None
        self.ended = 0

    def tell(self, line):
        with self.changed:
            self.number += 1
            if "status" in line:
                self.status = line["status"]
            elif "end" in line:
                self.ended += 1
            else:
                self.status = None
            if "bundles" in line:
                self.bundles = workload_pb2.X509BundlesResponse(
                    bundles={name: b"".join(der(path, "CERTIFICATE")) for name, path in line["bundles"].items()}
                ).SerializeToString()
            if "raw" in line:
                self.message = bytes.fromhex(line["raw"])
            if "svids" in line:
                self.message = workload_pb2.X509SVIDResponse(
                    svids=[
                        workload_pb2.X509SVID(
                            spiffe_id=svid["id"],
                            x509_svid=b"".join(der(svid["certificates"], "CERTIFICATE")),
                            x509_svid_key=b"".join(der(svid["key"], "PRIVATE KEY")),
                            bundle=b"".join(der(svid["bundle"], "CERTIFICATE")),
                            hint=svid.get("hint", ""),
                        )
                        for svid in line["svids"]
                    ],
                    crl=[one for path in line.get("crls", []) for one in der(path, "X509 CRL")],
                    federated_bundles={
                        name: b"".join(der(path, "CERTIFICATE")) for name, path in line.get("federated", {}).items()
                    },
                ).SerializeToString()
            self.changed.notify_all()


state = State()


class Servicer(workload_pb2_grpc.SpiffeWorkloadAPIServicer):
    def FetchX509SVID(self, request, context):
        yield from self.stream(context, lambda: state.message)

    def FetchX509Bundles(self, request, context):
        if state.bundles is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no bundles")
        yield from self.stream(context, lambda: state.bundles)

    def stream(self, context, message):
        if ("workload.spiffe.io", "true") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        say("called")
        sent, ended = None, state.ended
        while context.is_active():
            with state.changed:
                if state.status is not None:
                    context.abort(STATUS[state.status], "told to")
                if state.ended != ended:
                    return
                if message() == sent:
                    state.changed.wait(0.2)
                    continue
                sent = message()
            yield sent


def serve():
    # The messages are bytes already, some of them no messages at all.
    handlers = {}
    servicer = Servicer()
    for name, request in (
        ("FetchX509SVID", workload_pb2.X509SVIDRequest),
        ("FetchX509Bundles", workload_pb2.X509BundlesRequest),
    ):
        handlers[name] = grpc.unary_stream_rpc_method_handler(
            getattr(servicer, name), request_deserializer=request.FromString, response_serializer=lambda data: data
        )
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", handlers),))
    server.add_insecure_port(sys.argv[1])
    server.start()
    say("serving")
    for line in sys.stdin:
        state.tell(json.loads(line))
        say("told")
    server.stop(0).wait()


serve()
