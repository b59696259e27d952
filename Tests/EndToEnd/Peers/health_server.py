"""A gRPC server with the standard health service of grpcio; told on stdin what it says: SERVICE STATUS a line."""

import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
servicer = health.HealthServicer()
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print("serving", port, flush=True)
for line in sys.stdin:
    service, status = line.rstrip("\n").split(" ")
    servicer.set(service, health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    print("told", flush=True)
server.stop(None)
