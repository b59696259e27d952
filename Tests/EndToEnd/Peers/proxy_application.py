"""An application behind a proxy: reads headers of the PROXY protocol with the package proxy-protocol, and echoes.

Prints one line of JSON a connection: what its header says. Usage: proxy_application.py PORT
"""
import asyncio
import json
import sys

import crc32c  # noqa: F401 - without it the package would check no checksum
from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.v2 import ProxyProtocolV2


def describe(result):
    tlv = result.tlv
    return {
        "source": "%s %s" % (result.source[0], result.source[1]),
        "destination": "%s %s" % (result.dest[0], result.dest[1]),
        "identity": str(tlv.get(0xD0, b""), "utf-8"),
        "uniqueID": str(tlv.unique_id, "ascii"),
        "serverName": tlv.authority or "",
        "alpn": str(tlv.alpn or b"", "ascii"),
        "tlsVersion": tlv.ssl.version or "",
        "cipher": tlv.ssl.cipher or "",
        "verified": tlv.ssl.has_ssl and tlv.ssl.has_cert_conn and tlv.ssl.verified,
        "hasChecksum": tlv.crc32c is not None,
    }


async def serve(reader, writer):
    try:
        result = await ProxyProtocolReader(ProxyProtocolV2()).read(reader)
        print(json.dumps(describe(result)), flush=True)
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except Exception as error:  # a header that the package refuses is what a test must see
        print(json.dumps({"error": repr(error)}), flush=True)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print("serving", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
