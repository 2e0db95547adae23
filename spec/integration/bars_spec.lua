-- SPDX-License-Identifier: MIT
-- Bars, averages and guards over streams, replays and histories, one over the other; and against Python.

local chainlink = require "chainlink"
local check = require "spec.support.failure"
local priced = require "spec.support.priced"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local has_close = _VERSION >= "Lua 5.4"

-- Bars by their time, as text; of a bar sent twice the last.
local function texts(bars)
  local out = {}
  for _, bar in ipairs(bars) do
    out[("%s %d"):format(bar.feed_id, bar.time)] = ("%s %s %s %s x%d %d..%d"):format(bar.open, bar.high, bar.low,
      bar.close, bar.count, bar.first_ms, bar.last_ms)
  end
  return out
end

local function collect(source)
  local list = {}
  for value in source do list[#list + 1] = value end
  return list
end

describe("bars over what the service gives", function()
  local sim, client, ids, folder, remove

  setup(function()
    sim = simulator.start { rate = 20 }
    client = sim:client()
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do
      if i <= 2 then ids[i] = feed.id end
    end
    folder, remove = project.folder()
  end)

  teardown(function()
    client:close()
    sim:stop()
    remove()
  end)

  -- Bars of a live stream, which is recorded.
  local function record(path)
    local stream = client:stream(ids)
    assert(stream:record(path))
    local bars = chainlink.bars { interval = "1s" }
    local source, made = bars:over(stream), {}
    while bars:stats().reports < 130 do made[#made + 1] = assert(source:read(30)) end
    stream:close()
    bars:flush()
    for bar in function() return bars:take() end do made[#made + 1] = bar end
    return made, bars:stats()
  end

  it("are the same of a stream, of its recording, and of the history of that time", function()
    local made, stats = record(folder .. "/live.jsonl")
    assert.is_true(#made > 2 and made[1].complete)
    local replayed = chainlink.bars { interval = "1s" }
    local again = collect(replayed:over(assert(chainlink.replay(folder .. "/live.jsonl", { speed = "max" }))))
    local live = texts(made)
    assert.same(live, texts(again))
    assert.equal(stats.reports, replayed:stats().reports)
    -- The stream began and ended within a second: these are not compared.
    local compared = 0
    for _, id in ipairs(ids) do
      local times = {}
      for key in pairs(live) do
        if key:find(id, 1, true) then times[#times + 1] = tonumber(key:match " (%d+)$") end
      end
      table.sort(times)
      local bars = chainlink.bars { interval = "1s" }
      local past = texts(collect(bars:over(client:reports(id, times[1], times[#times]))))
      for i = 2, #times - 1 do
        local key = id .. " " .. ("%d"):format(times[i])
        assert.equal(past[key], live[key])
        compared = compared + 1
      end
    end
    assert.is_true(compared > 0)
  end)

  it("go on behind a guard, and averages too", function()
    local guard = chainlink.guard { max_age = 60, heartbeat = 2 }
    local stream = client:stream(ids)
    local source = chainlink.twap { window = "1m" }:over(guard:over(stream))
    for _ = 1, 4 do
      local value = assert(source:read(30))
      assert.is_true(value.coverage > 0)
    end
    assert.equal(4, guard:stats().passed)
    assert.is_true(guard:stats().unmoved > 0)
    source:close()
    check.failure("StreamClosedError", {}, stream:read(0))
    while source:read(0) do end -- what waited in the stream's queue
    check.failure("StreamClosedError", {}, source:read(0))
  end)

  it("can be polled, and read for a time", function()
    local stream = client:stream(ids)
    local source = chainlink.bars { interval = "1d" }:over(stream)
    check.failure("TimeoutError", { retryable = true }, source:read(0.3))
    assert(stream:connect(30))
    assert.is_nil((source:poll()))
    stream:close()
    local bar
    repeat bar = source:poll() until bar
    assert.is_false(bar.complete)
    repeat
      local more, err = source:poll()
    until not more and check.failure("StreamClosedError", {}, more, err)
  end)

  it("end with a stream that fails, after what was in progress", function()
    local stream = sim:client({ api_secret = "not-the-secret" }):stream(ids)
    local bars = chainlink.bars { interval = "1m" }
    bars:push(priced.report { at = 1700000040, price = 1 })
    local source = bars:over(stream)
    assert.equal(1700000040, source().time)
    check.raised("AuthenticationError", {}, source)
    check.failure("AuthenticationError", {}, source:read())
  end)

  it("close their stream where Lua closes what leaves a scope", function()
    if not has_close then return end
    local stream = client:stream(ids)
    local source = chainlink.guard {}:over(stream)
    for report in source, nil, nil, source do -- luacheck: ignore 512
      assert.is_number(report.price)
      break
    end
    while stream:read(0) do end
    check.failure("StreamClosedError", {}, stream:read(0))
  end)

  it("are printed by the example", function()
    local output, status = project.run(("%s timeout 30 %s examples/bars.lua %s 1s 2"):format(sim:exports(), project.lua,
      ids[1]))
    assert.equal(0, status, output)
    local count = 0
    for line in output:gmatch "[^\n]+" do
      assert.matches("^%d+:%d+:%d+  open [%d.]+  high [%d.]+  low [%d.]+  close [%d.]+  %(%d+ reports, %d+ %% covered%)"
        .. "  average [%d.]+$", line)
      count = count + 1
    end
    assert.equal(2, count)
  end)

  it("raise what an iterator raises, and cannot poll one", function()
    local source = chainlink.bars { interval = "1m" }:over(function() error("broken", 0) end)
    local ok, err = pcall(source)
    assert.same({ false, "broken" }, { ok, err })
    check.says(check.raised("ConfigError", {}, source.poll, source), "cannot be polled")
  end)
end)

describe("bars, averages and guards of random reports", function()
  it("are what Python makes of them", function()
    local _, absent = project.run "python3 --version"
    if absent ~= 0 then return pending "python3 is missing: nothing to compare with" end
    local output, status = project.run(("python3 spec/bars/check.py %s 20000 %d"):format(project.lua, os.time()))
    assert.equal(0, status, output)
    assert.truthy(output:find "averages: %d+", output)
  end)
end)
