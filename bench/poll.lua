-- SPDX-License-Identifier: MIT
-- What a frame of a game's loop pays: stream:poll() with nothing to read, and with a full queue.   poll.lua RUNS
package.path = "bench/?.lua;" .. package.path
local core = require "chainlink.core"
local median = require "median"
local simulator = require "spec.support.simulator"

local runs = tonumber(arg[1] or 5)
local EMPTY_POLLS, FULL_POLLS = 100000, 5000

local function first_id(client)
  return assert(client:get_feeds())[1].id
end

-- A feed that has had its first reports and then no more.
local function with_nothing(client, sim)
  local stream = client:stream { first_id(client) }
  assert(stream:read(10))
  sim:control("POST", "/control/pause?seconds=3600")
  while stream:read(1.5) do end
  return stream
end

local function time(stream, count)
  local started = core.monotonic()
  for _ = 1, count do stream:poll() end
  return (core.monotonic() - started) / count * 1e9
end

local empty, full = {}, {}
local sim = simulator.start { feeds = 1, rate = 1000 }
local client = sim:client()
for run = 1, runs do
  local stream = client:stream({ first_id(client) }, { queue_size = 2 * FULL_POLLS })
  repeat core.wait(-1, 0.01) until stream:stats().queue_length >= FULL_POLLS
  full[run] = time(stream, FULL_POLLS)
  stream:close()
end
local stream = with_nothing(client, sim)
for run = 1, runs do empty[run] = time(stream, EMPTY_POLLS) end
client:close()
sim:stop()
median.print("stream:poll() with nothing to read", "ns", empty)
median.print("stream:poll() from a full queue", "ns", full)
