import Loopback
import PosternTesting

/// Writes a pair's configuration for each proxy, and the command that starts it.
struct PairSettings {
    let site: Site
    let ports: PairPorts
    let tap: SocketAddress
    let resumption: Bool
    /// How many connections the process may relay at a time; each half of a pair counts.
    let capacity: Int
    let name: String

    func command(for kind: ProxyKind) throws -> [String] {
        switch kind {
        case .haproxy:
            return ["haproxy", "-db", "-f", try site.folder.write(haproxy, to: "\(name).cfg")]
        case .nginx:
            return ["nginx", "-e", "/dev/null", "-c", try site.folder.write(nginx, to: "\(name).conf")]
        case .postern: return try postern(eventLoop: "auto")
        case .posternEpoll: return try postern(eventLoop: "epoll")
        case .posternIOUring: return try postern(eventLoop: "io_uring")
        }
    }

    private var haproxy: String {
        let client = "ssl crt \(site.certificateAndKey(.client)) ca-file \(site.bundle) verify required"
        let reuse = resumption ? "" : " no-ssl-reuse"
        let tickets = resumption ? "" : " no-tls-tickets"
        return """
            global
                nbthread 1
                maxconn \(capacity)
                tune.ssl.cachesize \(resumption ? 20_000 : 0)
                ssl-default-bind-options ssl-min-ver TLSv1.3
                ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
                ssl-default-bind-curves X25519
                ssl-default-server-options ssl-min-ver TLSv1.3
                ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
            defaults
                mode tcp
                timeout connect 5s
                timeout client 1h
                timeout server 1h
            listen outbound
                bind \(ports.outbound)
                server peer \(ports.inbound) \(client)\(reuse)
            listen tapped
                bind \(ports.tapped)
                server peer \(tap) \(client)\(reuse)
            listen inbound
                bind \(ports.inbound) ssl crt \(site.certificateAndKey(.server)) ca-file \(site.bundle) verify required\(tickets)
                server backend \(site.backend.address)

            """
    }

    private var nginx: String {
        """
        load_module /usr/lib/nginx/modules/ngx_stream_module.so;
        daemon off;
        worker_processes 1;
        worker_rlimit_nofile \(2 * capacity + 200);
        pid \(site.folder.file("\(name).pid"));
        error_log stderr warn;
        events { worker_connections \(2 * capacity + 100); }
        stream {
            proxy_ssl_certificate \(site.certificate(.client));
            proxy_ssl_certificate_key \(site.privateKey(.client));
            proxy_ssl_trusted_certificate \(site.bundle);
            proxy_ssl_verify on;
            proxy_ssl_verify_depth 3;
            proxy_ssl_name server.bench.test;
            proxy_ssl_protocols TLSv1.3;
            proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
            proxy_ssl_session_reuse off;
            ssl_certificate \(site.certificate(.server));
            ssl_certificate_key \(site.privateKey(.server));
            ssl_client_certificate \(site.bundle);
            ssl_verify_client on;
            ssl_verify_depth 3;
            ssl_protocols TLSv1.3;
            ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
            ssl_ecdh_curve X25519;
            ssl_session_cache off;
            ssl_session_tickets off;
            proxy_timeout 1h;
            server { listen \(ports.outbound) backlog=4096; proxy_ssl on; proxy_pass \(ports.inbound); }
            server { listen \(ports.tapped); proxy_ssl on; proxy_pass \(tap); }
            server { listen \(ports.inbound) ssl backlog=4096; proxy_pass \(site.backend.address); }
        }

        """
    }

    /// One process cannot have two identities, so both halves present the server's.
    private func postern(eventLoop: String) throws -> [String] {
        let outbound = { (listener: String, bind: SocketAddress, endpoint: SocketAddress) in
            """
              - name: \(listener)
                mode: outbound
                bind: "\(bind)"
                routes:
                  - name: peer
                    upstream:
                      endpoints: ["\(endpoint)"]
                      identities: ["spiffe://\(Site.trustDomain)/server"]

            """
        }
        let settings = """
            identity:
              files:
                certificate: \(site.certificate(.server))
                privateKey: \(site.privateKey(.server))
                trustBundles: {\(Site.trustDomain): \(site.bundle)}
            workers: 1
            eventLoop: \(eventLoop)
            tls: {minVersion: "1.3", resumption: \(resumption), keyExchange: [X25519, P-256]}
            accessLog: off
            limits: {connections: \(capacity)}
            listeners:
              - name: inbound
                mode: inbound
                bind: "\(ports.inbound)"
                routes:
                  - name: backend
                    upstream: {endpoints: ["\(site.backend.address)"]}
                    policy: pair

            """
            + outbound("outbound", ports.outbound, ports.inbound) + outbound("tapped", ports.tapped, tap)
                + """
                policies:
                  pair:
                    rules:
                      - name: pair
                        action: allow
                        identities: ["spiffe://\(Site.trustDomain)/server", "spiffe://\(Site.trustDomain)/client"]

                """
        return [site.posternPath, "run", "--config", try site.folder.write(settings, to: "\(name).yaml")]
    }
}
