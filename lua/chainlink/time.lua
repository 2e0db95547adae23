-- SPDX-License-Identifier: MIT
-- Times as text for people.

local time = {}

local LAST = 253402300799 -- the end of the year 9999

--- Unix seconds as ISO 8601, nil for what is no such time; with ms (their milliseconds since 1970) to the millisecond.
function time.text(seconds, ms)
  if type(seconds) ~= "number" or seconds > LAST then return nil end
  return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. (ms and (".%03d"):format(ms % 1000) or "") .. "Z"
end

--- One of a report's times ("observations_timestamp", "expires_at", …) in the feed's own unit, nil when it has none.
function time.of(report, name)
  return time.text(report[name], report.resolution == "ms" and report[name .. "_ms"] or nil)
end

return time
