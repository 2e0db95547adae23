-- SPDX-License-Identifier: MIT
-- The stream as its monitor sees it: what is told of each feed comes from what was published of it.

local metrics = require "chainlink.metrics"

local View = {}
View.__index = View

local view = {}

local AT_ONCE = 16 -- feeds
local TURN = 0.001 -- seconds; a timer of 0 nginx runs again and again before it looks at anything else

function view.new(stream, store)
  return setmetatable({ stream = stream, store = store, newest = {} }, View)
end

function View:stats()
  return self.stream:stats()
end

--- What counts of the feed's newest report; nil when there is none.
function View:latest(id)
  self.newest.observations_timestamp_ms = self.store:observed(id)
  return self.newest.observations_timestamp_ms and self.newest
end

--- As stream:metrics(), without what is told of each feed: view.ages tells that to who asks.
function View:metrics()
  return metrics.stream(self, self:stats())
end

--- The ages of these feeds as metrics, in any worker; yields, so that no other request waits for a thousand of them.
function view.ages(store, ids)
  local asked, newest = 0, {}
  return metrics.ages({ latest = function(_, id)
    asked = asked + 1
    if asked % AT_ONCE == 0 then ngx.sleep(TURN) end
    newest.observations_timestamp_ms = store:published(id)
    return newest.observations_timestamp_ms and newest
  end }, ids)
end

return view
