extension Manifests {
    static let probes = [
        SampleManifest(
            "probes of each kind, named ports, comments between",
            """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata:
              name: orders
            spec:
              serviceName: orders
              selector: {matchLabels: {app: orders}}
              template:
                metadata:
                  labels: {app: orders}
                spec:
                  initContainers:
                    - name: logs
                      image: fluent-bit:3
                      restartPolicy: Always
                      ports:
                        - {name: health, containerPort: 2020}
                      startupProbe:
                        httpGet: {path: /api/v1/health, port: health}
                  containers:
                    - name: orders
                      image: orders:7
                      ports:
                        - name: http
                          containerPort: 8080
                        - containerPort: 9090   # metrics
                          name: grpc
                      livenessProbe:
                        # every two seconds
                        httpGet:
                          # where
                          path: "/healthz?a=b#c"
                          port: http   # by name
                          httpHeaders:
                            - name: Accept
                              value: >-
                                text/plain,
                                */*

                            - name: X-Token
                              value: $(TOKEN) $$ 'x' "y" \\
                        periodSeconds: 2
                      readinessProbe:
                        timeoutSeconds: 4
                        grpc:
                          port: 9090
                      startupProbe:
                        tcpSocket:
                          port: "8080"
                    - name: shell
                      image: busybox
                      livenessProbe:
                        exec:
                          command: [cat, /tmp/healthy]

            """),
        SampleManifest(
            "a probe's handler at the very end",
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: a}
            spec:
              containers:
                - name: a
                  image: a
                  readinessProbe:
                    httpGet:
                      port: 8080
                      path: |-
                        /

            """),
        SampleManifest(
            "probes in JSON",
            "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"containers\":[{"
                + "\"name\":\"a\",\"image\":\"a\",\"livenessProbe\":{\"tcpSocket\":{\"port\":5432}},"
                + "\"readinessProbe\":{\"periodSeconds\":1,\"httpGet\":{\"port\":80,\"scheme\":\"HTTPS\"}}}]}}"),
        SampleManifest(
            "a probe over lines that end as on Windows",
            """
            apiVersion: v1\r
            kind: Pod\r
            metadata:\r
              name: a\r
            spec:\r
              containers:\r
              - name: a\r
                image: a\r
                livenessProbe:\r
                  httpGet:\r
                    path: /é\r
                    port: 80   # https\r
                  failureThreshold: 2\r
                readinessProbe: {httpGet: {\r
                  port: 81,   # one\r
                  path: "/a b"}, periodSeconds: 1}\r

            """),
    ]
}
