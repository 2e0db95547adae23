-- SPDX-License-Identifier: MIT
-- A helper of busted (--helper): while specs run, the collector runs at each allocation, and in every cycle a finalizer
-- asks the binding for something, in the midst of whatever it does.

local chainlink = require "chainlink"
local collector = require "spec.support.collector"
local core = require "chainlink.core"
local sample = require "spec.support.sample"

local streams, clients = setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "k" })

local function remember(list, make)
  return function(...)
    local object, err = make(...)
    if object then list[object] = true end
    return object, err
  end
end

core.stream, core.client = remember(streams, core.stream), remember(clients, core.client)

-- What changes nothing: the specs go on as if nobody had asked.
local function ask()
  assert(chainlink.decode(sample.v8).market_status == 2)
  local stream, client = next(streams), next(clients)
  if client then core.client_stats(client) end
  if not stream then return end
  core.stream_stats(stream)
  core.stream_latest(stream, sample.feed_id(3))
  assert(tostring(stream))
end

local runs = 0

local function finalize()
  runs = runs + 1
  setmetatable({}, { __gc = finalize })
  if runs % 10 == 0 then pcall(ask) end
end

collector.be_eager()
collectgarbage()
finalize()

local ALLOCATIONS = 1000
local before = runs
for i = 1, ALLOCATIONS do local _ = { i } end
assert(runs - before >= ALLOCATIONS / 2, "the collector does not run at each allocation: " .. runs - before)
