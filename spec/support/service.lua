-- SPDX-License-Identifier: MIT
-- The scene of many specs: a simulator and a client of it, ended whatever becomes of the tests.

local busted = require "busted"
local simulator = require "spec.support.simulator"

local service = {}

-- Called within describe: `take(simulator, client)` is called before its tests.
local function scene(before, after, options, client_options, take)
  local sim, client
  before(function()
    sim = simulator.start(options)
    client = sim:client(client_options)
    take(sim, client)
  end)
  after(function()
    if client then client:close() end
    if sim then sim:stop() end
    sim, client = nil, nil
  end)
  return function() return sim end
end

--- One for all tests of the block; faults that are left over are cleared after each.
function service.for_all(options, client_options, take)
  local current = scene(busted.setup, busted.teardown, options, client_options, take)
  busted.after_each(function() current():clear_faults() end)
end

--- One for each test of the block.
function service.for_each(options, client_options, take)
  scene(busted.before_each, busted.after_each, options, client_options, take)
end

--- The ids of the feeds that a client may read.
function service.ids(client)
  local ids = {}
  for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
  return ids
end

return service
