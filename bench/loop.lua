-- SPDX-License-Identifier: MIT
-- How late a sibling of an event loop is that wants to be woken every 10 ms: alone, and while another coroutine reads a
-- stream of 1,000 reports a second. In the loops that this Lua has.   loop.lua SECONDS
package.path = "bench/?.lua;" .. package.path
local core = require "chainlink.core"
local host = require "spec.support.host"
local simulator = require "spec.support.simulator"

local seconds = tonumber(arg[1] or 5)
local EVERY = 0.01
local PER_SECOND, FEEDS = 1000, 10

-- Milliseconds that each tick comes late, sorted, until done().
local function tick(loop, done)
  local late = {}
  loop.spawn(function()
    while not done() do
      local due = core.monotonic() + EVERY
      loop.sleep(EVERY)
      late[#late + 1] = (core.monotonic() - due) * 1000
    end
    table.sort(late)
  end)
  return late
end

local function print_late(what, late)
  print(("%-42s late by %5.2f ms (median), %5.2f (99 %%), %5.2f (most) of %d ticks"):format(what,
    late[math.ceil(#late / 2)], late[math.ceil(#late * 0.99)], late[#late], #late))
end

local function measure_alone(name)
  local loop, till = host[name](), core.monotonic() + seconds
  local late = tick(loop, function() return core.monotonic() >= till end)
  loop.run()
  print_late(name .. ", alone", late)
end

local function measure_beside(name, sim)
  local loop, is_done, late = host[name](), false, nil
  loop.spawn(function()
    local client, ids = sim:client { loop = name }, {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    local stream = client:stream(ids)
    assert(stream:read())
    late = tick(loop, function() return is_done end)
    for _ = 1, PER_SECOND * seconds do assert(stream:read()) end
    is_done = true
    client:close()
  end)
  loop.run()
  print_late(("%s, beside %d reports a second"):format(name, PER_SECOND), late)
end

local sim = simulator.start { feeds = FEEDS, rate = PER_SECOND / FEEDS, rate_limit = 0 }
for _, name in ipairs { "cqueues", "luv", "copas" } do
  if host.has(name) then
    measure_alone(name)
    measure_beside(name, sim)
  end
end
sim:stop()
