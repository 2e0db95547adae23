-- SPDX-License-Identifier: MIT
-- Times as text: for people, and as the service writes them.

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

-- ---- read ----

local function is_leap_year(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

local function days_of_month(year, month)
  if month == 2 then return is_leap_year(year) and 29 or 28 end
  return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
end

-- Days from 1970-01-01 on, by the calendar whose year begins in March, so that a leap day is the last.
local function days_since_1970(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local before = 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return before + math.floor((153 * month - 457) / 5) + day - 306 - 719163
end

--- The Unix seconds of a day's beginning, UTC; nil for what is not exactly YYYY-MM-DD, or no such day.
function time.day(value)
  local year, month, day = value:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
  if not year then return nil end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month < 1 or month > 12 or day < 1 or day > days_of_month(year, month) then return nil end
  return days_since_1970(year, month, day) * 86400
end

-- "Z", "+02:00" -> seconds east of Greenwich; nil for anything else
local function read_offset(zone)
  if zone == "Z" then return 0 end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):(%d%d)$"
  hours, minutes = tonumber(hours), tonumber(minutes)
  if not sign or hours > 23 or minutes > 59 then return nil end
  return (hours * 3600 + minutes * 60) * (sign == "-" and -1 or 1)
end

--- The whole Unix seconds of a time of RFC 3339 ("2024-12-14T22:49:05.123456Z"), its fraction cut off; nil for anything
--- else.
function time.rfc3339(value)
  local day, hour, minute, second, rest = value:match "^([%d-]+)T(%d%d):(%d%d):(%d%d)(.*)$"
  if not day then return nil end
  local fraction, zone = rest:match "^%.(%d+)(.*)$"
  local offset = read_offset(zone or rest)
  local midnight = time.day(day)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if not midnight or not offset or hour > 23 or minute > 59 or second > 59 then return nil end
  if fraction and #fraction > 9 then return nil end
  return midnight + hour * 3600 + minute * 60 + second - offset
end

return time
