extension Manifests {
    static let styles = [
        SampleManifest(
            "flow style throughout",
            """
            {apiVersion: v1, kind: Pod, metadata: {name: a, labels: {x: y}}, spec: {contai\
            ners: [{name: a, image: b}]}}

            """),
        SampleManifest(
            "flow style with lists to add to",
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: a, annotations: {a: b}}
            spec:
              initContainers: [{name: i, image: i}, {name: j, image: j}]
              containers: [
                {name: a, image: b},   # the first
              ]
              volumes: [
                # the data
                {name: data, emptyDir: {}},
              ]

            """),
        SampleManifest(
            "JSON with line breaks", pods: 2,
            """
            {
                "apiVersion": "v1",
                "kind": "List",
                "items": [
                    {
                        "apiVersion": "apps/v1",
                        "kind": "Deployment",
                        "metadata": {
                            "name": "a"
                        },
                        "spec": {
                            "template": {
                                "metadata": {
                                    "annotations": {},
                                    "labels": {
                                        "app": "a"
                                    }
                                },
                                "spec": {
                                    "containers": [
                                        {
                                            "name": "a",
                                            "image": "a"
                                        }
                                    ],
                                    "volumes": [
                                    ],
                                    "initContainers": []
                                }
                            }
                        }
                    },
                    {
                        "apiVersion": "v1",
                        "kind": "Pod",
                        "metadata": {
                            "name": "b",
                            "annotations": {
                                "x": "y"
                            }
                        },
                        "spec": {
                            "volumes": [
                                {
                                    "name": "v",
                                    "emptyDir": {}
                                }
                            ],
                            "containers": [
                                {
                                    "name": "a",
                                    "image": "a"
                                }
                            ]
                        }
                    }
                ]
            }

            """),
        SampleManifest(
            "JSON on one line",
            "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"template\""
                + ":{\"metadata\":{},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"a\"}],\"volumes\":[]}}}}"),
        SampleManifest(
            "JSON without pod metadata",
            "{\"apiVersion\":\"batch/v1\",\"kind\":\"Job\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"template\""
                + ":{\"spec\":{\"initContainers\":[{\"name\":\"x\",\"image\":\"a\"}],\"containers\":[{\"name\":\"a\","
                + "\"image\":\"a\"}]}}}}\n"),
        SampleManifest(
            "JSON with tabs",
            """
            {
            \t"apiVersion": "v1",
            \t"kind": "Pod",
            \t"metadata": {"name": "a"},
            \t"spec": {
            \t\t"containers": [{"name": "a", "image": "a"}],
            \t\t"volumes": [
            \t\t\t{"name": "v", "emptyDir": {}}
            \t\t]
            \t}
            }

            """),
        SampleManifest(
            "a List of lists", pods: 2,
            """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: Pod
              metadata:
                name: a
              spec:
                containers:
                - name: a
                  image: a
            - apiVersion: v1
              kind: PodList
              items:
              -
                apiVersion: v1
                kind: Pod
                metadata: {name: b}
                spec: {containers: [{name: b, image: b}]}
              - kind: Service
                apiVersion: v1

            """),
        SampleManifest(
            "line ends of Windows",
            """
            apiVersion: apps/v1\r
            kind: Deployment\r
            metadata:\r
              name: a\r
            spec:\r
              template:\r
                metadata:\r
                  annotations:\r
                spec:\r
                  # comment\r
                  containers:\r
                    - name: a\r
                      image: a\r
                  volumes: []\r

            """),
        SampleManifest(
            "no line break at the end",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
            spec:
              containers:
              - name: a
                image: a
            """),
        SampleManifest(
            "a null value at the very end",
            """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
            spec:
              containers:
              - name: a
                image: a
              volumes:
            """),
        SampleManifest(
            "a null value at the very end, with line ends of Windows",
            """
            apiVersion: batch/v1\r
            kind: Job\r
            metadata:\r
              name: a\r
            spec:\r
              template:\r
                spec:\r
                  containers:\r
                  - name: a\r
                    image: a\r
                  initContainers: []\r
                metadata:
            """),
    ]
}
