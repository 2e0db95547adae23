-- SPDX-License-Identifier: MIT
-- Recorded reports on their whole way: served by the simulator, over REST and over wss, decoded to exactly the fields
-- that other implementations read in them.

local chainlink = require "chainlink"
local await = require "spec.support.await"
local recording = require "spec.support.recording"
local simulator = require "spec.support.simulator"
local vectors = require "spec.support.vectors"

local function seconds(vector) return tonumber(vector.fields.observationsTimestamp) end

-- Vectors in order of time, and the ids of their feeds.
local function arrange(list)
  local ids, seen = {}, {}
  table.sort(list, function(a, b)
    if seconds(a) ~= seconds(b) then return seconds(a) < seconds(b) end
    return a.fullReport < b.fullReport
  end)
  for _, vector in ipairs(list) do
    local id = vector.fields.feedId
    if not seen[id] then ids[#ids + 1] = id end
    seen[id] = true
  end
  return ids
end

-- Tells when a script may not be given a report by a stream: its time lies ahead.
local function is_future(vector) return seconds(vector) > os.time() + 30 end

local function replay_suite(list)
  local ids = arrange(list)
  local by_report, newest, future = {}, {}, 0
  for _, vector in ipairs(list) do
    by_report[vector.fullReport] = vector
    newest[vector.fields.feedId] = vector
    if is_future(vector) then future = future + 1 end
  end

  local sim, client, remove

  setup(function()
    local texts = {}
    for i, vector in ipairs(list) do texts[i] = vector.fullReport end
    local file
    file, remove = recording.file(texts)
    sim = simulator.start { replay = file, rate = 1000, rate_limit = 0 }
    client = sim:client { rate_limit = false }
  end)

  teardown(function()
    client:close()
    sim:stop()
    remove()
  end)

  it("are listed by feed", function()
    local feeds, listed = assert(client:get_feeds()), {}
    for _, feed in ipairs(feeds) do listed[feed.id] = feed.version end
    assert.are.equal(#ids, #feeds)
    for _, id in ipairs(ids) do assert.are.equal(chainlink.feed_version(id), listed[id]) end
  end)

  it("come as the latest ones", function()
    for _, id in ipairs(ids) do vectors.check(assert(client:get_latest_report(id)), newest[id]) end
  end)

  it("come by their time", function()
    for _, vector in ipairs(list) do
      local report = assert(client:get_report(vector.fields.feedId, seconds(vector)))
      vectors.check(report, by_report[report.full_report])
      assert.are.equal(seconds(vector), report.observations_timestamp)
    end
  end)

  it("come in pages", function()
    local count = 0
    for _, id in ipairs(ids) do
      for report in client:reports(id, 0, 4294967295) do
        vectors.check(report, by_report[report.full_report])
        count = count + 1
      end
    end
    assert.are.equal(#list, count)
  end)

  it("come through the loop over a stream, each once", function()
    local stream, seen, versions, count = client:stream(ids), {}, {}, 0
    for report in stream do
      vectors.check(report, by_report[report.full_report])
      assert.is_nil(seen[report.full_report])
      seen[report.full_report], versions[report.version] = true, true
      count = count + 1
      if count == #list - future then break end
    end
    if future > 0 then
      local again = client:stream(ids) -- the loop may have closed the first one
      await("the rejection of reports of the future", function() return again:stats().rejected == future end)
      assert.are.equal(0, again:stats().decode_errors)
      again:close()
    end
    stream:close()
    for _, vector in ipairs(list) do assert.is_true(versions[vector.version], "no report of v" .. vector.version) end
    print(("\n# %d reports of %d feeds replayed over REST and wss, %d of them of the future"):format(
      #list, #ids, future))
  end)
end

describe("reports made by ethers, replayed,", function()
  replay_suite(vectors.made())
end)

describe("real reports, replayed,", function()
  local real = vectors.real()
  if real then
    replay_suite(real)
  else
    it("decode to their fields", function() pending(vectors.REAL_REPORTS .. " is absent") end)
  end
end)
