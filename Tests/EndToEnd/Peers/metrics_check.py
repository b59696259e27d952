"""Reads /metrics by Prometheus' own parsers, in both formats, and prints the samples of the text: NAME{LABELS} VALUE.

metrics_check.py URL
"""

import sys
import urllib.request

from prometheus_client import openmetrics, parser
from prometheus_client.openmetrics import parser as open_parser


def fetch(accept):
    request = urllib.request.Request(sys.argv[1], headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


kind, text = fetch("*/*")
assert kind.startswith("text/plain; version=0.0.4"), kind
families = list(parser.text_string_to_metric_families(text))
kind, other = fetch("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
assert kind.startswith("application/openmetrics-text; version=1.0.0"), kind
# Its parser is strict: suffixes, order, the end.
strict = list(open_parser.text_string_to_metric_families(other))
assert {family.name for family in strict} == {family.name for family in families}
for family in families:
    assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
    for sample in family.samples:
        labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
        print(f"{sample.name}{{{labels}}} {sample.value:g}")
