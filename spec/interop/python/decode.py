# SPDX-License-Identifier: MIT
"""What py-chainlink-streams makes of reports: "fullReport feedId" a line in, one line of JSON out."""

import json
import sys

from py_chainlink_streams import ReportResponse


def decode(full_report, feed_id):
    # The times of the envelope are not looked at by decode().
    decoded = ReportResponse(feed_id, full_report, 0, 0).decode()
    fields = {name: str(value) for name, value in decoded["data"].items()}
    return {"version": decoded["schemaVersion"], "fields": fields, "signatures": len(decoded["rawRs"])}


for line in sys.stdin:
    try:
        answer = decode(*line.split())
    except Exception as error:  # whatever it raises is the answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
