-- SPDX-License-Identifier: MIT
-- What the specs of faults share: a stream of a misbehaving service, and the truth to compare it with.

local socket = require "socket"

local recorder = require "spec.support.recorder"
local simulator = require "spec.support.simulator"

local faults = {}
local Service = {}
Service.__index = Service

faults.patience = 240 -- seconds; a bound for a hang, nothing here takes as long

local QUICK = { reconnect_delay = 0.01, reconnect_max_delay = 0.05 }

local function merged(...)
  local all = {}
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...)) or {}) do all[name] = value end
  end
  return all
end

--- A simulator with a client of it; options of both may be given.
function faults.service(sim_options, client_options)
  local sim = simulator.start(merged({ rate = 50, rate_limit = 0, feeds = 1 }, sim_options))
  local self = setmetatable({ sim = sim }, Service)
  self.client = sim:client(merged({ rate_limit = false, circuit_breaker = false, retry_delay = 0.01 }, client_options))
  self.ids = {}
  for _, feed in ipairs(assert(self.client:get_feeds())) do self.ids[#self.ids + 1] = feed.id end
  return self
end

--- A stream of all its feeds (or of `ids`) that reconnects quickly, and the recorder of its events.
function Service:stream(options, ids)
  local record = recorder.new()
  local all = record:options(merged(QUICK, options))
  all.on_response = nil
  return self.client:stream(ids or self.ids, all), record
end

--- A request to the simulator, which must be granted.
function Service:control(path, method)
  local text, status = self.sim:control(method or "POST", "/control/" .. path)
  assert(status and status < 300, path .. ": " .. tostring(text))
end

function Service:reset()
  self.sim:clear_faults()
  self:control "up?what=all"
  self:control "clock?offset=0"
end

function Service:stop()
  self.client:close()
  self.sim:stop()
end

--- Reads reports into a list until `enough(list)`; answers the list. What takes too long is an error.
function faults.read_until(stream, enough, reports)
  reports = reports or {}
  local deadline = socket.gettime() + faults.patience
  while not enough(reports) do
    local report, err = stream:read(0.05)
    if report then
      reports[#reports + 1] = report
    elseif err.kind ~= "TimeoutError" or socket.gettime() > deadline then
      error(tostring(err) .. "; after " .. #reports .. " reports", 2)
    end
  end
  return reports
end

--- So many reports more, and all events so far: the reports may have overtaken some.
function faults.read(stream, count, reports)
  local enough = (reports and #reports or 0) + count
  local list = faults.read_until(stream, function(read) return #read >= enough end, reports)
  stream:stats()
  return list
end

local function by_feed(reports)
  local lists, order = {}, {}
  for _, report in ipairs(reports) do
    local list = lists[report.feed_id]
    if not list then
      list = {}
      lists[report.feed_id], order[#order + 1] = list, report.feed_id
    end
    list[#list + 1] = report
  end
  return lists, order
end

-- All reports of the feed from one second to another as REST has them.
local function truth(client, id, from, to)
  local list = {}
  for report in client:reports(id, from, to) do list[#list + 1] = report end
  return list
end

local function at_second(id, report)
  return ("%s of second %d"):format(id, report.observations_timestamp)
end

-- One feed's reports: in order, each once, all made by the service, and all it made from the first on, up to the last
-- second, which may not be complete yet.
local function check_feed(id, list, all)
  local made, delivered = {}, {}
  for _, report in ipairs(all) do made[report.report_blob] = true end
  for i, report in ipairs(list) do
    local blob, before = report.report_blob, list[i - 1]
    assert(not before or before.observations_timestamp_ms <= report.observations_timestamp_ms,
      "after a later one: " .. at_second(id, report))
    assert(made[blob], "never made: " .. at_second(id, report))
    assert(not delivered[blob], "twice: " .. at_second(id, report))
    delivered[blob] = true
  end
  local begun, last = false, list[#list].observations_timestamp
  for _, report in ipairs(all) do
    begun = begun or report.report_blob == list[1].report_blob
    local needed = begun and report.observations_timestamp < last
    assert(not needed or delivered[report.report_blob], "missing: " .. at_second(id, report))
  end
end

--- Checks all reports of a stream against what REST has.
function Service:check_complete(reports)
  local lists, order = by_feed(reports)
  for _, id in ipairs(order) do
    local list = lists[id]
    check_feed(id, list, truth(self.client, id, list[1].observations_timestamp, list[#list].observations_timestamp))
  end
end

--- How often a state was reported.
function faults.count(record, state)
  local count = 0
  for _, event in ipairs(record.statuses) do count = count + (event.state == state and 1 or 0) end
  return count
end

return faults
