extension Manifests {
    static let charts = [
        SampleManifest(
            "a pod",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: web
            spec:
              containers:
                - name: web
                  image: nginx:1.27

            """),
        SampleManifest(
            "a Deployment as Helm renders it",
            """
            ---
            # Source: web/templates/deployment.yaml
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: release-web
              labels:
                helm.sh/chart: web-0.1.0
                app.kubernetes.io/name: web
                app.kubernetes.io/instance: release
                app.kubernetes.io/version: "1.16.0"
                app.kubernetes.io/managed-by: Helm
            spec:
              replicas: 1
              selector:
                matchLabels:
                  app.kubernetes.io/name: web
                  app.kubernetes.io/instance: release
              template:
                metadata:
                  labels:
                    app.kubernetes.io/name: web
                    app.kubernetes.io/instance: release
                spec:
                  serviceAccountName: release-web
                  securityContext:
                    {}
                  containers:
                    - name: web
                      securityContext:
                        {}
                      image: "nginx:1.16.0"
                      imagePullPolicy: IfNotPresent
                      ports:
                        - name: http
                          containerPort: 80
                          protocol: TCP
                      livenessProbe:
                        httpGet:
                          path: /
                          port: http
                      resources:
                        {}

            """),
        SampleManifest(
            "a pod with a certificate of Kubernetes",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: web
              annotations:
                postern.dev/identity: podcertificate
                postern.dev/identity-signer: example.com/spiffe
            spec:
              securityContext: {fsGroup: 2000}
              containers:
                - name: web
                  image: nginx:1.27

            """),
        SampleManifest(
            "a pod with a certificate of Kubernetes, and roots by name",
            """
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "annotations": {"postern.dev/identity": \
            "podcertificate", "postern.dev/identity-signer": "example.com/spiffe", \
            "postern.dev/identity-key-type": "ED25519", \
            "postern.dev/identity-trust-bundle": "example.com:spiffe:roots"}}, \
            "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}

            """),
        SampleManifest(
            "annotations there already, comments all over",
            """
            # The shop's orders.
            apiVersion: apps/v1 # stable
            kind: Deployment
            metadata: # of the Deployment
              name: orders
            spec:
              # one is enough
              replicas: 1
              selector: {matchLabels: {app: orders}}
              template:
                # of the pods
                metadata:
                  # read by Prometheus
                  annotations:   # two
                    # yes
                    prometheus.io/scrape: "true"
                    prometheus.io/port: "9102"   # the port
                  labels: {app: orders}
                # what runs
                spec:
                  # first
                  initContainers:
                    # waits
                    - name: wait   # for the database
                      image: busybox
                      command: ["sh", "-c", "until nc -z db 5432; do sleep 1; done"]
                  containers:
                    # the application
                    - name: orders
                      image: orders:1
                      # mounts
                      volumeMounts:
                        - {name: data, mountPath: /data}
                  # at last
                  volumes:
                    # the data
                    - name: data   # on disk
                      emptyDir: {}
                    # none else
            # the end

            """),
        SampleManifest(
            "lists that are not indented below their keys",
            """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata:
              name: db
            spec:
              serviceName: db
              selector:
                matchLabels:
                  app: db
              template:
                metadata:
                  annotations:
                    a: b
                  labels:
                    app: db
                spec:
                  initContainers:
                  - image: busybox
                    name: chown
                  containers:
                  - image: postgres
                    name: db
                    volumeMounts:
                    - mountPath: /data
                      name: data
                  volumes:
                  - configMap:
                      name: db
                    name: config
              volumeClaimTemplates:
              - metadata:
                  name: data
                spec:
                  accessModes: ["ReadWriteOnce"]

            """),
        SampleManifest(
            "several documents, some of other kinds", pods: 2,
            """
            ---
            # Source: a/templates/serviceaccount.yaml
            apiVersion: v1
            kind: ServiceAccount
            metadata:
              name: a
            ---
            # Source: a/templates/configmap.yaml
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: a
            data:
              a.conf: |
                kind: Deployment
                spec:
                \ttab
                  template: {}
              empty: ""
            ---
            # Source: a/templates/service.yaml
            apiVersion: v1
            kind: Service
            metadata: {name: a}
            spec:
              ports: [{port: 80, targetPort: http}]
            ---
            # Source: a/templates/daemonset.yaml
            apiVersion: apps/v1
            kind: DaemonSet
            metadata:
              name: a
            spec:
              selector:
                matchLabels: {app: a}
              template:
                metadata:
                  labels: {app: a}
                spec:
                  tolerations:
                    - operator: Exists
                  containers:
                    - name: a
                      image: a
            ---
            ---
            # nothing here
            ---
            apiVersion: batch/v1
            kind: Job
            metadata:
              generateName: migrate-
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers:
                    - name: migrate
                      image: a
            ...

            """),
        SampleManifest(
            "a CronJob",
            """
            apiVersion: batch/v1
            kind: CronJob
            metadata:
              name: nightly
            spec:
              schedule: "0 3 * * *"
              jobTemplate:
                spec:
                  template:
                    spec:
                      restartPolicy: OnFailure
                      containers:
                      - name: nightly
                        image: busybox
                        args:
                        - /bin/sh
                        - -c
                        - >-
                          date;
                          echo folded


                      volumes:

            """),
        SampleManifest(
            "null values",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: a
              annotations:
            spec:
              template:
                metadata:
                  annotations:
                  labels:
                    app: a
                spec:
                  initContainers: null
                  nodeSelector: ~
                  containers:
                    - name: a
                      image: a
                      env:
                  volumes:   # none yet

            """),
        SampleManifest(
            "empty values in braces",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: a}
            spec:
              template:
                metadata:
                  annotations: {}
                  labels: {app: a}
                spec:
                  volumes: []   # none
                  initContainers: [ ]
                  containers: [{name: a, image: a}]

            """),
        SampleManifest(
            "an empty metadata",
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: a}
            spec:
              template:
                metadata: {}
                spec: {containers: [{name: a, image: a}], restartPolicy: Never}

            """),
        SampleManifest(
            "a null metadata",
            """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: a}
            spec:
              template:
                metadata:
                spec: {containers: [{name: a, image: a}], volumes: [], restartPolicy: Never}

            """),
        SampleManifest(
            "metadata as kubectl writes it",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              creationTimestamp: null
              labels:
                app: a
              name: a
            spec:
              replicas: 1
              selector:
                matchLabels:
                  app: a
              strategy: {}
              template:
                metadata:
                  creationTimestamp: null
                  labels:
                    app: a
                spec:
                  containers:
                  - image: nginx
                    name: nginx
                    resources: {}
            status: {}

            """),
    ]
}
