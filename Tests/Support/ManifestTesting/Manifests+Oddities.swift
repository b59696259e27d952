extension Manifests {
    static let oddities = [
        SampleManifest(
            "long texts",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                long: "\(String(repeating: "x", count: 5_000))"
                folded: "one
                  two
                  three"
            spec:
              containers:
                - name: a
                  image: a
                  args: ["\(String(repeating: "y", count: 5_000))",
                    'and
                    more']

            """),
        SampleManifest(
            "all to skip", pods: 0,
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: a}
            spec: {hostNetwork: true, containers: [{name: a}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: a, annotations: {postern.dev/inject: disabled}}
            spec: {containers: [{name: a}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: a}
            spec: {os: {name: windows}, containers: [{name: a}]}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: a}
            spec: {replicas: 3}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: a}
            spec: {template: {spec: {nodeName: x}}}
            ---
            apiVersion: batch.volcano.sh/v1alpha1
            kind: Job
            metadata: {name: a}
            spec: {template: {spec: {containers: [{name: a}]}}}

            """),
        SampleManifest(
            "annotations that choose",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: a}
            spec:
              template:
                metadata:
                  annotations:
                    postern.dev/inject: enabled
                    postern.dev/settings: orders-postern
                    postern.dev/skip-inbound-ports: "22,9100-9199"
                    postern.dev/skip-outbound-ports: "5432"
                    postern.dev/skip-outbound-addresses: 10.0.0.0/8,fd00::/8
                    postern.dev/cpu-limit: "1"
                    postern.dev/memory-limit: 1Gi
                spec:
                  containers:
                    - name: a
                      image: a

            """),
        SampleManifest(
            "a redirection by others",
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: a}
            spec:
              template:
                metadata:
                  annotations:
                    "postern.dev/redirection": none
                spec:
                  initContainers:
                    - {name: i, image: i}
                  containers:
                    - name: a
                      image: a

            """),
        SampleManifest(
            "a PodList whose items do not say what they are", pods: 2,
            """
            apiVersion: v1
            kind: PodList
            items:
            - metadata:
                name: a
              spec:
                containers:
                - name: a
                  image: a
            - {metadata: {name: b}, spec: {containers: [{name: b, image: b}]}}

            """),
        SampleManifest(
            "an empty file", pods: 0,
            """

            """),
        SampleManifest(
            "comments alone", pods: 0,
            """
            # nothing
            ---
            # here

            """),
        SampleManifest(
            "the values of a key on the next line",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              {name: a}
            spec:
              containers:
                [{name: a, image: a}]
              volumes:
                [
                  {name: v, emptyDir: {}}
                ]

            """),
        SampleManifest(
            "empty braces over several lines",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations: {
              }
            spec:
              initContainers:
                []
              containers:
                - {name: a, image: a}
              volumes: [   # none
              ]

            """),
        SampleManifest(
            "trailing spaces and a carriage return within",
            """
            apiVersion: v1  
            kind: Pod   
            metadata:   
              name: a   
            spec:  
              containers:  
              -  name: a  
                 image: a  
              volumes:  
              -  name: v  
                 emptyDir: {}  

            """),
        SampleManifest(
            "a workload of the ingress controller's size", pods: 2,
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              labels:
                app.kubernetes.io/component: controller
              name: ingress-nginx-controller
              namespace: ingress-nginx
            spec:
              minReadySeconds: 0
              revisionHistoryLimit: 10
              template:
                metadata:
                  labels:
                    app.kubernetes.io/component: controller
                spec:
                  containers:
                  - args:
                    - /nginx-ingress-controller
                    - --election-id=ingress-nginx-leader
                    - --validating-webhook-key=/usr/local/certificates/key
                    env:
                    - name: POD_NAME
                      valueFrom:
                        fieldRef:
                          fieldPath: metadata.name
                    - name: LD_PRELOAD
                      value: /usr/local/lib/libmimalloc.so
                    image: registry.k8s.io/ingress-nginx/controller:v1.11.2@sha256:d5f8217\
            feeac4887cb1ed21f27c2674e58be06bd8f5184cacea2a69abaf78dce
                    lifecycle:
                      preStop:
                        exec:
                          command:
                          - /wait-shutdown
                    name: controller
                    securityContext:
                      allowPrivilegeEscalation: false
                      capabilities:
                        add:
                        - NET_BIND_SERVICE
                        drop:
                        - ALL
                      runAsUser: 101
                    volumeMounts:
                    - mountPath: /usr/local/certificates/
                      name: webhook-cert
                      readOnly: true
                  dnsPolicy: ClusterFirst
                  nodeSelector:
                    kubernetes.io/os: linux
                  serviceAccountName: ingress-nginx
                  terminationGracePeriodSeconds: 300
                  volumes:
                  - name: webhook-cert
                    secret:
                      secretName: ingress-nginx-admission
            ---
            apiVersion: batch/v1
            kind: Job
            metadata:
              name: ingress-nginx-admission-create
            spec:
              template:
                metadata:
                  name: ingress-nginx-admission-create
                spec:
                  containers:
                  - args:
                    - create
                    - --host=ingress-nginx-controller-admission,ingress-nginx-controller-a\
            dmission.$(POD_NAMESPACE).svc
                    image: registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.4.3
                    name: create
                  restartPolicy: OnFailure

            """),
    ]
}
