-- SPDX-License-Identifier: MIT
-- Times as people write them, as Unix seconds.

local calendar = require "chainlink.time"

local time = {}

local LATEST = 4294967295
local units = { [""] = 1, s = 1, m = 60, h = 3600, d = 86400 }

time.forms = "Unix seconds, 2024-12-14, 2024-12-14T22:49:05Z (or +02:00), now, now-60, now-1h, now+5m"

-- "", "Z", "+02:00", "-0330", "+02" -> seconds east of Greenwich; nil for anything else
local function read_zone(zone)
  if zone == "" or zone == "Z" or zone == "z" then return 0 end
  local sign, hours, minutes = zone:match "^([+-])(%d%d):?(%d%d)$"
  if not sign then sign, hours, minutes = zone:match "^([+-])(%d%d)()$" end
  if not sign then return nil end
  hours, minutes = tonumber(hours), #zone > 3 and tonumber(minutes) or 0
  if hours > 14 or minutes > 59 then return nil end
  return (hours * 3600 + minutes * 60) * (sign == "-" and -1 or 1)
end

-- "T22:49:05.5+02:00" and shorter -> seconds of the day, zone; nil where it is none, or there is no such hour
local function read_clock(text)
  if text == "" then return 0, 0 end
  local hour, minute, rest = text:match "^[Tt ](%d%d):(%d%d)(.*)$"
  if not hour then return nil end
  local second, zone = rest:match "^:(%d%d)(.*)$"
  second, zone = tonumber(second or 0), (zone or rest):gsub("^%.%d+", "")
  hour, minute, zone = tonumber(hour), tonumber(minute), read_zone(zone)
  if not zone or hour > 23 or minute > 59 or second > 59 then return nil end
  return hour * 3600 + minute * 60 + second, zone
end

local function read_date(text)
  local day, clock = text:match "^(%d%d%d%d%-%d%d%-%d%d)(.*)$"
  if not day then return nil end
  local midnight = calendar.day(day)
  if not midnight then return nil, "there is no such day" end
  local seconds, zone = read_clock(clock)
  if not seconds then return nil, "there is no such time of day" end
  return midnight + seconds - zone
end

local function read_relative(text, now)
  local sign, count, unit = text:match "^now([+-])(%d+)(%a?)$"
  if text == "now" then return now end
  if not sign or not units[unit] then return nil end
  return now + tonumber(count) * units[unit] * (sign == "-" and -1 or 1)
end

--- Fractions of a second are cut off. -> seconds | nil, what is wrong (nil: it is none of the forms)
function time.read(text, now)
  local unix, reason = tonumber(text:match "^(%d+)%.?%d*$"), nil
  if unix and unix > LATEST and unix <= LATEST * 1000 then return nil, "it looks like milliseconds" end
  local seconds = unix or read_relative(text, now)
  if not seconds then seconds, reason = read_date(text) end
  if not seconds then return nil, reason end
  if seconds < 0 or seconds > LATEST then return nil, "times are from 1970 to 2106" end
  return seconds
end

return time
