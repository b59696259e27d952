/// The documented example settings; a test checks that they work as written.
public let exampleSettings = #"""
    identity:
      files:
        certificate: svid.pem            # leaf first, then intermediates
        privateKey: svid.key
        trustBundles:
          example.org: bundle.pem        # one PEM file per trust domain
          partner.test: partner.pem
    admin:
      bind: 127.0.0.1:9901
    workers: 1                           # default: the CPU quota
    eventLoop: auto                      # auto | io_uring | epoll
    tls: {minVersion: "1.3", resumption: true}
    listeners:
      - name: orders
        mode: inbound                    # mTLS in, plaintext to the application
        bind: 127.0.0.1:15443
        routes:
          - name: orders                 # routes are tried in order; the first match wins
            match: {sni: [orders.internal]}        # optional: sni, alpn, destinationPorts
            upstream: {endpoints: ["127.0.0.1:19000"]}
            policy: orders-callers
      - name: to-orders
        mode: outbound                   # plaintext from the application, mTLS to the peer
        bind: 127.0.0.1:15001
        routes:
          - name: orders
            upstream:
              endpoints: ["127.0.0.1:15443"]
              sni: orders.internal
              identities: ["spiffe://example.org/ns/default/sa/server"]   # the server identities we accept
      - name: target
        mode: inbound
        bind: 127.0.0.1:15444
        routes:
          - name: echo
            upstream: {builtin: echo}    # echo | discard | source: a load-test target needs no backend
            policy: anyone-trusted
    policies:
      orders-callers:
        mode: enforce                    # enforce | audit
        rules:
          - name: checkout
            action: allow                # allow | deny
            identities: ["spiffe://example.org/ns/default/sa/client"]
            sources: ["127.0.0.0/8"]     # optional
          - name: no-legacy
            action: deny
            identities: ["spiffe://example.org/ns/legacy/**"]
      anyone-trusted:
        rules:
          - {name: all, action: allow, identities: ["spiffe://*/**"]}
    limits:                              # every one has a default we would run ourselves
      connections: 10000
      handshakeTimeout: 5s
      concurrentHandshakes: 1024
      connectTimeout: 2s
      idleTimeout: 1h
      halfCloseTimeout: 60s
      drainTimeout: 30s

    """#

/// The example with one piece of its text, which occurs once, replaced.
public func exampleReplacing(_ old: String, with new: String) -> String {
    let pieces = exampleSettings.split(separator: old, omittingEmptySubsequences: false)
    precondition(pieces.count == 2, "the example holds the text \(pieces.count - 1) times: \(old)")
    return pieces.joined(separator: new)
}
