-- SPDX-License-Identifier: MIT
-- The stream as its monitor sees it. What is told of each feed comes from what was published of it, and lines are made
-- of a few feeds at a time, so that a worker with a thousand feeds has other requests wait for none of it.

local metrics = require "chainlink.metrics"

local View = {}
View.__index = View

local view = {}

local AT_ONCE = 4 -- feeds
local TURN = 0.001 -- seconds; a timer of 0 nginx runs again and again before it looks at anything else

function view.new(stream, store, ids)
  local sorted = {}
  for i, id in ipairs(ids) do sorted[i] = id end
  table.sort(sorted)
  return setmetatable({ stream = stream, store = store, ids = sorted, newest = {} }, View)
end

function View:stats()
  return self.stream:stats()
end

--- What counts of the feed's newest report; nil when there is none.
function View:latest(id)
  self.newest.observations_timestamp_ms = self.store:observed(id)
  return self.newest.observations_timestamp_ms and self.newest
end

--- As stream:metrics(); yields.
function View:metrics()
  local asked = 0
  local slowly = { latest = function(_, id)
    asked = asked + 1
    if asked % AT_ONCE == 0 then ngx.sleep(TURN) end
    return self:latest(id)
  end }
  return metrics.stream(slowly, self:stats(), self.ids)
end

return view
