-- SPDX-License-Identifier: MIT
-- /metrics and /healthz of one client and one stream.

local core = require "chainlink.core"
local health = require "chainlink.web.health"
local text = require "chainlink.text"

local monitor = {}
local Monitor = {}
Monitor.__index = Monitor

local OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
local statuses = { up = 200, degraded = 200, down = 503 }

function monitor.new()
  return setmetatable({ health = health.new(), absent = {} }, Monitor)
end

--- The client, and the stream with its feeds' ids, once they are there; nil for a stream that has failed.
function Monitor:watch(client, stream, ids)
  self.client, self.stream, self.ids, self.since = client, stream, ids, core.time()
end

--- An event of on_status: what a connection last failed by.
function Monitor:note(event)
  if event.state == "connected" then self.why = nil
  elseif event.state == "reconnecting" or event.state == "failed" then self.why = event.reason end
end

--- A feed that is asked for and not streamed, as it is refused or unknown; name nil: it is streamed.
function Monitor:note_absent(key, name)
  self.absent[key] = name
end

local function names_of(absent)
  local list = {}
  for _, name in pairs(absent) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function ages(self, now)
  local list = {}
  for i, id in ipairs(self.ids) do
    local report = self.stream:latest(id)
    local observed = report and report.observations_timestamp_ms
    list[i] = now - (observed and observed / 1000 or self.since)
  end
  return list
end

--- -> "up", "degraded" or "down", reasons
function Monitor:judge()
  local now = core.time()
  if not self.stream then return self.health:judge(nil, {}, nil, now, self.why, {}) end
  return self.health:judge(self.stream:stats(), ages(self, now), self.client:stats().circuit, now, self.why,
    names_of(self.absent))
end

--- An answer for chainlink.web.server: {status=, type=, body=}.
function Monitor:healthz()
  local status, reasons = self:judge()
  local parts = {}
  for i, reason in ipairs(reasons) do parts[i] = text.json_string(text.plain(reason)) end
  local body = ('{"status":"%s","reasons":[%s]}\n'):format(status, table.concat(parts, ","))
  return { status = statuses[status], type = "application/json", body = body }
end

--- The same for Prometheus.
function Monitor:metrics()
  local body = self.client and self.client:metrics() or "# EOF\n"
  if self.stream then body = body:gsub("# EOF\n$", "") .. self.stream:metrics() end
  return { status = 200, type = OPENMETRICS, body = body }
end

--- For chainlink.web.server.
function Monitor:routes()
  return { ["/metrics"] = function() return self:metrics() end, ["/healthz"] = function() return self:healthz() end }
end

return monitor
