extension Manifests {
    static let lineEnds = [
        SampleManifest(
            "an empty list at the very end",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
            spec:
              containers:
              - name: a
                image: a
              initContainers: []
            """),
        SampleManifest(
            "anchors beside what is edited",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: a
              labels: &labels
                app: a
            spec:
              selector:
                matchLabels: *labels
              template: &unused
                metadata:
                  labels: *labels
                spec:
                  containers:
                    - name: a
                      image: a
                      env: &env
                        - name: X
                          value: "1"
                    - name: b
                      image: b
                      env: *env
                  volumes: &volumes
                    - name: v
                      emptyDir: {}

            """),
        SampleManifest(
            "merge keys beside what is edited",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: a
            spec:
              template:
                spec:
                  <<: &defaults {dnsPolicy: Default}
                  containers:
                    - &base
                      name: a
                      image: a
                      resources: {limits: {cpu: 1}}
                    - <<: *base
                      name: b

            """),
        SampleManifest(
            "tags",
            """
            apiVersion: v1
            kind: !!str Pod
            metadata: !!map
              name: a
            spec: !!map
              containers: !!seq
                - name: a
                  image: a
              volumes: !!seq
                - name: v
                  emptyDir: {}

            """),
        SampleManifest(
            "quoted keys",
            """
            'apiVersion': 'apps/v1'
            "kind": "Deployment"
            "metadata":
                "name": "a"
            "spec":
                "template":
                    "metadata":
                        'annotations':
                            'a': 'b'
                    "spec":
                        "containers":
                            -   "name": "a"
                                "image": "a"
                        "volumes":
                            -   "name": "v"
                                "emptyDir": {}

            """),
        SampleManifest(
            "wide indentation and blank lines",
            """


            apiVersion: apps/v1

            kind: ReplicaSet

            metadata:

                    name: a

            spec:

                    template:


                            metadata:

                                    labels:
                                            app: a

                            spec:

                                    containers:

                                    -       name: a

                                            image: a

                                    volumes:


                                    -       name: v
                                            emptyDir: {}



            """),
        SampleManifest(
            "block scalars with tabs and what looks like a manifest",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                script: |+
                  #!/bin/sh
                  \tspec:
                  \tcontainers:

                    - name: postern-proxy

            spec:
              containers:
                - name: a
                  image: a
                  args:
                    - |-
                      kind: Pod
                      spec: {}
                       \ttab
                    - >
                      folded
                      text

                      more
              volumes:
                - name: v
                  downwardAPI:
                    items: []

            """),
        SampleManifest(
            "text beyond ASCII",
            """
            # Größe: naïve — 日本語 🚪
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                beschreibung: "Türsteher 🚪 für Bestellungen" # größer
            spec: # 日本語
              containers:
                - name: a # é
                  image: a
              volumes: # 🚪🚪
                - name: v # ü
                  emptyDir: {}

            """),
        SampleManifest(
            "a byte order mark",
            """
            \u{FEFF}apiVersion: v1
            kind: Pod
            metadata:
              name: ü
            spec:
              containers: [{name: a, image: a}]
              volumes: []

            """),
        SampleManifest(
            "a directive and a document's end",
            """
            %YAML 1.1
            ---
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
            spec:
              containers:
                - name: a
                  image: a
            ...
            # after
            ---
            kind: Nothing
            ...

            """),
        SampleManifest(
            "no annotation and no volumes, ended by a block scalar",
            """
            apiVersion: v1
            kind: Pod
            spec:
              containers:
              - name: a
                image: a
                args:
                - |
                  text
            metadata:
              name: a
            """),
    ]
}
