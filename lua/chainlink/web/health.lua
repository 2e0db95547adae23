-- SPDX-License-Identifier: MIT
-- How a stream and its client are, in one word and with reasons: up, degraded, down.

local health = {}

local SILENT_SECONDS = 30 -- without a report of a feed
local LOSS_SECONDS = 60   -- for so long a loss is told
local MOST_NAMES = 5      -- in one reason

local Health = {}
Health.__index = Health

function health.new()
  return setmetatable({ lost = 0, dropped = 0 }, Health)
end

local function say(reasons, count, one, many)
  if count > 0 then reasons[#reasons + 1] = (count == 1 and one or many):format(count) end
end

-- Counters that have grown lately.
local function losses(self, reasons, stats, now)
  for _, name in ipairs { "lost", "dropped" } do
    if stats[name] > self[name] then self[name .. "_at"] = now end
    self[name] = stats[name]
  end
  if self.lost_at and now - self.lost_at < LOSS_SECONDS then
    reasons[#reasons + 1] = "reports were lost in the last minute"
  end
  if self.dropped_at and now - self.dropped_at < LOSS_SECONDS then
    reasons[#reasons + 1] = "reports left the queue unread in the last minute"
  end
end

local function absences(reasons, names)
  if #names == 0 then return end
  reasons[#reasons + 1] = "refused or unknown, so not streamed: "
    .. table.concat(names, ", ", 1, math.min(#names, MOST_NAMES))
    .. (#names > MOST_NAMES and (" and %d more"):format(#names - MOST_NAMES) or "")
end

--- stats: of the stream, nil when there is none; ages: array of seconds since each feed's newest report, or since the
--- start where there is none; circuit: the client's; why: words for what is wrong, as far as it is known;
--- absent: array of names of feeds that were asked for and are not streamed.
--- -> "up", "degraded" or "down", reasons
function Health:judge(stats, ages, circuit, now, why, absent)
  local reasons, silent = {}, 0
  if not stats then return "down", { why or "the stream has not begun" } end
  losses(self, reasons, stats, now)
  for _, age in ipairs(ages) do silent = silent + (age > SILENT_SECONDS and 1 or 0) end
  say(reasons, silent, "a feed has had no report for 30 seconds", "%d feeds have had no report for 30 seconds")
  absences(reasons, absent)
  if circuit ~= "closed" then
    reasons[#reasons + 1] = "REST fails: its circuit breaker is " .. circuit:gsub("_", " ")
  end
  local active, configured = stats.active_connections, stats.configured_connections
  if active == 0 then
    table.insert(reasons, 1, "no connection to the service is up" .. (why and ": " .. why or ""))
    return "down", reasons
  end
  if active < configured then
    table.insert(reasons, 1, ("%d of %d connections are up"):format(active, configured))
  end
  return #reasons > 0 and "degraded" or "up", reasons
end

return health
