-- SPDX-License-Identifier: MIT
-- The one order that reports of several feeds are in, wherever they are merged: by the time of their observations, then
-- by feed id, then by blob. So what is written of the same reports is the same, whoever wrote it and in however many
-- runs.

local order = {}

--- A report with what it is ordered by; the blob's hex is made when it is needed. `otherwise` is the second of a report
--- that tells none.
function order.entry(report, otherwise)
  local ms = tonumber(report.observations_timestamp_ms or otherwise and otherwise * 1000)
  return { report = report, ms = ms, id = report.feed_id }
end

local function blob_of(entry)
  entry.blob = entry.blob or entry.report.report_blob
  return entry.blob
end

--- Does entry `a` come before `b`? Two signings of one blob are ordered too.
function order.before(a, b)
  if a.ms ~= b.ms then return a.ms < b.ms end
  if a.id ~= b.id then return a.id < b.id end
  local blob, other = blob_of(a), blob_of(b)
  if blob ~= other then return blob < other end
  return a.report.full_report < b.report.full_report
end

--- Are they the same report, though others may have signed it?
function order.same(a, b)
  return a.ms == b.ms and a.id == b.id and blob_of(a) == blob_of(b)
end

return order
